"""Loops that add filtered projections to planes that hold the direction of the rotation axis, sixteen rows at once."""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled, compiled_serial, inlined
from live_analysis.reconstruction.lanes import NUM_LANES, Lanes, add, add_scaled, load, scaled, store

SUBCOLUMNS = 128  # places between two columns at which rays are read: 1/256 of a column is their largest error
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
def add_line(
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
def add_two_lines(
    points: NDArray[np.float32],
    first: int,
    stop: int,
    columns: NDArray[np.float32],
    following: NDArray[np.float32],
    lefts: NDArray[np.int32],
    taps: NDArray[np.float32],
) -> None:
    """Do as `add_line` with two frames, which saves half the ways to the points."""
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
            add_line(plane[chunk], first, stop, columns, units[chunk, places[k]], lefts[k], taps[k])
