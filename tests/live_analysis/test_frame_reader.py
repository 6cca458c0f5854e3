"""Frames are read by index, whoever writes them and however the writer ends."""

import contextlib
import fcntl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_analysis.frame_reader import FrameFileError, FrameReader
from operando.model import frames
from simulators.hdf5_writer import Hdf5Writer

SHAPE = (6, 8)
# In a process of its own: inside one process HDF5 shows a reader what the writer has not committed yet.
WRITER = """
import sys, numpy, pathlib
from simulators.hdf5_writer import Hdf5Writer
writer = Hdf5Writer(pathlib.Path(sys.argv[1]), (6, 8))
for index in range(int(sys.argv[2])):
    writer.append(numpy.full((6, 8), index, "u2"), 100.0 + index, index + 1, 2.0 * index)
print("written", flush=True)
sys.stdin.read()
"""


def writer_process(path: Path, num_frames: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(num_frames)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )


def append(writer: Hdf5Writer, index: int) -> None:
    writer.append(np.full(SHAPE, index, np.uint16), 100.0 + index, index + 1, 2.0 * index)


def test_a_file_that_is_not_there_yet_holds_no_frames_and_is_read_once_it_is(tmp_path: Path) -> None:
    reader = FrameReader(tmp_path / "frames.h5")
    assert reader.frames_since(0) is None
    assert reader.frame_shape() is None
    writer = Hdf5Writer(tmp_path / "frames.h5", SHAPE)
    append(writer, 0)
    batch = reader.frames_since(0)
    assert batch is not None
    assert (len(batch), batch.times[0], batch.ids[0], batch.angles[0]) == (1, 100.0, 1, 0.0)
    reader.close()
    writer.close()


def test_a_growing_file_is_read_in_order_and_none_is_skipped(tmp_path: Path) -> None:
    num_frames, seen = 300, list[int]()
    reader = FrameReader(tmp_path / "frames.h5")
    with writer_process(tmp_path / "frames.h5", num_frames) as process:
        while len(seen) < num_frames:
            assert process.poll() is None
            batch = reader.frames_since(len(seen), max_num=7)
            if batch is not None:
                assert len(batch) <= 7
                assert np.array_equal(batch.ids, batch.images[:, 0, 0] + 1)
                assert np.array_equal(batch.angles, 2.0 * batch.images[:, 0, 0])
                seen += batch.images[:, 5, 7].tolist()
        process.communicate(b"")
    assert seen == list(range(num_frames))
    assert reader.frames_since(num_frames) is None


def test_every_committed_frame_of_a_killed_writer_is_read(tmp_path: Path) -> None:
    path = tmp_path / "frames.h5"
    with writer_process(path, 12) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        process.kill()
    with pytest.raises(OSError, match="already open"):
        h5py.File(path, "r")
    reader = FrameReader(path)
    assert reader.num_frames() == 12
    assert reader.rows(0, 12, 2, 4).shape == (12, 2, 8)
    assert reader.rows(11, 12, 0, 1)[0, 0, 0] == 11
    reader.close()


def test_what_is_no_hdf5_file_holds_no_frames_and_says_why(tmp_path: Path) -> None:
    path = tmp_path / "frames.h5"
    path.write_bytes(b"not an image" * 100)
    reader = FrameReader(path)
    assert reader.num_frames() == 0
    assert "file signature not found" in reader.refusal


def test_a_file_without_angles_is_refused_with_what_to_add(tmp_path: Path) -> None:
    path = tmp_path / "frames.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file[frames.IMAGES] = np.zeros((3, *SHAPE), np.uint16)
        file[frames.TIMES] = file[frames.FRAME_IDS] = np.arange(3)
    with pytest.raises(FrameFileError, match=r"no dataset .*rotation_angle"):
        FrameReader(path).num_frames()


def test_fewer_angles_than_images_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "frames.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file[frames.IMAGES] = np.zeros((3, *SHAPE), np.uint16)
        file[frames.TIMES] = file[frames.FRAME_IDS] = np.arange(3)
        file[frames.ANGLES] = np.arange(2.0)
    with pytest.raises(FrameFileError, match=r"3 images are committed but .*rotation_angle has 2"):
        FrameReader(path).frames_since(0)


def test_a_file_of_an_older_format_that_was_closed_is_read(tmp_path: Path) -> None:
    path = tmp_path / "frames.h5"
    with h5py.File(path, "w", libver="earliest") as file:
        file[frames.IMAGES] = np.full((3, *SHAPE), 7, np.uint16)
        file[frames.TIMES] = file[frames.FRAME_IDS] = np.arange(3)
        file[frames.ANGLES] = np.arange(3.0)
    batch = FrameReader(path).frames_since(1)
    assert batch is not None
    assert batch.angles.tolist() == [1.0, 2.0]


def test_a_file_that_was_just_made_is_not_locked_against_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "frames.h5"
    with path.open("wb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX | fcntl.LOCK_NB)
        reader = FrameReader(path)
        assert reader.num_frames() == 0
        assert "signature not found" in reader.refusal  # and not: unable to lock


def test_a_file_of_an_older_format_is_not_read_while_its_writer_has_it_locked(tmp_path: Path) -> None:
    path = tmp_path / "frames.h5"
    with h5py.File(path, "w", libver="earliest") as file:
        file[frames.IMAGES] = np.zeros((3, *SHAPE), np.uint16)
        file[frames.TIMES] = file[frames.FRAME_IDS] = file[frames.ANGLES] = np.arange(3)
    with path.open("rb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX | fcntl.LOCK_NB)
        reader = FrameReader(path)
        assert reader.num_frames() == 0
        assert "unable to lock file" in reader.refusal
    assert reader.num_frames() == 3


def test_a_closed_file_that_was_cut_short_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "frames.h5"
    writer = Hdf5Writer(path, SHAPE)
    append(writer, 0)
    writer.close()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    reader = FrameReader(path)
    assert reader.num_frames() == 0
    assert "cut short" in reader.refusal


@pytest.mark.timeout(60)
@settings(max_examples=60, deadline=None)
@given(place=st.floats(0, 1), damage=st.binary(min_size=1, max_size=64), stop=st.sampled_from([0.5, 0.9, 1.0]))
def test_a_file_with_damage_anywhere_is_read_or_refused_in_a_moment(
    frames_of_killed_writer: bytes, place: float, damage: bytes, stop: float
) -> None:
    content = bytearray(frames_of_killed_writer[: int(stop * len(frames_of_killed_writer))])
    begin = int(place * (len(content) - len(damage)))
    content[begin : begin + len(damage)] = damage
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frames.h5"
        path.write_bytes(content)
        reader = FrameReader(path)
        began_s = time.perf_counter()
        with contextlib.suppress(FrameFileError, OSError):
            num = reader.num_frames()
            batch = reader.frames_since(0)
            assert num <= 4
            assert batch is None or len(batch) == num
        reader.close()
        assert time.perf_counter() - began_s < 10  # by itself the library would wait for hours


@pytest.fixture(scope="module")
def frames_of_killed_writer(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("killed") / "frames.h5"
    writer = writer_process(path, 4)
    assert writer.stdout is not None
    writer.stdout.readline()
    writer.kill()
    writer.communicate()
    return path.read_bytes()
