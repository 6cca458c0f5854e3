"""Medians and other quantiles over bins of angle, for all pixels of a row at once."""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled, compiled_serial

Floats = NDArray[np.float32]


def in_order(bins: Floats) -> Floats:
    """Return values of shape (row, bin, column), without NaN, in ascending order along the bins."""
    ordered = np.array(bins, np.float32, order="C")
    _sort_rows(ordered)
    return ordered


def quantile(ordered: Floats, part: float) -> Floats:
    """Return a quantile of what `in_order` gave, interpolated linearly as numpy does: shape (row, column)."""
    place = part * (ordered.shape[1] - 1)
    below = int(place)
    above = min(below + 1, ordered.shape[1] - 1)
    share = np.float32(place - below)
    return np.asarray((1 - share) * ordered[:, below] + share * ordered[:, above])


def median(bins: Floats) -> Floats:
    """Return the median over the bins: shape (row, column)."""
    return quantile(in_order(bins), 0.5)


def running_median_of_five(bins: Floats) -> Floats:
    """Return the median of each bin and two on either side; beyond the ends the last bin is repeated."""
    padded = np.concatenate([bins[:, :1], bins[:, :1], bins, bins[:, -1:], bins[:, -1:]], axis=1)
    a, b, c, d, e = (padded[:, first : first + bins.shape[1]] for first in range(5))
    low = np.maximum(np.minimum(a, b), np.minimum(d, e))
    high = np.minimum(np.maximum(a, b), np.maximum(d, e))
    return np.asarray(np.maximum(np.minimum(low, high), np.minimum(np.maximum(low, high), c)))


@compiled
def _sort_rows(bins: Floats) -> None:
    for row in prange(len(bins)):
        sort_bins(bins[row])


@compiled_serial
def sort_bins(bins: Floats) -> None:
    """Put values of shape (bin, column) in ascending order along the bins, in place.

    Neighbours that are the wrong way round are exchanged, every other pair in turn: the same for all columns.
    """
    num_bins, num_columns = bins.shape
    for turn in range(num_bins):
        for k in range(turn % 2, num_bins - 1, 2):
            for column in range(num_columns):
                below, above = bins[k, column], bins[k + 1, column]
                bins[k, column] = min(below, above)
                bins[k + 1, column] = max(below, above)


@compiled_serial
def ordering_median(values: Floats) -> Floats:
    """Return the median over the bins of values of shape (bin, column), which are put in order in place."""
    sort_bins(values)
    num_bins = len(values)
    middle: Floats = (values[(num_bins - 1) // 2] + values[num_bins // 2]) / np.float32(2)
    return middle
