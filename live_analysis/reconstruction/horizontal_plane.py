"""Loops that add single rows of filtered projections to a plane across the rotation axis."""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled, compiled_serial

QUARTERS = 4  # samples in a column, of which a point takes the nearest
ROWS_AT_ONCE = 4  # fewer are filled up with rows of zeros
FRACTION_BITS = np.int64(20)

Filtered = NDArray[np.float32] | NDArray[np.int16]


@compiled_serial
def read_row(
    samples: NDArray[np.float32],
    frames: Filtered,
    places: NDArray[np.int64],
    scales: NDArray[np.float32],
    lane: int,
    taps: NDArray[np.float32],
) -> None:
    """Read one row of some frames at quarter columns.

    Parameters
    ----------
    samples
        Shape (row, 4 per column with margins), overwritten but for the margins.
    frames, places, scales
        Chunk of spline coefficients, shape (place, column with margins, 16); which of them, and by what to multiply
        them.
    lane
        Row in the chunk.
    taps
        `smoothed_spline` at the middles of the four samples that begin with each column: shape (4, 4).
    """
    for k in range(len(places)):
        frame, scale = frames[places[k]], scales[k]
        for left in range(1, len(frame) - 2):
            a, b = np.float32(frame[left - 1, lane]), np.float32(frame[left, lane])
            c, d = np.float32(frame[left + 1, lane]), np.float32(frame[left + 2, lane])
            for quarter in range(QUARTERS):
                w = taps[quarter]
                samples[k, QUARTERS * left + quarter] = scale * (w[0] * a + w[1] * b + w[2] * c + w[3] * d)


@compiled_serial
def add_to_row_pair(
    plane: NDArray[np.float32],
    iy: int,
    first_x: int,
    stop_x: int,
    samples: NDArray[np.float32],
    steps_x: NDArray[np.float64],
    steps_y: NDArray[np.float64],
    axis_sample: int,
) -> None:
    """Add to row ``iy`` and, read as far on the other side of the rotation axis, to the row opposite."""
    num_y, num_x = plane.shape
    middle_x, middle_y, one = (num_x - 1) / 2, (num_y - 1) / 2, QUARTERS * float(1 << FRACTION_BITS)
    row, num = plane[iy, first_x:stop_x], stop_x - first_x
    opposite = np.zeros(num, np.float32)
    if iy != num_y - 1 - iy:
        opposite = plane[num_y - 1 - iy, num_x - stop_x : num_x - first_x]
    mirrored = np.int64(2 * axis_sample - 1)
    for k in range(0, len(samples), ROWS_AT_ONCE):
        a, b, c, d = samples[k], samples[k + 1], samples[k + 2], samples[k + 3]
        # Places as whole numbers of 2**-20 of a quarter column: after 1e4 steps they are off by 0.01 of it.
        starts = (iy - middle_y) * steps_y[k : k + ROWS_AT_ONCE] + (first_x - middle_x) * steps_x[k : k + ROWS_AT_ONCE]
        starts = starts * one + axis_sample * float(1 << FRACTION_BITS)
        at_a, at_b, at_c, at_d = np.int64(starts[0]), np.int64(starts[1]), np.int64(starts[2]), np.int64(starts[3])
        on_a, on_b = np.int64(steps_x[k] * one), np.int64(steps_x[k + 1] * one)
        on_c, on_d = np.int64(steps_x[k + 2] * one), np.int64(steps_x[k + 3] * one)
        for i in range(num):
            in_a, in_b = at_a >> FRACTION_BITS, at_b >> FRACTION_BITS
            in_c, in_d = at_c >> FRACTION_BITS, at_d >> FRACTION_BITS
            row[i] += (a[np.uint64(in_a)] + b[np.uint64(in_b)]) + (c[np.uint64(in_c)] + d[np.uint64(in_d)])
            opposite[np.uint64(num - 1 - i)] += (a[np.uint64(mirrored - in_a)] + b[np.uint64(mirrored - in_b)]) + (
                c[np.uint64(mirrored - in_c)] + d[np.uint64(mirrored - in_d)]
            )
            at_a, at_b, at_c, at_d = at_a + on_a, at_b + on_b, at_c + on_c, at_d + on_d


@compiled
def add_rows(
    plane: NDArray[np.float32],
    first_x: NDArray[np.int64],
    stop_x: NDArray[np.int64],
    samples: NDArray[np.float32],
    steps_x: NDArray[np.float64],
    steps_y: NDArray[np.float64],
    axis_sample: int,
) -> None:
    """Add rows from `read_row` to a horizontal plane, shape (y, x), from ``first_x[y]`` to ``stop_x[y] - 1``.

    Their number is a multiple of ROWS_AT_ONCE. The rotation axis is the left end of sample ``axis_sample``.
    """
    for iy in prange((len(plane) + 1) // 2):
        add_to_row_pair(plane, iy, first_x[iy], stop_x[iy], samples, steps_x, steps_y, axis_sample)
