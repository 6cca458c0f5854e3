"""A file is opened beside its writer without any lock, which would keep the writer from its own."""

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import h5py
import pytest

from operando.model.hdf5_beside_writer import is_closed, open_beside_writer

WRITER = """
import sys, h5py
with h5py.File(sys.argv[1], "w", libver="latest") as file:
    file["kept"] = [1, 2, 3]
    file.swmr_mode = True
    print("written", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[Path]:
    """A file that another process writes."""
    path = tmp_path / "frames.h5"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        yield path
        process.communicate(b"")


def test_a_growing_file_whose_lock_somebody_else_has_is_opened(growing: Path) -> None:
    with growing.open("rb") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with open_beside_writer(growing) as file:
            assert file["kept"][:].tolist() == [1, 2, 3]


def test_a_file_that_was_closed_is_opened_as_everybody_else_opens_it(tmp_path: Path) -> None:
    path = tmp_path / "frames.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file["kept"] = [1, 2, 3]
    with open_beside_writer(path), h5py.File(path) as file:
        assert file["kept"][:].tolist() == [1, 2, 3]


def test_a_file_that_nobody_may_read_beside_its_writer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "frames.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file["kept"] = [1, 2, 3]
        file.flush()
        beside = tmp_path / "as_another_process_sees_it.h5"  # HDF5 knows what its own process has opened
        beside.write_bytes(path.read_bytes())
        with pytest.raises(OSError, match="not already open for SWMR"):
            open_beside_writer(beside)


def test_a_file_that_this_process_writes_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "frames.h5"
    with h5py.File(path, "w", libver="latest") as writer:
        kept = writer.create_dataset("kept", (0,), "i8", maxshape=(None,), chunks=(8,))
        writer.swmr_mode = True
        kept.resize(3, 0)
        kept.flush()
        with open_beside_writer(path) as file:
            assert file["kept"].shape == (3,)


def test_only_a_file_that_its_writer_has_closed_counts_as_closed(growing: Path, tmp_path: Path) -> None:
    assert not is_closed(growing)
    killed = tmp_path / "killed.h5"
    killed.write_bytes(growing.read_bytes())
    assert not is_closed(killed)
    begun = tmp_path / "begun.h5"
    begun.touch()
    assert not is_closed(begun)
    for oldest in ("earliest", "latest"):
        closed = tmp_path / f"{oldest}.h5"
        h5py.File(closed, "w", libver=oldest).close()
        assert is_closed(closed)
