"""Asking whether what a file declares can be read: a size costs nothing on disk, and memory when it is read."""

from dataclasses import dataclass
from math import inf, prod
from typing import Any

import h5py
import psutil

MAX_FRAMES = 2**18  # in one file; of each the analysis keeps 16 kB, and whoever believes 10**12 loops for years
NEGLIGIBLE_VALUES = 2**22  # so few are read without asking how much memory is free


class DeclaredSizeError(ValueError):
    """A file declares what cannot be read; the message says what was found and what to do next."""


@dataclass(frozen=True)
class Limit:
    """How many values are read at once, along all axes and along one of them, and why there are never more.

    Whatever the limit, ``bytes_per_value`` of memory must be free: they are needed while the values are worked on.
    """

    name: str
    num_values: float
    longest_axis: float
    reason: str
    bytes_per_value: int


# Sums and squares of frames are kept in double precision, beside the frames that are added.
FRAME = Limit("a frame or slice", 2**28, 2**16, "16384 x 16384, more than any detector has", 64)
PLANE = Limit("a plane that is drawn", 2**27, 2**16, "11585 x 11585, more than any screen shows", 16)
LIST = Limit("a list", 2**24, 2**24, "more than there are frames in a run or cuboids in a volume", 16)
VOLUME = Limit("a volume", inf, inf, "", 8)  # beyond these two, memory is the only limit
# Filters store what they cannot compress nearly as it is: deflate adds 5 bytes to 16 kB, blosc 16 bytes to a chunk.
# So deflate unpacks a chunk to no more than a thousand times its size, instead of to anything.
PACKED_PER_BYTE, PACKED_BYTES_BESIDE = 1.01, 4096
_SOUND: dict[tuple[str, str, tuple[int, ...]], None] = {}  # whose chunks were looked at
MOST_REMEMBERED = 64
CHUNK = Limit("chunks, which are always read whole,", inf, inf, "", 8)


def readable(dataset: Any, limit: Limit) -> Any:
    """Return an HDF5 dataset of numbers that may be read whole.

    Raises
    ------
    DeclaredSizeError
        If it is something else, or is or is stored in pieces larger than ``limit``, or than the memory that is free.
    """
    what = _numbers(dataset)
    check_size(what, dataset.shape, limit)
    _check_chunks(what, dataset)
    return dataset


def readable_frames(dataset: Any, limit: Limit = FRAME) -> Any:
    """Return an HDF5 dataset with the axes (frame, row, column) of which each frame may be read.

    Raises
    ------
    DeclaredSizeError
        If it is something else, holds more than `MAX_FRAMES`, or its frames are too large, see `readable`.
    """
    what = _numbers(dataset)
    if dataset.ndim != 3:
        raise DeclaredSizeError(f"{what}: three axes were expected, (frame, row, column).")
    if dataset.shape[0] > MAX_FRAMES:
        raise DeclaredSizeError(
            f"{what} declares {dataset.shape[0]} frames; at most {MAX_FRAMES} are read, many more than a "
            "tomogram has. Is it damaged? Copy it again from where it was written."
        )
    check_size(what, dataset.shape[1:], limit)
    _check_chunks(what, dataset)
    return dataset


def check_size(what: str, shape: tuple[int, ...], limit: Limit) -> None:
    """Check a shape that a file declares before it is read.

    Raises
    ------
    DeclaredSizeError
        If it is beyond the limit or the memory that is free.
    """
    num = prod(int(length) for length in shape)
    if num <= NEGLIGIBLE_VALUES and max(shape, default=0) <= limit.longest_axis:
        return
    needed, free = num * limit.bytes_per_value, psutil.virtual_memory().available
    values = f"{' x '.join(str(length) for length in shape)} values"
    said = f"{what} declares {limit.name} of {values}, for which {needed / 1e9:.3g} GB of memory are needed"
    if num > limit.num_values or max(shape, default=0) > limit.longest_axis:
        most = f"{limit.num_values:.0f}" if num > limit.num_values else f"{limit.longest_axis:.0f} along an axis"
        raise DeclaredSizeError(
            f"{said}; at most {most} are read, {limit.reason}. Is it damaged? Copy it again from where it was written."
        )
    if needed > free:
        raise DeclaredSizeError(
            f"{said}; {free / 1e9:.3g} GB are free. Use a computer with more, or if the file is damaged copy it again "
            "from where it was written."
        )


def _numbers(dataset: Any) -> str:
    """Return how a dataset of numbers is called."""
    if not isinstance(dataset, h5py.Dataset) or dataset.shape is None or dataset.dtype.kind not in "buif":
        found = getattr(dataset, "dtype", None) or type(dataset).__name__
        raise DeclaredSizeError(f"{dataset.file.filename}: {dataset.name} holds {found}; numbers were expected.")
    return f"{dataset.file.filename}: {dataset.name} ({dataset.dtype}, shape {dataset.shape})"


def _check_chunks(what: str, dataset: Any) -> None:
    """Check the chunks: however little is asked for, HDF5 unpacks them whole, to whatever their bytes unpack to."""
    if dataset.chunks is None:
        return
    check_size(what, dataset.chunks, CHUNK)
    if not dataset.id.get_create_plist().get_nfilters():
        return
    looked_at = dataset.file.filename, dataset.name, dataset.shape
    if looked_at in _SOUND:  # asked for frame by frame
        return
    chunk_bytes = prod(dataset.chunks) * dataset.dtype.itemsize
    largest = 0

    def look(chunk: Any) -> None:
        nonlocal largest
        largest = max(largest, chunk.size)

    dataset.id.chunk_iter(look)
    if largest > chunk_bytes * PACKED_PER_BYTE + PACKED_BYTES_BESIDE:
        raise DeclaredSizeError(
            f"{what}: a compressed chunk of {largest} bytes is larger than the {chunk_bytes} bytes it stands for, "
            "and may unpack to anything. It is damaged; copy the file again from where it was written."
        )
    _SOUND[looked_at] = None
    while len(_SOUND) > MOST_REMEMBERED:
        del _SOUND[next(iter(_SOUND))]
