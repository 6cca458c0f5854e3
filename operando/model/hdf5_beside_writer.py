"""Opening an HDF5 file beside a possible writer, so that what is damaged is refused instead of waited for."""

import ctypes
from pathlib import Path

import h5py

from operando.model.hdf5_superblock import superblock_of
from operando.model.ordinary_file import ordinary_file

# A reader beside a writer tries metadata with a wrong checksum again, after 1 ns and then after twice as long each
# time. The library's own 100 times never end; these take a quarter of a second.
READ_ATTEMPTS = 28
# HDF5's defaults but for the cache of chunks.
_CHUNK_SLOTS, _CHUNK_PREEMPTION = 521, 0.75
_MEGABYTE = 2**20
_BESIDE = h5py.h5f.ACC_RDONLY | h5py.h5f.ACC_SWMR_READ
_OPEN_HERE = "file locking flag values don't match"

# h5py does not offer this function of the library that it brings.
_set_read_attempts = ctypes.CDLL(h5py.h5p.__file__).H5Pset_metadata_read_attempts
_set_read_attempts.argtypes, _set_read_attempts.restype = (ctypes.c_int64, ctypes.c_uint), ctypes.c_int


def open_beside_writer(path: Path, *, chunk_cache_bytes: int = _MEGABYTE) -> h5py.File:
    """Open a file for reading that another process may be writing (SWMR), or have been writing when it was killed.

    A file that is being written is not locked, not even for a moment: the writer asks for a lock of its own when it has
    made the file and again when it lets readers in, and fails if a reader's is there. Marks in the file tell how it is
    being written; a file of a format that has none (superblock below version 3) is protected by its lock only.

    Raises
    ------
    OSError
        If it is not there, no HDF5 file, or being written in another way.
    """
    ordinary_file(path)
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(h5py.h5f.LIBVER_EARLIEST, h5py.h5f.LIBVER_LATEST)
    access.set_cache(0, _CHUNK_SLOTS, chunk_cache_bytes, _CHUNK_PREEMPTION)
    _set_read_attempts(access.id, READ_ATTEMPTS)
    access.set_file_locking(_may_be_locked(path), True)
    try:
        return h5py.File(h5py.h5f.open(bytes(path), _BESIDE, access))
    except OSError as error:
        if _OPEN_HERE not in str(error):
            raise
    access.set_file_locking(True, True)  # as this process has it open already; no second lock is taken
    return h5py.File(h5py.h5f.open(bytes(path), _BESIDE, access))


def is_closed(path: Path) -> bool:
    """Return whether an HDF5 file has been closed by its writer, not only left behind by one that was killed.

    Raises
    ------
    OSError
        If it is not there.
    """
    superblock = superblock_of(path)
    if superblock is None or superblock.has_marks:
        return superblock is not None and not superblock.is_being_written
    try:
        h5py.File(path, "r").close()
    except OSError:
        return False
    return True


def _may_be_locked(path: Path) -> bool:
    superblock = superblock_of(path)
    return superblock is not None and not superblock.is_being_written
