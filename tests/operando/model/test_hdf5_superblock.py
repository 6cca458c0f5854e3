from pathlib import Path

import h5py
import pytest

from operando.model.hdf5_superblock import superblock_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.h5"


def test_a_file_in_which_readers_are_let_is_marked_until_it_is_closed(path: Path) -> None:
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        file["value"] = 1.0
        file.swmr_mode = True
        begun = superblock_of(path)
    closed = superblock_of(path)
    assert begun is not None
    assert closed is not None
    assert begun.has_marks
    assert begun.is_being_written
    assert not closed.is_being_written
    assert closed.end_bytes == path.stat().st_size


@pytest.mark.parametrize("libver", ["earliest", "v108"])
def test_older_formats_have_no_marks(path: Path, libver: str) -> None:
    h5py.File(path, "w", libver=(libver, "v108")).close()
    superblock = superblock_of(path)
    assert superblock is not None
    assert not superblock.has_marks


@pytest.mark.parametrize("num_bytes", [0, 7, 11, 35])
def test_what_is_not_written_yet_tells_nothing(path: Path, num_bytes: int) -> None:
    h5py.File(path, "w", libver="latest").close()
    path.write_bytes(path.read_bytes()[:num_bytes])
    assert superblock_of(path) is None


def test_other_files_tell_nothing(path: Path) -> None:
    path.write_bytes(b"II*\0" + bytes(100))
    assert superblock_of(path) is None
