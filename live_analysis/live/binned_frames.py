"""Counts of neighbouring pixels added up, as a detector with larger pixels would have counted them."""

import numpy as np
from numpy.typing import NDArray

MOST_COLUMNS = 512  # of a live volume: more, and two cores do not keep up with a camera


def bin_factor(num_columns: int) -> int:
    """Return how many columns, and rows, become one so that at most `MOST_COLUMNS` are left."""
    return -(-num_columns // MOST_COLUMNS)


def binned(frames: NDArray[np.generic], factor: int) -> NDArray[np.float32]:
    """Average blocks of ``factor`` x ``factor`` pixels of frames of shape (..., row, column).

    Rows and columns that fill no whole block are left out at the bottom and on the right.
    """
    num_rows, num_columns = (size // factor for size in frames.shape[-2:])
    used = frames[..., : num_rows * factor, : num_columns * factor]
    blocks = used.reshape(*frames.shape[:-2], num_rows, factor, num_columns, factor)
    return np.asarray(blocks.mean(axis=(-3, -1), dtype=np.float32), np.float32)
