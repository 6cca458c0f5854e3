"""Weights that read a filtered projection between its columns, as smooth as a volume shows it.

`RampFilter` gives coefficients of a cubic spline and makes up in advance for some linear interpolations. Who reads them
with fewer of these has to do the smoothing that is then missing.
"""

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.ramp_filter import MARGIN_COLUMNS

NUM_TAPS = 4
HIGHEST_CYCLES = 12.0  # per column: the spectrum of the smoothed spline has fallen to 1e-7 there
FREQUENCIES_PER_CYCLE = 400


def read_columns(coefficients: NDArray[np.float32], places: NDArray[np.float64]) -> NDArray[np.float32]:
    """Read filtered projections at the same places behind each column, without smoothing.

    Parameters
    ----------
    coefficients
        Shape (..., column with margins, 16).
    places
        From 0 (the column itself) to 1 (the next one), shape (place,).

    Returns
    -------
    NDArray[np.float32]
        Shape (..., column, place, 16), without margins.
    """
    taps, num = smoothed_spline(places, 0.0), coefficients.shape[-2] - 2 * MARGIN_COLUMNS
    first = MARGIN_COLUMNS - 1
    neighbours = (coefficients[..., first + tap : first + tap + num, None, :] for tap in range(NUM_TAPS))
    return np.asarray(sum(tap[:, None] * values for tap, values in zip(taps.T, neighbours, strict=True)), np.float32)


def smoothed_spline(places: NDArray[np.float64], missing_steps: float) -> NDArray[np.float32]:
    """Return the weights of the four coefficients around each place.

    Parameters
    ----------
    places
        Places between two columns, 0 (at the left one) to 1, shape (place,).
    missing_steps
        How many linear interpolations on a grid of half a column the filter has made up for and do not follow.

    Returns
    -------
    NDArray[np.float32]
        Weights of the coefficients 1 to the left of the left column up to 2 to its right, shape (place, 4), of sum 1.
        What lies beyond these four is less than 2 % for 2.5 steps, and goes to them in proportion.
    """
    cycles = np.linspace(0.0, HIGHEST_CYCLES, round(HIGHEST_CYCLES * FREQUENCIES_PER_CYCLE) + 1)
    spectrum = np.sinc(cycles) ** NUM_TAPS * np.abs(np.sinc(cycles / 2)) ** (2 * missing_steps)
    away = np.arange(-1, NUM_TAPS - 1) - np.asarray(places, np.float64)[:, None]
    weights = np.trapezoid(spectrum * np.cos(2 * np.pi * away[..., None] * cycles), cycles, axis=-1)
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True), np.float32)
