"""dQ/dV of a half cycle: how much charge passed while the voltage went from one level to the next."""

import numpy as np
from numpy.typing import NDArray

BIN_V = 0.005
MIN_CURRENT_SHARE = 0.5  # of the median current: while a voltage is held, charge passes without a step of voltage
MOST_SAMPLES = 50_000  # longer half cycles are averaged in groups

Values = NDArray[np.float64]


def differential_capacity(
    voltage_v: Values, charge_mah: Values, current_a: Values, *, bin_v: float = BIN_V
) -> tuple[Values, Values]:
    """Count the charge between equal levels of voltage.

    Noise makes the voltage pass a level several times. The charge there is the mean of that at the first and at the
    last passage, so that it grows from level to level and lies neither early nor late.

    Parameters
    ----------
    voltage_v, charge_mah, current_a
        Samples of one half cycle in order, shape (sample,); NaN where one is missing. Samples under less than half of
        the usual current are left out, and the charge that passed at them.
    bin_v
        Distance of levels, which are multiples of it.

    Returns
    -------
    voltages_v, slopes_mah_v
        Middles between levels, in V, and dQ/dV there, in mAh/V: positive on charge, negative on discharge. Empty if the
        voltage passes fewer than two levels.
    """
    finite = np.isfinite(voltage_v) & np.isfinite(charge_mah) & np.isfinite(current_a)
    voltage, charge, current = (values[finite].astype(np.float64) for values in (voltage_v, charge_mah, current_a))
    if len(voltage) == 0:
        return np.empty(0), np.empty(0)
    under = np.abs(current) > MIN_CURRENT_SHARE * np.median(np.abs(current))
    steps = np.where(under[1:] & under[:-1], np.abs(np.diff(charge)), 0.0)
    passed = np.append(0.0, np.cumsum(steps))[under]
    voltage = voltage[under]
    if len(voltage) == 0:
        return np.empty(0), np.empty(0)
    rises = 1.0 if charge[-1] > charge[0] else -1.0
    climbed, passed = _averaged(rises * voltage, passed)
    levels = bin_v * np.arange(np.ceil(climbed.min() / bin_v), np.floor(climbed.max() / bin_v) + 1)
    if len(levels) < 2:
        return np.empty(0), np.empty(0)
    first = np.maximum.accumulate(climbed)
    last = np.minimum.accumulate(climbed[::-1])[::-1]
    at_levels = (_charge_at(levels, first, passed) + _charge_at(levels, last, passed)) / 2
    middles = rises * (levels[1:] + levels[:-1]) / 2
    order = slice(None) if rises > 0 else slice(None, None, -1)
    return middles[order], (rises * np.diff(at_levels) / bin_v)[order]


def _charge_at(levels: Values, rising: Values, passed: Values) -> Values:
    """Interpolate the charge at levels of a voltage that never falls; on a flat stretch its middle counts."""
    voltages, starts, counts = np.unique(rising, return_index=True, return_counts=True)
    middles = (passed[starts] + passed[starts + counts - 1]) / 2
    return np.asarray(np.interp(levels, voltages, middles))


def _averaged(climbed: Values, passed: Values) -> tuple[Values, Values]:
    size = -(-len(climbed) // MOST_SAMPLES)
    starts = np.arange(0, len(climbed), size)
    counts = np.diff(np.append(starts, len(climbed)))
    return np.add.reduceat(climbed, starts) / counts, np.add.reduceat(passed, starts) / counts
