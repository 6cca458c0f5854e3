"""Fewer points of a trace for a plot, without losing what stands out."""

import numpy as np
from numpy.typing import NDArray


def peaks_kept(
    time_s: NDArray[np.float64], values: NDArray[np.float64], num_bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Keep first, lowest, highest and last sample of each of ``num_bins`` equal times: what a plot so wide can show.

    Parameters
    ----------
    time_s, values
        Samples in order of time, shape (sample,), without NaN.
    num_bins
        How many columns of pixels the plot has.

    Returns
    -------
    tuple
        Times and values of at most ``4 * num_bins`` samples, in order of time.
    """
    if time_s.size <= 4 * num_bins or time_s[-1] <= time_s[0]:
        return time_s, values
    part = np.minimum(((time_s - time_s[0]) / (time_s[-1] - time_s[0]) * num_bins).astype(np.int64), num_bins - 1)
    part = np.maximum.accumulate(part)  # a clock that was set back makes no bin twice
    first = np.flatnonzero(np.diff(part, prepend=-1))
    last = np.append(first[1:], time_s.size) - 1
    by_value = np.lexsort((values, part))  # within each bin from the lowest to the highest
    kept = np.unique(np.concatenate([first, last, by_value[first], by_value[last]]))
    return time_s[kept], values[kept]
