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

# h5py does not offer this function of the library that it brings.
_set_read_attempts = ctypes.CDLL(h5py.h5p.__file__).H5Pset_metadata_read_attempts
_set_read_attempts.argtypes, _set_read_attempts.restype = (ctypes.c_int64, ctypes.c_uint), ctypes.c_int


def open_beside_writer(path: Path, *, chunk_cache_bytes: int = _MEGABYTE) -> h5py.File:
    """Open a file for reading that another process may be writing (SWMR), or have been writing when it was killed.

    Raises
    ------
    OSError
        If it is not there, no HDF5 file, or of a format that has no such way of reading.
    """
    ordinary_file(path)
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(h5py.h5f.LIBVER_EARLIEST, h5py.h5f.LIBVER_LATEST)
    access.set_cache(0, _CHUNK_SLOTS, chunk_cache_bytes, _CHUNK_PREEMPTION)
    _set_read_attempts(access.id, READ_ATTEMPTS)
    return h5py.File(h5py.h5f.open(bytes(path), h5py.h5f.ACC_RDONLY | h5py.h5f.ACC_SWMR_READ, access))
