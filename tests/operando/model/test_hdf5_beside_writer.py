"""A file is opened beside its writer without any lock, which would keep the writer from its own."""

import fcntl
from pathlib import Path

import h5py
import pytest

from operando.model.hdf5_beside_writer import open_beside_writer


def test_a_file_whose_lock_somebody_else_has_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "frames.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file["kept"] = [1, 2, 3]
    with path.open("rb") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with open_beside_writer(path) as file:
            assert file["kept"][:].tolist() == [1, 2, 3]


def test_an_opened_file_can_be_locked_by_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "frames.h5"
    h5py.File(path, "w", libver="latest").close()
    with open_beside_writer(path), path.open("rb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_file_that_nobody_may_read_beside_its_writer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "frames.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file["kept"] = [1, 2, 3]
        file.flush()
        beside = tmp_path / "as_another_process_sees_it.h5"  # HDF5 knows what its own process has opened
        beside.write_bytes(path.read_bytes())
        with pytest.raises(OSError, match="not already open for SWMR"):
            open_beside_writer(beside)
