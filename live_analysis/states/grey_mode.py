"""The most common grey value, and how far chance may have moved it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]

BIN_PER_CM = 0.1
LOWEST_PER_CM, HIGHEST_PER_CM = -20.0, 120.0
SMOOTHING_OF_SPREAD = 0.4  # of the spread of the values about the mode: wider pulls a lopsided peak, narrower is noise
LEAST_SMOOTHING_BINS, FIRST_SMOOTHING_BINS = 2.0, 10.0
LEAST_UNCERTAINTY_PER_CM = 0.1 * BIN_PER_CM
NUM_RESAMPLES, NUM_RUNS, MOST_VALUES = 60, 100, 1_000_000


@dataclass(frozen=True)
class GreyMode:
    """Mode and its standard deviation from chance, and how many voxels it rests on."""

    per_cm: float
    uncertainty_per_cm: float
    num_voxels: int


def grey_mode(values_per_cm: NDArray[np.float32], groups: NDArray[np.int64] | None = None) -> GreyMode:
    """Return the mode of values in 1/cm, NaN left out.

    Parameters
    ----------
    values_per_cm
        Any shape; without any finite one the mode is NaN.
    groups
        Same shape: which values belong together, as those of one particle; chance is told by drawing groups again.
        By default in a hundred runs, of at most a million values evenly chosen.
    """
    if groups is None:
        values_per_cm = values_per_cm.ravel()[:: max(values_per_cm.size // MOST_VALUES, 1)]
    finite = np.isfinite(values_per_cm)
    values = values_per_cm[finite]
    if not values.size:
        return GreyMode(float("nan"), float("nan"), 0)
    runs = np.arange(values.size) * NUM_RUNS // values.size
    members = runs if groups is None else np.unique(groups[finite], return_inverse=True)[1]
    counts = _counts(values, members)
    total = counts.sum(axis=0)
    smoothing = _smoothing_bins(total)
    drawn = np.random.default_rng(0).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), NUM_RESAMPLES)
    modes = np.array([_peak(sample, smoothing) for sample in drawn @ counts])
    spread = 1.4826 * float(np.median(np.abs(modes - np.median(modes))))
    return GreyMode(_peak(total, smoothing), max(spread, LEAST_UNCERTAINTY_PER_CM), int(values.size))


def _counts(values: NDArray[np.float32], members: NDArray[np.intp]) -> Floats:
    """Histogram of each group, shape (group, bin)."""
    num_bins = round((HIGHEST_PER_CM - LOWEST_PER_CM) / BIN_PER_CM)
    bins = np.clip((values - LOWEST_PER_CM) / BIN_PER_CM, 0, num_bins - 1).astype(np.int64)
    num_groups = int(members.max()) + 1
    return np.bincount(members * num_bins + bins, minlength=num_groups * num_bins).reshape(-1, num_bins).astype(float)


def _smoothing_bins(counts: Floats) -> float:
    """Half the width at half height of the peak, as a standard deviation, times what is smoothed of it."""
    rough = ndimage.gaussian_filter1d(counts, FIRST_SMOOTHING_BINS)
    peak = int(rough.argmax())
    high = np.flatnonzero(rough < rough[peak] / 2)
    right = high[high > peak]
    left = high[high < peak]
    reach = min(right[0] - peak if right.size else counts.size, peak - left[-1] if left.size else counts.size)
    spread = np.sqrt(max((reach / 1.1774) ** 2 - FIRST_SMOOTHING_BINS**2, 0.0))  # half width of a Gaussian
    return max(SMOOTHING_OF_SPREAD * float(spread), LEAST_SMOOTHING_BINS)


def _peak(counts: Floats, smoothing_bins: float) -> float:
    smooth = ndimage.gaussian_filter1d(counts, smoothing_bins)
    peak = min(max(int(smooth.argmax()), 1), smooth.size - 2)
    left, top, right = np.log(np.maximum(smooth[peak - 1 : peak + 2], 1e-9))
    bend = left - 2 * top + right
    within = 0.5 * (left - right) / bend if bend < 0 else 0.0
    return float(LOWEST_PER_CM + (peak + 0.5 + within) * BIN_PER_CM)
