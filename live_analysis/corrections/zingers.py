"""Single bright pixels that stray X-rays leave in the camera, replaced by their neighbours before the logarithm."""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.normalisation import CountedPixels
from live_analysis.reconstruction.compiled import compiled, compiled_serial

NOISES = 12.0  # a zinger exceeds its neighbours by so many standard deviations of the noise
LEAST_PART = 0.05  # of the neighbours; less is not worth the detail that might be lost
LARGEST = 2  # pixels of a zinger that are found at once
FAINTEST = 1e-3  # transmission of which the noise is still told by the photons
MAX_ROWS_OF_NOISE = 16


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
    left, middle, right = frames[..., :-2], frames[..., 1:-1], frames[..., 2:]
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
        for row in range(height):
            line = image[row]
            for column in range(width):
                # Most pixels end here: a zinger is clearly brighter than at least one of two opposite neighbours.
                at_left = line[column - 1] if column > 0 else line[column + 1]
                at_right = line[column + 1] if column < width - 1 else line[column - 1]
                if line[column] <= np.float32(1 + LEAST_PART) * min(at_left, at_right):
                    continue
                median = _median_of_neighbours(image, row, column, excess, neighbours)
                if not np.isnan(median):
                    cleaned[frame, row, column] = median
                    num_replaced[frame, row] += 1
    return num_replaced


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
