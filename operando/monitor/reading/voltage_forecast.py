"""How long a voltage takes to a target if it goes on as it does now."""

from math import nan

import numpy as np
from numpy.typing import NDArray

MIN_SAMPLES = 8
WINDOW_SHARE = 0.1  # of the time for which the current has flowed: the newest slope, behind the bends before it
MIN_WINDOW_S = 60.0
MIN_SIGNIFICANCE = 5.0  # slope over its standard uncertainty; a flat voltage has no estimate
MAX_SAMPLES = 20_000  # more are thinned out


def time_until(times_s: NDArray[np.floating], voltages_v: NDArray[np.floating], target_v: float) -> float:
    """Return the time in s from the last sample until ``target_v``, by a straight line through the newest samples.

    NaN where no estimate makes sense: few samples, a flat voltage, one that goes the other way, and a target further
    ahead than the samples reach back: a cell's voltage bends sooner than that.

    Parameters
    ----------
    times_s, voltages_v
        Samples under one current, shape (num,), in order of time; NaN for a missing voltage.
    """
    stride = len(times_s) // MAX_SAMPLES + 1
    known = np.isfinite(voltages_v[::stride])
    ages_s = (times_s[::stride][known] - times_s[-1:]).astype(float)
    voltages_v = voltages_v[::stride][known].astype(float)
    if len(ages_s) < MIN_SAMPLES:
        return nan
    reach_s = -ages_s[0]
    window_s = max(WINDOW_SHARE * reach_s, MIN_WINDOW_S, -ages_s[-MIN_SAMPLES])
    newest = ages_s >= -window_s
    slope, slope_uncertainty, last_v = _line(ages_s[newest], voltages_v[newest])
    if not abs(slope) > MIN_SIGNIFICANCE * slope_uncertainty:
        return nan
    ahead_s = (target_v - last_v) / slope
    return float(ahead_s) if 0 < ahead_s <= reach_s else nan


def _line(x: NDArray[np.floating], y: NDArray[np.floating]) -> tuple[float, float, float]:
    """Return slope, its standard uncertainty, and the value at x = 0 of the straight line through points."""
    spread = x - x.mean()
    sum_of_squares = float(spread @ spread)
    if not sum_of_squares > 0:
        return 0.0, nan, float(y.mean())
    slope = float(spread @ y) / sum_of_squares
    left = y - y.mean() - slope * spread
    uncertainty = float(np.sqrt(left @ left / (len(x) - 2) / sum_of_squares))
    return slope, uncertainty, float(y.mean() - slope * x.mean())
