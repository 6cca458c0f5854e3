"""Takes filtered projections into a preview: kept in half their size and added to its planes in one go."""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled, compiled_serial
from live_analysis.reconstruction.horizontal_plane import add_to_row_pair
from live_analysis.reconstruction.lanes import NUM_LANES
from live_analysis.reconstruction.upright_plane import add_line, add_two_lines

LEAST_TASKS = 16  # into which the work of the parallel loop is cut
LARGEST = np.float32(32767)  # that 16 bits hold
ABOVE_ZERO = np.float32(32768.5)


@compiled_serial
def _keep(values: NDArray[np.float32], out: NDArray[np.int16]) -> np.float32:
    """Write numbers as integers of 16 bits; return what one of these stands for."""
    largest_bits = np.int32(0)
    # Without their sign floats are ordered as their bits are: integers need no look at NaN.
    bits = values.view(np.int32)
    for i in range(len(bits)):
        magnitude = bits[i] & np.int32(0x7FFFFFFF)
        # Not max(): with it the compiler takes one number at a time, and four times as long.
        largest_bits = magnitude if magnitude > largest_bits else largest_bits
    box = np.empty(1, np.int32)
    box[0] = largest_bits
    largest = box.view(np.float32)[0]
    per_unit = LARGEST / largest if largest > 0 else np.float32(0)
    for i in range(len(values)):
        # Rounded as positive numbers: cutting off is one instruction, rounding down is not.
        out[i] = np.int16(np.int32(values[i] * per_unit + ABOVE_ZERO) - np.int32(32768))
    return np.float32(largest / LARGEST)


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
            add_to_row_pair(horizontal, iy, first_x[iy], stop_x[iy], samples, steps_x, steps_y, axis_sample)
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
                    add_two_lines(
                        points,
                        first[plane],
                        stop[plane],
                        columns,
                        following,
                        lefts[plane, k : k + 2],
                        taps[plane, k : k + 2],
                    )
                else:
                    add_line(points, first[plane], stop[plane], columns, np.float32(1), lefts[plane, k], taps[plane, k])
