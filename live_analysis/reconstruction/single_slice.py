"""One slice across the rotation axis, of one row: sixteen would cost as much as a whole region."""

import math

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.horizontal_plane import QUARTERS, ROWS_AT_ONCE, add_rows, read_row
from live_analysis.reconstruction.lattice import Lattice
from live_analysis.reconstruction.ramp_filter import MARGIN_COLUMNS
from live_analysis.reconstruction.smoothed_spline import smoothed_spline

NEAREST_IN_STEPS = 1 / 8  # linear interpolations that smooth as much as taking the nearest quarter column does
FRAMES_AT_ONCE = 16


def row_reading(axis_column: float, linear_steps: float) -> tuple[int, NDArray[np.float32]]:
    """Return the quarter column at whose left end the axis lies, and the taps by which quarter columns are read."""
    # The rotation axis lies between two samples, which are then as far from it on both sides.
    axis_sample = math.ceil(QUARTERS * (axis_column + MARGIN_COLUMNS))
    shift = axis_sample - QUARTERS * (axis_column + MARGIN_COLUMNS)
    middles = (np.arange(QUARTERS) + 0.5 - shift) / QUARTERS
    return axis_sample, smoothed_spline(middles, linear_steps - NEAREST_IN_STEPS)


def single_slice(
    filtered: NDArray[np.float32],
    lane: int,
    num_columns: int,
    axis_column: float,
    weights_rad: NDArray[np.float64],
    angles_rad: NDArray[np.float64],
    linear_steps: float,
) -> NDArray[np.float32]:
    """Sum all projections of one row.

    Parameters
    ----------
    filtered
        Chunk of sixteen rows, shape (frame, column with margins, 16), see `RampFilter`.
    lane
        Row in the chunk.
    num_columns, axis_column
        Of the projections.
    weights_rad, angles_rad
        Of each frame.
    linear_steps
        Linear interpolations on half columns by which the slice is smoothed.

    Returns
    -------
    NDArray[np.float32]
        Shape (y, x) = (num_columns, num_columns), 1/cm, NaN where not every direction sees the point.
    """
    axis_sample, taps = row_reading(axis_column, linear_steps)
    plane = np.zeros((num_columns, num_columns), np.float32)
    first_x, stop_x = Lattice.square(num_columns).within(min(axis_column, num_columns - 1 - axis_column))
    samples = np.zeros((FRAMES_AT_ONCE, QUARTERS * filtered.shape[1]), np.float32)
    for begin in range(0, len(angles_rad), FRAMES_AT_ONCE):
        part = slice(begin, min(begin + FRAMES_AT_ONCE, len(angles_rad)))
        num = part.stop - part.start
        padding = -num % ROWS_AT_ONCE
        scales = weights_rad[part].astype(np.float32)
        read_row(samples, filtered, np.arange(part.start, part.stop), scales, lane, taps)
        samples[num : num + padding] = 0
        steps_x, steps_y = (np.pad(step(angles_rad[part]), (0, padding)) for step in (np.cos, np.sin))
        add_rows(plane, first_x, stop_x, samples[: num + padding], steps_x, steps_y, axis_sample)
    x = np.arange(num_columns)
    seen = (x >= first_x[:, None]) & (x < stop_x[:, None])
    return np.where(seen, plane, np.float32(np.nan))
