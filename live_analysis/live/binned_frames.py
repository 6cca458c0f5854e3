"""Neighbouring pixels counted together, as a detector with larger pixels would have counted them."""

from typing import Any

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled

MOST_COLUMNS = 512  # of a live volume: more, and two cores do not keep up with a camera


def bin_factor(num_columns: int) -> int:
    """Return how many columns, and rows, become one so that at most `MOST_COLUMNS` are left."""
    return -(-num_columns // MOST_COLUMNS)


def binned_transmission(
    counts: NDArray[Any],
    dark: NDArray[np.float32],
    beam: NDArray[np.float32],
    usable: NDArray[np.bool_],
    saturation: int,
    factor: int,
) -> NDArray[np.float32]:
    """Divide the beam out of blocks of pixels: the sum of counts less dark over the sum of flat less dark.

    Rows and columns that fill no whole block are left out at the bottom and on the right.

    Parameters
    ----------
    counts
        Projections, shape (frame, row, column).
    dark
        Mean dark, shape (row, column), in counts.
    beam
        Flat less dark, shape (frame or 1, row, column), in counts.
    usable
        Pixels that count, shape (row, column); of the others neither counts nor flat are summed.
    saturation
        A pixel with as many counts makes its block NaN.
    factor
        Pixels a side of a block.

    Returns
    -------
    NDArray[np.float32]
        Transmission, shape (frame, row // factor, column // factor); NaN where no pixel of the block is usable.
    """
    num_frames, num_rows, num_columns = counts.shape
    result = np.empty((num_frames, num_rows // factor, num_columns // factor), np.float32)
    _bin(np.ascontiguousarray(counts), dark, np.ascontiguousarray(beam), usable, saturation, factor, result)
    return result


@compiled
def _bin(
    counts: NDArray[Any],
    dark: NDArray[np.float32],
    beam: NDArray[np.float32],
    usable: NDArray[np.bool_],
    saturation: int,
    factor: int,
    result: NDArray[np.float32],
) -> None:
    num_frames, num_rows, num_columns = result.shape
    for task in prange(num_frames * num_rows):
        frame, row = task // num_rows, task % num_rows
        light = beam[frame if len(beam) > 1 else 0]
        for column in range(num_columns):
            counted, flat = np.float32(0), np.float32(0)
            saturated = False
            for i in range(row * factor, (row + 1) * factor):
                for j in range(column * factor, (column + 1) * factor):
                    if usable[i, j] and light[i, j] > 0:
                        counted += np.float32(counts[frame, i, j]) - dark[i, j]
                        flat += light[i, j]
                        saturated = saturated or counts[frame, i, j] >= saturation
            result[frame, row, column] = np.nan if saturated or flat <= 0 else counted / flat
