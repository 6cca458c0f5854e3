"""Coarser levels of a slab: each voxel the mean of the eight below it that were seen."""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled


def halved(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the next coarser level of shape (z, y, x), rounded up; NaN where nothing was seen.

    A slab whose first row is even in its level halves as the whole volume would.
    """
    num_z, num_y, num_x = ((num + 1) // 2 for num in values.shape)
    coarse = np.empty((num_z, num_y, num_x), np.float32)
    _halve(values, coarse)
    return coarse


def pyramid(values: NDArray[np.float32], num_levels: int) -> list[NDArray[np.float32]]:
    """Return a slab at every level, the finest first."""
    levels = [values]
    while len(levels) < num_levels:
        levels.append(halved(levels[-1]))
    return levels


@compiled
def _halve(fine: NDArray[np.float32], coarse: NDArray[np.float32]) -> None:
    num_z, num_y, num_x = coarse.shape
    for y in prange(num_y):
        for z in range(num_z):
            for x in range(num_x):
                total, num = np.float32(0), 0
                for i in range(2 * z, min(2 * z + 2, fine.shape[0])):
                    for j in range(2 * y, min(2 * y + 2, fine.shape[1])):
                        for k in range(2 * x, min(2 * x + 2, fine.shape[2])):
                            value = fine[i, j, k]
                            if not np.isnan(value):
                                total += value
                                num += 1
                coarse[z, y, x] = total / np.float32(num) if num > 0 else np.float32(np.nan)
