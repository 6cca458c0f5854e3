"""Follows one growing frames file by index: every committed frame once, in order, while another process writes it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from operando.model import frames
from operando.model.declared_size import LIST, VOLUME, DeclaredSizeError, check_size, readable, readable_frames
from operando.model.hdf5_beside_writer import open_beside_writer
from operando.model.hdf5_superblock import superblock_of

P = ParamSpec("P")
T = TypeVar("T")

# Whole frames would be read into the cache of chunks where a few rows of each are wanted: 0.4 instead of 0.03 s of
# processor time for 16 of 256 rows of 2256 frames.
NO_CACHE = 0
VALUES_AT_ONCE = 2**27  # 32 frames of 2048 x 2048


class FrameFileError(ValueError):
    """A frames file that is there does not hold what it must."""


@dataclass(frozen=True)
class FrameBatch:
    """Frames that follow each other in one file.

    ``images`` has shape (frame, row, column), in counts; ``times`` (s since the Unix epoch, at mid-exposure), ``ids``
    (the camera's own count) and ``angles`` (degrees, at mid-exposure) have shape (frame,).
    """

    first_index: int
    images: NDArray[np.uint16]
    times: NDArray[np.float64]
    ids: NDArray[np.int64]
    angles: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.images)


def _refusing_damage(
    method: Callable[Concatenate["FrameReader", P], T],
) -> Callable[Concatenate["FrameReader", P], T]:
    """Have what HDF5 says of damaged insides told as an error of the file."""

    @wraps(method)
    def refusing(self: "FrameReader", /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(self, *args, **kwargs)
        except DeclaredSizeError as error:
            raise FrameFileError(str(error)) from error
        except (LookupError, RuntimeError) as error:
            raise FrameFileError(f"{self.path}: is damaged inside ({error}). Is there another copy of it?") from error

    return refusing


class FrameReader:
    """Reads a frames file by index; the length of the image dataset is the writer's commit mark.

    The file may not be there yet (it then holds no frames), may grow, and may have lost its writer: opened for
    reading beside a single writer, every committed frame of a killed writer can still be read. The writer must be
    another process: inside one process HDF5 also shows what is not committed yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: Any = None
        self._refusal = "it is not there"

    @_refusing_damage
    def num_frames(self) -> int:
        """Return how many frames are committed now; 0 while the file is not there or cannot be opened yet.

        Raises
        ------
        FrameFileError
            If the file can be opened but lacks a dataset, or its datasets are no frames.
        """
        if not self._opened():
            return 0
        images = self._file[frames.IMAGES]
        images.refresh()  # images.id.refresh() would leave h5py's cached shape and never see growth
        return int(readable_frames(images).shape[0])

    @_refusing_damage
    def frame_shape(self) -> tuple[int, int] | None:
        """Return rows and columns of one frame; None while the file is not there."""
        if not self._opened():
            return None
        _, num_rows, num_columns = self._file[frames.IMAGES].shape
        return int(num_rows), int(num_columns)

    @_refusing_damage
    def frames_since(self, index: int, *, max_num: int = 32) -> FrameBatch | None:
        """Return the frames from ``index`` on that are committed, at most ``max_num``; None if there are none yet.

        Of frames so large that some fill the memory fewer are returned, but one.
        """
        num = self.num_frames()
        shape = self.frame_shape()
        if shape is not None:
            max_num = min(max_num, max(1, VALUES_AT_ONCE // max(shape[0] * shape[1], 1)))
        stop = min(num, index + max_num)
        if stop <= index:
            return None
        return FrameBatch(index, np.asarray(self._file[frames.IMAGES][index:stop]), *self.values_beside(index, stop))

    @_refusing_damage
    def values_beside(
        self, index: int, stop: int
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
        """Return times, ids and angles (as in `FrameBatch`) of frames ``index`` to ``stop - 1``, all committed."""
        times, ids, angles = (
            self._beside(path, index, stop) for path in (frames.TIMES, frames.FRAME_IDS, frames.ANGLES)
        )
        return times.astype(np.float64), ids.astype(np.int64), angles.astype(np.float64)

    @_refusing_damage
    def rows(self, index: int, stop: int, first_row: int, stop_row: int) -> NDArray[np.uint16]:
        """Return rows ``first_row`` to ``stop_row - 1`` of frames ``index`` to ``stop - 1`` that are committed."""
        if self.num_frames() < stop:
            raise FrameFileError(
                f"{self.path}: frame {stop - 1} was asked for, the file holds {self.num_frames()} ({self._refusal})."
            )
        images = self._file[frames.IMAGES]
        check_size(f"{self.path}", (stop - index, stop_row - first_row, images.shape[2]), VOLUME)
        return np.asarray(images[index:stop, first_row:stop_row])

    @property
    def refusal(self) -> str:
        """Why the file could not be opened at the last try; empty once it is open."""
        return self._refusal

    def close(self) -> None:
        """Close the file; the next question opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> bool:
        if self._file is not None:
            return True
        if not self.path.exists():
            return False
        if refusal := _cut_short(self.path):
            self._refusal = refusal
            return False
        try:
            self._file = open_beside_writer(self.path, chunk_cache_bytes=NO_CACHE)
        except (OSError, RuntimeError, ValueError) as error:
            self._refusal = str(error)  # being created at this moment, or damaged: the caller's end of waiting decides
            return False
        self._refusal = ""
        self._check()
        return True

    def _check(self) -> None:
        wanted = (frames.IMAGES, frames.TIMES, frames.FRAME_IDS, frames.ANGLES)
        missing = [path for path in wanted if path not in self._file]
        if missing:
            self.close()
            raise FrameFileError(
                f"{self.path}: has no dataset {', '.join(missing)}. Write the frame attributes rotation_angle, "
                "NDArrayTimeStamp and NDArrayUniqueId beside the images."
            )
        shape = self._file[frames.IMAGES].shape
        if len(shape) != 3:
            self.close()
            raise FrameFileError(f"{self.path}: images have shape {shape}, expected (frame, row, column).")

    def _beside(self, path: str, index: int, stop: int) -> NDArray[Any]:
        dataset = readable(self._file[path], LIST)
        dataset.refresh()
        if dataset.shape[0] < stop:
            raise FrameFileError(
                f"{self.path}: {stop} images are committed but {path} has {dataset.shape[0]} values: "
                "the writer must flush the values before the image."
            )
        return np.asarray(dataset[index:stop])


def _cut_short(path: Path) -> str:
    """Say how much a file lacks that its writer had closed; empty if nothing.

    Opened beside a possible writer, HDF5 would try for hours to read beyond the end, hoping that it comes.
    """
    superblock, size = superblock_of(path), path.stat().st_size
    if superblock is None or superblock.end_bytes is None or superblock.is_being_written:
        return ""
    return f"the file was cut short to {size} of {superblock.end_bytes} bytes" if size < superblock.end_bytes else ""
