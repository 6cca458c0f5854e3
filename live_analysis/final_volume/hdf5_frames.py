"""Frames of one dataset of an HDF5 file, read by rows."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from live_analysis.final_volume.raw_scan import VolumeError
from operando.model.declared_size import VOLUME, check_size

FRAMES_AT_ONCE = 64


@dataclass(frozen=True)
class Hdf5Frames:
    """Frames ``indices`` of a dataset with the axes (frame, row, column), or (row, column) for a single one."""

    path: Path
    dataset: str
    indices: tuple[int, ...]
    frame_shape: tuple[int, int]
    dtype: np.dtype[Any]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, rows, columns."""
        return len(self.indices), *self.frame_shape

    @property
    def whole_frames(self) -> bool:
        """Whether chunks are compressed, so that any row costs its whole chunk."""
        with self._opened() as file:
            return file[self.dataset].compression is not None

    def rows(self, begin: int, stop: int, first_row: int, stop_row: int) -> NDArray[Any]:
        """Return rows of some frames, shape (frame, row, column)."""
        rows = slice(first_row, stop_row)
        shape = stop - begin, stop_row - first_row, self.frame_shape[1]
        try:
            check_size(self.dataset, shape, VOLUME)
            found = np.empty(shape, self.dtype)
            with self._opened() as file:
                frames = file[self.dataset]
                if frames.ndim == 2:
                    found[:] = frames[rows]
                    return found
                place = 0
                for block in _blocks(self.indices[begin:stop]):
                    found[place : place + len(block)] = frames[block.start : block.stop, rows]
                    place += len(block)
        except (OSError, RuntimeError, KeyError, ValueError) as error:  # h5py raises them all for broken files
            raise VolumeError(
                f"{self.path}: rows {first_row} to {stop_row - 1} of {self.dataset} cannot be read ({error}). "
                "Copy the file again from where it was recorded."
            ) from error
        return found

    def _opened(self) -> Any:
        # Without a chunk cache HDF5 takes the rows that are asked for from uncompressed frames, and no more.
        return h5py.File(self.path, "r", rdcc_nbytes=0)


def _blocks(indices: tuple[int, ...]) -> list[range]:
    """Cut indices into ranges of neighbours that are read at once."""
    breaks = [0, *(np.flatnonzero(np.diff(indices) != 1) + 1).tolist(), len(indices)]
    return [
        range(indices[first], indices[min(first + FRAMES_AT_ONCE, last) - 1] + 1)
        for begin, last in itertools.pairwise(breaks)
        for first in range(begin, last, FRAMES_AT_ONCE)
    ]
