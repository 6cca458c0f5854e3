"""Frames reduced to blocks of pixels: enough to see the beam change, small enough to keep one of every projection."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_BLOCKS = 64  # a side
NEARLY = 1 - 1e-4  # the mean of a block is rounded
MOST_STOPPED = 0.25  # of the blocks; fewer are repaired from their neighbours

Blocks = tuple[NDArray[np.intp], NDArray[np.intp]]


def blocks_of(frame_shape: tuple[int, int]) -> Blocks:
    """Return the first row of every row of blocks and the first column of every column of blocks."""
    firsts = [np.arange(0, num, -(-num // MAX_BLOCKS)) for num in frame_shape]
    return firsts[0], firsts[1]


def overview(frames: NDArray[Any]) -> NDArray[np.float32]:
    """Average blocks of pixels: frames of shape (frame, row, column) to (frame, row of blocks, column of blocks).

    Blocks at the right and at the bottom may be smaller than the others.
    """
    rows, columns = blocks_of(frames.shape[1:])
    sums = np.add.reduceat(np.add.reduceat(frames, rows, axis=1, dtype=np.float32), columns, axis=2)
    heights, widths = (
        np.diff(np.append(firsts, num)) for firsts, num in zip((rows, columns), frames.shape[1:], strict=True)
    )
    return np.asarray(sums / (heights[:, None] * widths).astype(np.float32), np.float32)


def has_stopped(overviews: NDArray[np.float32], max_counts: float) -> NDArray[np.bool_]:
    """Whether the camera has stopped counting in many blocks, for each frame: shape (frame,)."""
    return np.asarray((overviews > NEARLY * max_counts).mean(axis=(1, 2)) > MOST_STOPPED)
