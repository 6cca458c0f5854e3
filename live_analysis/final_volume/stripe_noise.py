"""What taking stripes off leaves of the noise that all projections share."""

import numpy as np
from numpy.typing import NDArray

from live_analysis.corrections.column_offsets import NOTHING_BELOW, REACH_COLUMNS, WHOLE_ABOVE

SMOOTH_PART = 0.04  # of white noise, as the ramp weighs it: the parabola through neighbours follows it and keeps it
LEAST_RATIO, LARGEST_RATIO, NUM_RATIOS, NUM_PLACES = 0.01, 1e3, 128, 1001

Floats = NDArray[np.float32]
Array = NDArray[np.float64]
CYCLES: Array = (np.arange(256) + 0.5) / 512  # per column


def difference_response(cycles: Array) -> Array:
    """Return what of some cycles per column is seen in the difference to the parabola through a column's neighbours."""
    apart = np.arange(-REACH_COLUMNS, REACH_COLUMNS + 1.0)
    x = apart / (REACH_COLUMNS + 1)
    weights, powers = (1 - np.abs(x) ** 3) ** 3, np.stack([np.ones_like(x), x, x**2])
    shares = np.linalg.solve((powers * weights) @ powers.T, powers * weights)[0]
    return np.asarray(1 - np.cos(2 * np.pi * cycles[:, None] * apart) @ shares)


def left_of_shared(shared: Floats, own: Floats, errors: Floats, of_differences: Floats | None = None) -> Floats:
    """Return the variance that counts as shared after stripes are taken off.

    What a pixel is off by in the mean of all projections has the variance ``shared`` and, from the noise that every
    projection has for itself, ``own``. Beside its standard error `column_offsets` takes nothing off below 1.5, all
    above 3, and twice what is above 1.5 between. So the variance that is left is smaller by a factor that depends on
    the ratio of spread to error alone: the mean of a function of a normal variable. With what is off, noise of the
    projections' own goes too where it happens to be large; what counts as shared may then be less than nothing.

    Parameters
    ----------
    shared, own
        Variances of a pixel's mean over all projections, shape (row, column), unitless.
    errors
        Standard errors from `remove_stripes`, same shape.
    of_differences
        What smoothing has left of the variance of a column's difference to its neighbours, shape (row, 1); None
        without any.
    """
    total = shared + own
    different = np.float32((difference_response(CYCLES) ** 2).mean())
    ratio = np.sqrt(different * total * (1 if of_differences is None else of_differences)) / errors
    ratios = np.geomspace(LEAST_RATIO, LARGEST_RATIO, NUM_RATIOS)
    left = np.interp(ratio, ratios, [_left(float(known)) for known in ratios])
    return np.asarray(total * (SMOOTH_PART + (1 - SMOOTH_PART) * left) - own, np.float32)


def _left(ratio: float) -> float:
    """Return which part is left of the variance of a mean whose spread is so many of its standard errors."""
    # What is above the last of these places is taken off whole.
    seen = np.linspace(0, WHOLE_ABOVE, NUM_PLACES)
    taken = np.clip((seen - NOTHING_BELOW) / (WHOLE_ABOVE - NOTHING_BELOW), 0, 1) * WHOLE_ABOVE
    density = 2 * np.exp(-0.5 * (seen / ratio) ** 2) / (np.sqrt(2 * np.pi) * ratio)
    return float(np.trapezoid((seen - taken) ** 2 * density, seen)) / ratio**2
