"""How long a voltage takes to a target if it goes on as it does now."""

from dataclasses import dataclass
from enum import StrEnum
from math import nan

import numpy as np
from numpy.typing import NDArray

MIN_SAMPLES = 8
MIN_WINDOW_S = 60.0
MIN_SIGNIFICANCE = 10.0  # slope over its standard uncertainty: known to a tenth
BENT = 1.2  # ratio of the slopes now and before from which a curve counts as bent


class Bend(StrEnum):
    """What a curve that is not straight means for the time that is told."""

    STRAIGHT = ""
    STEEPER = "or sooner"
    FLATTER = "or later"


@dataclass(frozen=True)
class Forecast:
    """The time in s from the last sample until the target is reached, NaN where no estimate makes sense."""

    after_s: float = nan
    bend: Bend = Bend.STRAIGHT


def forecast(times_s: NDArray[np.floating], voltages_v: NDArray[np.floating], target_v: float) -> Forecast:
    """Foresee when a voltage reaches ``target_v``, by a straight line through the newest samples.

    As few of them as tell the slope to a tenth, since a cell's voltage bends. No estimate makes sense with few samples,
    a flat voltage, one that goes the other way, and a target further ahead than the samples reach back.

    Parameters
    ----------
    times_s, voltages_v
        Samples under one current, shape (num,), in order of time; NaN for a missing voltage.
    """
    known = np.isfinite(voltages_v)
    ages_s = (times_s[known] - times_s[-1:]).astype(float)
    volts = voltages_v[known].astype(float)
    num = MIN_SAMPLES
    while num <= len(ages_s):
        slope, uncertainty, last_v = _line(ages_s[-num:], volts[-num:])
        if -ages_s[-num] >= MIN_WINDOW_S and abs(slope) > MIN_SIGNIFICANCE * uncertainty:
            ahead_s = (target_v - last_v) / slope
            if not 0 < ahead_s <= -ages_s[0]:
                return Forecast()
            return Forecast(ahead_s, _bend(slope, ages_s[-2 * num : -num], volts[-2 * num : -num]))
        num *= 2
    return Forecast()


def _bend(slope: float, ages_s: NDArray[np.floating], volts: NDArray[np.floating]) -> Bend:
    """Return how a slope differs from that of the samples before it."""
    if len(ages_s) < MIN_SAMPLES:
        return Bend.STRAIGHT
    before, uncertainty, _ = _line(ages_s, volts)
    if abs(slope) > BENT * (abs(before) + uncertainty) or slope * before < 0:
        return Bend.STEEPER
    return Bend.FLATTER if BENT * abs(slope) < abs(before) - uncertainty else Bend.STRAIGHT


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
