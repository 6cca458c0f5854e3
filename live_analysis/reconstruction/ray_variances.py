"""Variances of attenuation integrals, summed up so far as the noise of voxels needs them."""

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled
from live_analysis.reconstruction.integral_variance import IntegralVariances

COARSE_COLUMNS = 64  # at least: variances are smooth


@dataclass(frozen=True)
class RayVariances:
    """Variances of attenuation integrals, unitless.

    Attributes
    ----------
    of_each
        Means over blocks of ``step`` columns of what each projection has for itself, shape (projection, row, block);
        what is left over at the end belongs to the last block. Column ``first`` is the middle of the first block.
    shared
        What projections have in common, shape (source, row, column).
    """

    of_each: NDArray[np.float32]
    step: int
    first: float
    shared: NDArray[np.float32]


def rays_of(variances: IntegralVariances) -> RayVariances:
    """Return variances of single pixels so summed."""
    step = column_step(variances.of_each.shape[2])
    return RayVariances(means_of_columns(variances.of_each, step), step, (step - 1) / 2, variances.shared[None])


def column_step(num_columns: int) -> int:
    """Return how many columns make one block."""
    return max(num_columns // COARSE_COLUMNS, 1)


def means_of_columns(values: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Return means over blocks of the last axis."""
    num = values.shape[-1]
    starts = np.arange(0, num - step + 1, step)
    sums = np.add.reduceat(values, starts, axis=-1, dtype=np.float32)
    return np.asarray(sums / np.diff(starts, append=num), np.float32)


@compiled
def add_variances(
    counts: NDArray[np.float32],
    dark: NDArray[np.float32],
    used: NDArray[np.bool_],
    one_photon: float,
    dark_variance: float,
    step: int,
    of_each: NDArray[np.float32],
    sums: NDArray[np.float64],
) -> None:
    """Sum up variances of integrals of some projections, as `integral_variances` tells them.

    Parameters
    ----------
    counts
        Shape (projection, row, column), in counts.
    dark, used
        Of each pixel: its mean dark, and whether its counts mean anything; shape (row, column).
    one_photon, dark_variance
        See `Counting`; counts of one photon, and counts squared.
    step, of_each
        Means over so many columns, shape (projection, row, block), which are overwritten.
    sums
        Sums over projections of variances and of one over the signal, shape (2, row, column); they grow.
    """
    num, num_rows, num_columns = counts.shape
    num_blocks = of_each.shape[2]
    least, noise = np.float32(one_photon), np.float32(dark_variance)
    for row in prange(num_rows):
        for k in range(num):
            total, num_used, block = np.float32(0), 0, 0
            for column in range(num_columns):
                if used[row, column]:
                    signal = counts[k, row, column] - dark[row, column]
                    inverse = np.float32(1) / (signal if signal > least else least)
                    variance = (least + noise * inverse) * inverse
                    total += variance
                    num_used += 1
                    sums[0, row, column] += variance
                    sums[1, row, column] += inverse
                if ((column + 1) % step == 0 and block < num_blocks - 1) or column == num_columns - 1:
                    # Where no pixel can be used, the neighbours' values stand for them.
                    before = of_each[k, row, block - 1] if block > 0 else np.float32(0)
                    of_each[k, row, block] = total / np.float32(num_used) if num_used > 0 else before
                    total, num_used, block = np.float32(0), 0, block + 1
