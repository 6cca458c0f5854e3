"""Single bright pixels that stray X-rays leave in the camera, replaced by their neighbours before the logarithm."""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.normalisation import CountedPixels
from live_analysis.reconstruction.compiled import compiled, compiled_serial, inlined

NOISES = 12.0  # a zinger exceeds its neighbours by so many standard deviations of the noise
LEAST_PART = 0.05  # of the neighbours; less is not worth the detail that might be lost
LARGEST = 2  # pixels of a zinger that are found at once
FAINTEST = 1e-3  # transmission of which the noise is still told by the photons
MAX_ROWS_OF_NOISE = 16
MAX_BENDS_OF_NOISE = 4096  # whose median is that of all to 1.5 %


def noise_of_beam(transmission: NDArray[np.float32]) -> NDArray[np.float32]:
    """Estimate the standard deviation of open beam in every frame, from bends between neighbours, shape (frame,).

    Photon noise grows with the root of the transmission; bends are scaled by it. They do not see slopes, and their
    median does not see edges and particles.

    Parameters
    ----------
    transmission
        Shape (frame, row, column), unitless; NaN and what is below zero is left out.
    """
    step = max(transmission.shape[1] // MAX_ROWS_OF_NOISE, 1)
    frames = transmission[:, ::step]
    apart = max(frames[0].size // MAX_BENDS_OF_NOISE, 1) if len(frames) else 1
    left, middle, right = (frames[..., first : frames.shape[2] - 2 + first : apart] for first in range(3))
    with np.errstate(invalid="ignore"):
        bend = np.abs(left - 2 * middle + right)
        scaled = bend / np.sqrt(np.maximum(left + 4 * middle + right, 6 * FAINTEST))
    flat = scaled.reshape(len(frames), -1)
    noise = np.array([np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else 0.0 for row in flat])
    return np.asarray(noise / 0.6745, np.float32)


def remove_zingers(transmission: NDArray[np.float32], counted_rows: slice = slice(None)) -> CountedPixels:
    """Replace pixels that are brighter than the median of their eight neighbours by more than noise can make them.

    Parameters
    ----------
    transmission
        Shape (frame, row, column), unitless, as divided by the flat; NaN is left and not looked at.
    counted_rows
        Rows whose zingers are counted: a slab's margin belongs to its neighbours too.

    Returns
    -------
    CountedPixels
        Frames with the median in place of each zinger, and the number of zingers. Other pixels are untouched.
    """
    stack = np.ascontiguousarray(transmission, np.float32)
    if stack.shape[2] < 3:
        return CountedPixels(stack.copy(), 0)
    cleaned = stack.copy()
    excess = np.float32(NOISES) * noise_of_beam(stack)
    num_in_row = _replace(stack, cleaned, excess)
    # Of a trace of three or four pixels the first round takes the ends, the second what was between them.
    struck = np.flatnonzero(num_in_row.any(axis=1))
    if struck.size:
        once = cleaned[struck]
        twice = once.copy()
        num_in_row[struck] += _replace(once, twice, excess[struck])
        cleaned[struck] = twice
    return CountedPixels(cleaned, int(num_in_row[:, counted_rows].sum()))


@compiled
def _replace(
    stack: NDArray[np.float32],
    cleaned: NDArray[np.float32],
    excess_of_beam: NDArray[np.float32],
) -> NDArray[np.int64]:
    num_frames, height, width = stack.shape
    num_replaced = np.zeros((num_frames, height), np.int64)
    for frame in prange(num_frames):
        image, excess = stack[frame], excess_of_beam[frame]
        neighbours = np.empty(8, np.float32)
        suspect = np.empty(width, np.bool_)
        for row in range(height):
            line = image[row]
            # Most pixels end here: a zinger is clearly brighter than at least one of two opposite neighbours.
            for column in range(1, width - 1):
                suspect[column] = _stands_out(line[column], line[column - 1], line[column + 1])
            suspect[0] = _stands_out(line[0], line[1], line[1])
            suspect[-1] = _stands_out(line[-1], line[-2], line[-2])
            for column in range(width):
                if suspect[column] and not _is_hidden(image, row, column, excess):
                    median = _median_of_neighbours(image, row, column, excess, neighbours)
                    if not np.isnan(median):
                        cleaned[frame, row, column] = median
                        num_replaced[frame, row] += 1
    return num_replaced


@inlined
def _stands_out(value: np.float32, at_left: np.float32, at_right: np.float32) -> bool:
    # Not "exceeds": beside a pixel that is NaN nothing is known, and it must be looked at.
    return not value <= np.float32(1 + LEAST_PART) * min(at_left, at_right)


@inlined
def _is_hidden(image: NDArray[np.float32], row: int, column: int, excess_of_beam: float) -> bool:
    """Whether two opposite neighbours are almost as bright: what is left of noise, for less than its median costs."""
    if not (0 < row < image.shape[0] - 1 and 0 < column < image.shape[1] - 1):
        return False
    above, line, below = image[row - 1], image[row], image[row + 1]
    low = min(above[column], below[column]), min(line[column - 1], line[column + 1])
    lower = min(above[column - 1], below[column + 1]), min(above[column + 1], below[column - 1])
    total = above[column - 1] + above[column] + above[column + 1] + line[column - 1] + line[column + 1]
    if np.isnan(total + below[column - 1] + below[column] + below[column + 1]):
        return False
    # No more than the second brightest neighbour, and no more than the median.
    second, least = max(max(low), max(lower)), min(min(low), min(lower))
    return bool(line[column] <= second + excess_of_beam * np.sqrt(max(least, FAINTEST)))


@compiled_serial
def _median_of_neighbours(
    image: NDArray[np.float32], row: int, column: int, excess_of_beam: float, neighbours: NDArray[np.float32]
) -> float:
    """Return what a zinger is replaced with, NaN where a pixel is none; ``neighbours`` is room for eight, in order."""
    height, width = image.shape
    num = 0
    for i in range(max(row - 1, 0), min(row + 2, height)):
        for j in range(max(column - 1, 0), min(column + 2, width)):
            value = image[i, j]
            if (i != row or j != column) and not np.isnan(value):
                place = num
                while place > 0 and neighbours[place - 1] > value:
                    neighbours[place] = neighbours[place - 1]
                    place -= 1
                neighbours[place] = value
                num += 1
    if num <= LARGEST:
        return np.nan
    median = (neighbours[(num - 1) // 2] + neighbours[num // 2]) / 2
    excess = max(excess_of_beam * np.sqrt(max(median, FAINTEST)), LEAST_PART * median)
    # A gap between particles goes on to both sides, a zinger to one at most.
    return median if image[row, column] > max(median, neighbours[num - LARGEST]) + excess else np.nan
