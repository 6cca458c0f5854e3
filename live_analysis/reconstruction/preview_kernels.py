"""Loops that keep filtered projections in half their size and add them to single planes of a volume."""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled, compiled_serial, inlined
from live_analysis.reconstruction.lanes import NUM_LANES, Lanes, add, add_scaled, load, scaled, store

SUBCOLUMNS = 128  # places between two columns at which an upright plane reads: 1/256 of a column is its largest error
QUARTERS = 4  # samples in a column for the horizontal plane, which takes the nearest
ROWS_AT_ONCE = 4  # of the horizontal plane; fewer are filled up with rows of zeros
LEAST_TASKS = 16  # into which the work of a parallel loop is cut
FRACTION_BITS = np.int64(20)
LARGEST = np.float32(32767)  # that 16 bits hold
ABOVE_ZERO = np.float32(32768.5)
NEXT = np.uint64(NUM_LANES)  # unsigned places are not looked at for being negative, which means counted from the end

Filtered = NDArray[np.float32] | NDArray[np.int16]


@inlined
def _lanes_from(a: Filtered, i: np.uint64) -> Lanes:
    """Return sixteen numbers from place ``i`` on of an array of one dimension, as floats."""
    # fmt: off
    return (
        np.float32(a[i]), np.float32(a[i + np.uint64(1)]),
        np.float32(a[i + np.uint64(2)]), np.float32(a[i + np.uint64(3)]),
        np.float32(a[i + np.uint64(4)]), np.float32(a[i + np.uint64(5)]),
        np.float32(a[i + np.uint64(6)]), np.float32(a[i + np.uint64(7)]),
        np.float32(a[i + np.uint64(8)]), np.float32(a[i + np.uint64(9)]),
        np.float32(a[i + np.uint64(10)]), np.float32(a[i + np.uint64(11)]),
        np.float32(a[i + np.uint64(12)]), np.float32(a[i + np.uint64(13)]),
        np.float32(a[i + np.uint64(14)]), np.float32(a[i + np.uint64(15)]),
    )
    # fmt: on


@compiled_serial
def rays_of_line(
    lefts: NDArray[np.int32],
    taps: NDArray[np.float32],
    weights: NDArray[np.float64],
    starts: NDArray[np.float64],
    steps: NDArray[np.float64],
    first: int,
    stop: int,
    table: NDArray[np.float32],
) -> None:
    """Say where the rays through the points of a line meet frames, which is the same for all rows.

    Parameters
    ----------
    lefts, taps
        Where the four coefficients begin, counted in numbers, and their weights: shapes (frame, point) and
        (frame, point, 4), overwritten from point ``first`` to ``stop - 1``.
    weights, starts, steps
        Weight of each frame, the column (with margins) of point 0, and how far the next one lies on.
    table
        `smoothed_spline` at 0, 1 / SUBCOLUMNS, ... 1: shape (SUBCOLUMNS + 1, 4).
    """
    for frame in range(len(weights)):
        for i in range(first, stop):
            column = starts[frame] + i * steps[frame]
            left = int(column)
            near = int((column - left) * SUBCOLUMNS + 0.5)
            lefts[frame, i] = (left - 1) * NUM_LANES
            for tap in range(table.shape[1]):
                taps[frame, i, tap] = np.float32(weights[frame]) * table[near, tap]


@compiled_serial
def _add_line(
    points: NDArray[np.float32],
    first: int,
    stop: int,
    columns: Filtered,
    unit: np.float32,
    lefts: NDArray[np.int32],
    taps: NDArray[np.float32],
) -> None:
    """Add sixteen rows of one frame, in numbers times ``unit``, to a line of points, shape (point, 16)."""
    for i in range(first, stop):
        point = np.uint64(i)
        at = np.uint64(lefts[point])
        v = scaled(taps[point, 0], _lanes_from(columns, at))
        w = scaled(taps[point, 1], _lanes_from(columns, at + NEXT))
        v = add_scaled(v, taps[point, 2], _lanes_from(columns, at + NEXT + NEXT))
        w = add_scaled(w, taps[point, 3], _lanes_from(columns, at + NEXT + NEXT + NEXT))
        store(points, point, add_scaled(load(points, point), unit, add(v, w)))


@compiled_serial
def _add_two_lines(
    points: NDArray[np.float32],
    first: int,
    stop: int,
    columns: NDArray[np.float32],
    following: NDArray[np.float32],
    lefts: NDArray[np.int32],
    taps: NDArray[np.float32],
) -> None:
    """Do as `_add_line` with two frames, which saves half the ways to the points."""
    lefts_a, lefts_b, taps_a, taps_b = lefts[0], lefts[1], taps[0], taps[1]
    for i in range(first, stop):
        point = np.uint64(i)
        at, bt = np.uint64(lefts_a[point]), np.uint64(lefts_b[point])
        v = scaled(taps_a[point, 0], _lanes_from(columns, at))
        w = scaled(taps_b[point, 0], _lanes_from(following, bt))
        v = add_scaled(v, taps_a[point, 1], _lanes_from(columns, at + NEXT))
        w = add_scaled(w, taps_b[point, 1], _lanes_from(following, bt + NEXT))
        v = add_scaled(v, taps_a[point, 2], _lanes_from(columns, at + NEXT + NEXT))
        w = add_scaled(w, taps_b[point, 2], _lanes_from(following, bt + NEXT + NEXT))
        v = add_scaled(v, taps_a[point, 3], _lanes_from(columns, at + NEXT + NEXT + NEXT))
        w = add_scaled(w, taps_b[point, 3], _lanes_from(following, bt + NEXT + NEXT + NEXT))
        store(points, point, add(load(points, point), add(v, w)))


