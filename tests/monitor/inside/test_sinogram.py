from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from operando.model import frames
from operando.model.frames import FrameKind
from operando.model.run_directory import RunDirectory
from operando.monitor.inside.sinogram import MAX_COLUMNS, MAX_LINES, SinogramReader
from tests.monitor.inside.states import tomogram

ROWS, COLUMNS = 6, 16


class Camera:
    """Writes frames whose counts tell projection, row and column: 1000 + 10 x projection + row."""

    def __init__(self, path: Path) -> None:
        self.file = h5py.File(path, "w", libver="latest")
        self.images = self.file.create_dataset(
            frames.IMAGES, (0, ROWS, COLUMNS), "u2", maxshape=(None, ROWS, COLUMNS), chunks=(1, ROWS, COLUMNS)
        )
        self.angles = self.file.create_dataset(frames.ANGLES, (0,), "f8", maxshape=(None,), chunks=(64,))
        self.file.swmr_mode = True

    def expose(self, num: int) -> None:
        for _ in range(num):
            number = self.images.shape[0]
            self.images.resize(number + 1, axis=0)
            self.angles.resize(number + 1, axis=0)
            self.images[number] = np.broadcast_to(1000 + 10 * number + np.arange(ROWS)[:, None], (ROWS, COLUMNS))
            self.angles[number] = 0.5 * number
        self.images.flush()
        self.angles.flush()


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    (tmp_path / "frames").mkdir()
    return RunDirectory(tmp_path)


@pytest.fixture
def camera(run: RunDirectory) -> Iterator[Camera]:
    camera = Camera(run.frames_file(1, FrameKind.PROJECTION))
    yield camera
    camera.file.close()


def write_frames(run: RunDirectory, kind: FrameKind, counts: int) -> None:
    with h5py.File(run.frames_file(1, kind), "w") as file:
        file[frames.IMAGES] = np.full((3, ROWS, COLUMNS), counts, np.uint16)


def test_a_sinogram_grows_with_the_projections_and_reads_none_twice(run: RunDirectory, camera: Camera) -> None:
    reader, ocv = SinogramReader(run), tomogram("OCV", 1)
    assert reader.newest(ocv, None) is None
    camera.expose(5)
    first = reader.newest(ocv, None)
    assert first is not None
    assert (first.row, first.num_rows, first.quantity) == (3, ROWS, "detector counts")
    assert first.values[:, 0].tolist() == [1003, 1013, 1023, 1033, 1043]
    assert reader.newest(ocv, None) is first
    camera.expose(2)
    second = reader.newest(ocv, None)
    assert second is not None
    assert second.values.shape == (7, COLUMNS)
    assert second.angles_deg.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    assert second.turns_one_way


def test_another_row_is_read_from_the_beginning_and_cut_to_those_there_are(run: RunDirectory, camera: Camera) -> None:
    camera.expose(2)
    reader = SinogramReader(run)
    assert reader.newest(tomogram("OCV", 1), 0) is not None
    last = reader.newest(tomogram("OCV", 1), 99)
    assert last is not None
    assert last.row == ROWS - 1
    assert last.values[:, 0].tolist() == [1005, 1015]


def test_with_flat_and_dark_it_tells_transmission(run: RunDirectory, camera: Camera) -> None:
    write_frames(run, FrameKind.FLAT, 2100)
    write_frames(run, FrameKind.DARK, 100)
    camera.expose(1)
    found = SinogramReader(run).newest(tomogram("OCV", 1), 0)
    assert found is not None
    assert found.quantity == "transmission"
    assert found.values == pytest.approx(np.full((1, COLUMNS), 0.45))


def test_many_projections_are_thinned_out(run: RunDirectory) -> None:
    num, columns = 2 * MAX_LINES + 1, 2 * MAX_COLUMNS + 100
    with h5py.File(run.frames_file(1, FrameKind.PROJECTION), "w", libver="latest") as file:
        file.create_dataset(frames.IMAGES, (num, 2, columns), "u2", chunks=(1, 2, columns), fillvalue=7)
    reader = SinogramReader(run)
    found = reader.newest(tomogram("OCV", 1), 0)
    while found is None or len(found.values) < 801:
        found = reader.newest(tomogram("OCV", 1), 0)
    assert (found.line_step, found.column_step) == (3, 3)
    assert found.values.shape == (801, 834)
    assert not found.turns_one_way  # no angles are held


def test_a_damaged_file_has_no_sinogram(run: RunDirectory) -> None:
    run.frames_file(1, FrameKind.PROJECTION).write_bytes(b"\x89HDF nothing" * 50)
    assert SinogramReader(run).newest(tomogram("OCV", 1), 0) is None
