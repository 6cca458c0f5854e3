from pathlib import Path
from shutil import rmtree

import numpy as np
import pytest

from operando.model.plane_wish import PlaneWish
from operando.model.run_directory import RunDirectory
from operando.monitor.inside.finished_planes import FinishedPlanes
from tests.monitor.inside.states import ROWS, WIDTH, tomogram, write_state


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path)


def test_the_analysis_own_slices_are_read_once_with_their_masks_until_they_are_replaced(run: RunDirectory) -> None:
    write_state(run, 1, 5.0)
    reader, ocv = FinishedPlanes(run), tomogram("OCV", 1)
    planes = reader.planes(ocv)
    assert planes is not None
    assert (planes.source, planes.voxel_size_um, planes.shape) == ("slices.h5", 2.0, (ROWS, WIDTH, WIDTH))
    assert planes.at == (4, 9.5, 9.5)  # through the axis, which lies between two voxels
    assert planes.masks["xz"][4, 5] == 2
    assert reader.planes(ocv) is planes
    run.volume(1).joinpath("slices.h5").unlink()
    write_state(run, 1, 7.0)
    again = reader.planes(ocv)
    assert again is not None
    assert np.all(again.values["xy"] == 7.0)


def test_other_planes_are_cut_from_the_volume_of_the_whole_view(run: RunDirectory) -> None:
    write_state(run, 1, 5.0)
    planes = FinishedPlanes(run).planes(tomogram("OCV", 1), PlaneWish(z=0.9, y=0.2, x=0.5))
    assert planes is not None
    assert (planes.source, planes.at, planes.voxel_size_um) == ("live.h5", (3, 2, 5), 4.0)
    assert np.all(planes.values["xy"] == 8.0)
    assert planes.values["xz"][:, 0].tolist() == [5.0, 6.0, 7.0, 8.0]
    assert not planes.masks  # they belong to other planes


def test_masks_of_another_tomogram_are_not_laid_over(run: RunDirectory) -> None:
    write_state(run, 1, 5.0, uid="first")
    masks = run.volume(1).joinpath("masks.h5").read_bytes()
    write_state(run, 1, 5.0, uid="second")
    run.volume(1).joinpath("masks.h5").write_bytes(masks)
    planes = FinishedPlanes(run).planes(tomogram("OCV", 1))
    assert planes is not None
    assert not planes.masks


@pytest.mark.parametrize("name", ["slices.h5", "masks.h5", "live.h5"])
def test_half_a_file_counts_as_none(run: RunDirectory, name: str) -> None:
    path = write_state(run, 1, 5.0) / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    planes = FinishedPlanes(run).planes(tomogram("OCV", 1), PlaneWish(z=0.9) if name == "live.h5" else None)
    assert (planes is None) == (name == "slices.h5")
    if planes is not None:
        assert planes.source == "slices.h5"


def test_a_deleted_volume_is_told_from_one_that_is_not_there_yet(run: RunDirectory) -> None:
    rmtree(write_state(run, 2, 5.0))
    reader, state = FinishedPlanes(run), tomogram("D1.7V", 2)
    assert reader.planes(state) is None
    deleted = reader.why_none(state, num_measurements=7)
    assert (
        deleted == "The volume of D1.7V (attempt 2) was deleted: there is no volumes/0002, though 7 values were "
        "measured in it."
    )
    assert "has no slices yet" in reader.why_none(state, num_measurements=0)
    assert "ended with fail" in reader.why_none(tomogram("D1.7V", 2, exit_status="fail"), num_measurements=0)
    assert "is being taken" in reader.why_none(tomogram("D1.7V", 2, taken=False), num_measurements=0)
