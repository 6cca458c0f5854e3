from pathlib import Path

import numpy as np
import pytest

from operando.model.run_directory import RunDirectory
from operando.monitor.inside.displacement_arrows import ARROW_SHARE, arrows, read_displacement
from operando.monitor.inside.finished_planes import FinishedPlanes
from operando.monitor.inside.state_planes import StatePlanes
from tests.monitor.inside.states import ROWS, WIDTH, tomogram, write_displacement, write_state


@pytest.fixture
def state(tmp_path: Path) -> tuple[Path, StatePlanes]:
    folder = write_state(RunDirectory(tmp_path), 2, 5.0)
    planes = FinishedPlanes(RunDirectory(tmp_path)).planes(tomogram("D0.7V", 2))
    assert planes is not None
    return folder, planes


def test_arrows_begin_at_their_cuboids_and_a_rise_points_up(state: tuple[Path, StatePlanes]) -> None:
    folder, planes = state
    write_displacement(folder, (0.0, 0.0, 2.0))
    found = read_displacement(folder)
    assert found is not None
    drawn = arrows(found, planes)
    assert drawn is not None
    assert (drawn.told_um, drawn.reference) == (2.0, "OCV")
    width_um, height_um = 2.0 * WIDTH, 2.0 * ROWS
    assert sorted(drawn.starts["xz"][:, 0]) == pytest.approx([0.5 - 4 / width_um, 0.5 + 4 / width_um])
    assert drawn.starts["xz"][:, 1] == pytest.approx(1 - 6 / height_um)  # 6 um above the bottom
    assert drawn.moves["xz"][:, 0] == pytest.approx(0)
    assert drawn.moves["xz"][:, 1] == pytest.approx(-ARROW_SHARE * 8 / height_um)
    assert drawn.told_share["xz"] == pytest.approx(ARROW_SHARE * 8 / width_um)
    assert len(drawn.starts["xy"]) == 4  # the layer next to the plane
    assert np.all(drawn.moves["xy"] == 0)


def test_cuboids_far_from_a_plane_have_no_arrow_in_it(state: tuple[Path, StatePlanes]) -> None:
    folder, planes = state
    write_displacement(folder, (1.0, 0.0, 0.0))
    found = read_displacement(folder)
    assert found is not None
    found.node_um[:, 1] += 13.0  # the nearest is 9 um from the plane through the axis
    drawn = arrows(found, planes)
    assert drawn is not None
    assert len(drawn.starts["xz"]) == 0


def test_a_displacement_that_is_damaged_or_not_there_is_none(state: tuple[Path, StatePlanes]) -> None:
    folder, _ = state
    assert read_displacement(folder) is None
    (folder / "displacement.h5").write_bytes(b"\x89HDF nothing")
    assert read_displacement(folder) is None
