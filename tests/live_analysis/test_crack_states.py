"""The cracks of a tomogram are compared with what earlier tomograms of the run have left."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.crack_states import ComparedCracks, compare_cracks
from live_analysis.cracks.crack_file import read_cracks
from live_analysis.cracks.crack_volume import search_cracks
from live_analysis.earlier_states import EarlierStates
from live_analysis.region_file import Face, region_state, write_region
from live_analysis.region_volume import RegionVolume
from live_analysis.run_follower import TomogramRun
from live_analysis.tomogram_context import TomogramContext
from operando.model.run_directory import RunDirectory
from tests.live_analysis.cracks.crack_phantom import SHAPE, VOXEL_UM, Lens, volume_of

NUM_ROWS = SHAPE[0] + 4
RISE_UM = 9.0
EDGE = Lens(120.0, 150.0, 150.0, 125.0, 4.0)  # in every state: no crack
CRACK = Lens(60.0, 300.0, 290.0, 150.0, 5.0)


def lifted(lens: Lens, um: float) -> Lens:
    return Lens(lens.z_um - um, lens.y_um, lens.x_um, lens.radius_um, lens.opening_um)


def compared(run: RunDirectory, attempt: int, name: str, values: NDArray[np.float32], face_um: float) -> ComparedCracks:
    whole = slice(0, SHAPE[0]), slice(0, SHAPE[1]), slice(0, SHAPE[2])
    wide = RegionVolume(values, np.ones(SHAPE, np.float32), whole, slice(2, 2 + SHAPE[0]), True)
    start = {"uid": f"uid {attempt}", "time": 0.0, "tomogram": name, "attempt": attempt}
    face = Face(face_um, 0.1)
    result = compare_cracks(
        TomogramContext(run, None, TomogramRun(start, None)),
        search_cracks(values, VOXEL_UM, wide.inside),
        wide,
        pixel_size_um=VOXEL_UM,
        num_rows=NUM_ROWS,
        face=face,
        earlier=EarlierStates(run),
    )
    state = region_state(
        wide,
        num_rows=NUM_ROWS,
        pixel_size_um=VOXEL_UM,
        tomogram=name,
        run_uid=f"uid {attempt}",
        face=face,
        absolute=True,
    )
    write_region(run.volume(attempt), state)
    return result


def test_an_edge_is_counted_in_no_later_state_and_cracks_are_followed(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    first = compared(run, 1, "OCV", volume_of([lifted(EDGE, 0)], seed=1), 180.0)
    assert (first.pristine, first.before, first.changes) == (None, None, None)
    assert len(first.found.cracks) == 1  # nothing tells yet that it is none

    second = compared(run, 2, "D1.2V", volume_of([lifted(EDGE, RISE_UM / 3), CRACK], seed=2), 180.0 + RISE_UM)
    assert (second.pristine, second.before) == ("OCV", "OCV")
    assert (len(second.found.cracks), len(second.found.was_there)) == (1, 1)
    assert second.found.volume_um3 == pytest.approx(CRACK.volume_um3, rel=0.12)  # twice the noise of so small a sum

    third = compared(run, 3, "D0.7V", volume_of([lifted(EDGE, RISE_UM / 3)], seed=4), 180.0 + RISE_UM)
    assert third.before == "D1.2V"
    assert third.changes is not None
    assert third.changes.num_closed == 1
    volume, count = third.quantities(complete=True)
    assert (volume.value, volume.details["num_there_before"]) == (0.0, 1)
    assert (count.value, count.details["num_closed"], count.details["since"]) == (0.0, 1, "D1.2V")


def test_the_file_tells_where_cracks_are_and_how_thick(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    compared(run, 1, "OCV", volume_of([CRACK]), 180.0)
    state = read_cracks(run.volume(1))
    (crack,) = state.cracks
    assert (state.tomogram, state.run_uid) == ("OCV", "uid 1")
    middle_um = SHAPE[1] * VOXEL_UM / 2
    assert (crack.x_um, crack.y_um) == pytest.approx((CRACK.x_um - middle_um, CRACK.y_um - middle_um), abs=6.0)
    assert crack.height_um == pytest.approx((NUM_ROWS - 2) * VOXEL_UM - CRACK.z_um, abs=VOXEL_UM / 2)
    assert crack.pristine_height_um == crack.height_um
    assert crack.thickness_um == pytest.approx(2 / 3 * CRACK.opening_um, rel=0.15)
    assert crack.normal[2] == pytest.approx(1.0, abs=1e-3)
