"""Opening an HDF5 file beside a possible writer, so that what is damaged is refused instead of waited for."""

import ctypes
from pathlib import Path

import h5py

from operando.model.ordinary_file import ordinary_file

# A reader beside a writer tries metadata with a wrong checksum again, after 1 ns and then after twice as long each
# time. The library's own 100 times never end; these take a quarter of a second.
READ_ATTEMPTS = 28
# HDF5's defaults but for the cache of chunks.
_CHUNK_SLOTS, _CHUNK_PREEMPTION = 521, 0.75
_MEGABYTE = 2**20
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_VERSIONS_WITHOUT_MARKS = (b"\x00", b"\x01", b"\x02")

# h5py does not offer this function of the library that it brings.
_set_read_attempts = ctypes.CDLL(h5py.h5p.__file__).H5Pset_metadata_read_attempts
_set_read_attempts.argtypes, _set_read_attempts.restype = (ctypes.c_int64, ctypes.c_uint), ctypes.c_int


def open_beside_writer(path: Path, *, chunk_cache_bytes: int = _MEGABYTE) -> h5py.File:
    """Open a file for reading that another process may be writing (SWMR), or have been writing when it was killed.

    No lock is taken, not even for a moment: the writer asks for one of its own when it has made the file and again
    when it lets readers in, and fails if a reader's is there. Marks in the file tell how it is being written; only a
    file of a format that has none (superblock below version 3) is protected by its lock.

    Raises
    ------
    OSError
        If it is not there, no HDF5 file, or being written in another way.
    """
    ordinary_file(path)
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(h5py.h5f.LIBVER_EARLIEST, h5py.h5f.LIBVER_LATEST)
    access.set_cache(0, _CHUNK_SLOTS, chunk_cache_bytes, _CHUNK_PREEMPTION)
    access.set_file_locking(_is_without_marks(path), True)
    _set_read_attempts(access.id, READ_ATTEMPTS)
    return h5py.File(h5py.h5f.open(bytes(path), h5py.h5f.ACC_RDONLY | h5py.h5f.ACC_SWMR_READ, access))


def _is_without_marks(path: Path) -> bool:
    with path.open("rb") as file:
        begin = file.read(len(_SIGNATURE) + 1)
    return begin.startswith(_SIGNATURE) and begin[len(_SIGNATURE) :] in _VERSIONS_WITHOUT_MARKS