@compiled_serial
def _keep(values: NDArray[np.float32], out: NDArray[np.int16]) -> np.float32:
    """Write numbers as integers of 16 bits; return what one of these stands for."""
    largest_bits = np.int32(0)
    # Without their sign floats are ordered as their bits are: integers need no look at NaN.
    for bits in values.view(np.int32):
        largest_bits = max(largest_bits, bits & np.int32(0x7FFFFFFF))
    box = np.empty(1, np.int32)
    box[0] = largest_bits
    largest = box.view(np.float32)[0]
    per_unit = LARGEST / largest if largest > 0 else np.float32(0)
    for i in range(len(values)):
        # Rounded as positive numbers: cutting off is one instruction, rounding down is not.
        out[i] = np.int16(np.int32(values[i] * per_unit + ABOVE_ZERO) - np.int32(32768))
    return np.float32(largest / LARGEST)


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
def _add_to_row_pair(
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
        _add_to_row_pair(plane, iy, first_x[iy], stop_x[iy], samples, steps_x, steps_y, axis_sample)


@compiled
def take_frames(
    horizontal: NDArray[np.float32],
    first_x: NDArray[np.int64],
    stop_x: NDArray[np.int64],
    samples: NDArray[np.float32],
    steps_x: NDArray[np.float64],
    steps_y: NDArray[np.float64],
    axis_sample: int,
    planes: NDArray[np.float32],
    first: NDArray[np.int64],
    stop: NDArray[np.int64],
    lefts: NDArray[np.int32],
    taps: NDArray[np.float32],
    frames: NDArray[np.float32],
    first_frame: int,
    kept: NDArray[np.int16],
    units: NDArray[np.float32],
    places: NDArray[np.int64],
) -> None:
    """Keep frames and add them to all planes in one go: upright ones while each frame is in the cache.

    Parameters
    ----------
    horizontal, first_x, stop_x, samples, steps_x, steps_y, axis_sample
        As `add_rows` takes them.
    planes, first, stop
        Shape (plane, chunk, point, 16), changed from point ``first`` to ``stop - 1`` of each plane.
    lefts, taps
        `rays_of_line` of each plane.
    frames, first_frame
        Spline coefficients, shape (chunk, frame, column with margins, 16), and which is the first to be taken.
    kept, units, places
        Room for frames, shape (chunk, place, column with margins, 16), their units, shape (chunk, place), and the place
        of each frame.
    """
    size, num_chunks, num_y = frames.shape[2] * NUM_LANES, frames.shape[0], len(horizontal)
    num_tasks = max(num_chunks, LEAST_TASKS)
    # One parallel loop, for each has to wait until all threads are there.
    for chunk in prange(num_tasks):
        for iy in range(chunk, (num_y + 1) // 2, num_tasks):
            _add_to_row_pair(horizontal, iy, first_x[iy], stop_x[iy], samples, steps_x, steps_y, axis_sample)
        for k in range(0, len(places) if chunk < num_chunks else 0, 2):
            num = min(2, len(places) - k)
            columns = frames[chunk, first_frame + k].reshape(size)
            units[chunk, places[k]] = _keep(columns, kept[chunk, places[k]].reshape(size))
            following = frames[chunk, first_frame + k + num - 1].reshape(size)
            if num == 2:
                units[chunk, places[k + 1]] = _keep(following, kept[chunk, places[k + 1]].reshape(size))
            for plane in range(len(planes)):
                points = planes[plane, chunk]
                if num == 2:
                    _add_two_lines(
                        points,
                        first[plane],
                        stop[plane],
                        columns,
                        following,
                        lefts[plane, k : k + 2],
                        taps[plane, k : k + 2],
                    )
                else:
                    _add_line(
                        points, first[plane], stop[plane], columns, np.float32(1), lefts[plane, k], taps[plane, k]
                    )


@compiled
def add_kept(
    plane: NDArray[np.float32],
    first: int,
    stop: int,
    lefts: NDArray[np.int32],
    taps: NDArray[np.float32],
    kept: NDArray[np.int16],
    units: NDArray[np.float32],
    places: NDArray[np.int64],
) -> None:
    """Add frames that were kept at ``places`` to an upright plane; see `take_frames`."""
    size = kept.shape[2] * NUM_LANES
    for chunk in prange(kept.shape[0]):
        for k in range(len(places)):
            columns = kept[chunk, places[k]].reshape(size)
            _add_line(plane[chunk], first, stop, columns, units[chunk, places[k]], lefts[k], taps[k])
