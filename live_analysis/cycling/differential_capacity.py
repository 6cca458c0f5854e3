"""Charge per voltage of a half cycle: plateaus are its peaks, the voltage step between them its lowest place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks, peak_widths

NUM_BINS = 200  # of the specific capacity
HALF_WINDOW = 4  # bins on each side over which a slope is fitted
GAP_BINS = 2.0  # between samples: more is a gap of the log
ENDS = 0.05  # of the capacity at either end: the ends of a half cycle are steep for other reasons
MIN_SAMPLES = 60
PROMINENT = 0.15  # of the steepness between the flattest and the steepest place, and
STEEPER = 0.5  # of the median steepness: what stands out less is no step between plateaus
MIN_CURRENT_SHARE = 0.5  # of the median current: while a voltage is held its slope says nothing


@dataclass(frozen=True)
class DifferentialCapacity:
    """``slope_v_g_per_mah`` is dV/dq; charge is in mAh/g from the beginning of the half cycle; shape (bin,)."""

    capacity_mah_per_g: NDArray[np.float64]
    voltage_v: NDArray[np.float64]
    slope_v_g_per_mah: NDArray[np.float64]

    @property
    def mah_per_g_v(self) -> NDArray[np.float64]:
        """dq/dV, in mAh/(g V); infinite on a flat plateau."""
        with np.errstate(divide="ignore"):
            return np.asarray(1.0 / self.slope_v_g_per_mah)


@dataclass(frozen=True)
class VoltageStep:
    """The steepest place between two plateaus: where (mAh/g), at which voltage, and half its width at half height.

    Beside a gap of the log it may lie anywhere in it: the half width is then not less than the gap.
    """

    capacity_mah_per_g: float
    half_width_mah_per_g: float
    voltage_v: float


def differential_capacity(
    capacity_mah_per_g: NDArray[np.float64], voltage_v: NDArray[np.float64], current_a: NDArray[np.float64]
) -> DifferentialCapacity | None:
    """Fit the slope of the voltage over equal steps of charge; samples under less than half the current are left out.

    Equal steps of charge, not of voltage, hold as many samples each, and a plateau needs no division by nothing.

    Parameters
    ----------
    capacity_mah_per_g, voltage_v, current_a
        Samples of one half cycle, shape (sample,); the capacity counts from its beginning and is positive.

    Returns
    -------
    DifferentialCapacity or None
        None if there are fewer than 60 samples under current.
    """
    under = (
        np.abs(current_a) > MIN_CURRENT_SHARE * np.median(np.abs(current_a)) if len(current_a) else np.zeros(0, bool)
    )
    q, v = capacity_mah_per_g[under], voltage_v[under]
    if len(q) < MIN_SAMPLES or np.ptp(q) == 0:
        return None
    part = np.minimum((q / q.max() * NUM_BINS).astype(int), NUM_BINS - 1)
    num = np.bincount(part, minlength=NUM_BINS)
    held = num > 0
    q_mean = np.bincount(part, q, NUM_BINS)[held] / num[held]
    v_mean = np.bincount(part, v, NUM_BINS)[held] / num[held]
    slopes = np.empty_like(q_mean)
    for k in range(len(q_mean)):
        window = slice(max(k - HALF_WINDOW, 0), k + HALF_WINDOW + 1)
        dq = q_mean[window] - q_mean[window].mean()
        slopes[k] = dq @ v_mean[window] / (dq @ dq) if len(dq) > 1 else np.nan
    return DifferentialCapacity(q_mean, v_mean, slopes)


def voltage_step(curve: DifferentialCapacity) -> VoltageStep | None:
    """Return the most prominent maximum of |dV/dq| that has a flatter place on both sides, None if there is none."""
    q, steep = curve.capacity_mah_per_g, np.abs(curve.slope_v_g_per_mah)
    inner = np.flatnonzero((q > ENDS * q[-1]) & (q < (1 - ENDS) * q[-1]))
    if inner.size < 2 * HALF_WINDOW + 1:
        return None
    prominent = max(PROMINENT * np.ptp(steep[inner]), STEEPER * np.median(steep[inner]))
    found, about = find_peaks(steep[inner], prominence=prominent)
    if found.size == 0:
        return None
    best = int(np.argmax(about["prominences"]))
    widths = peak_widths(steep[inner], found[best : best + 1], rel_height=0.5)[0]
    at = inner[found[best]]
    per_bin = float(np.median(np.diff(q)))
    farthest = float(np.diff(q[max(at - HALF_WINDOW, 0) : at + HALF_WINDOW + 1]).max())
    half_width = max(float(widths[0]) * per_bin / 2, farthest if farthest > GAP_BINS * per_bin else 0.0)
    return VoltageStep(float(q[at]), half_width, float(curve.voltage_v[at]))
