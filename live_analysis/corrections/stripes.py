"""Stripes of a whole sinogram: dead pixels, wide and narrow stripes, and those of a part of the scan.

As Vo, Atwood and Drakopoulos, Opt. Express 26 (2018) 28396, describe them, each kind has its own remedy. Theirs smooths
sorted columns; here only an offset is taken off a pixel, and only where it is larger than its error, so that nothing of
the object is smoothed and grey values stay. Rows are independent of each other.
"""

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray
from scipy import ndimage

from live_analysis.corrections.bin_order import median, ordering_median, running_median_of_five
from live_analysis.corrections.column_offsets import (
    LEAST_WEIGHT,
    MAD_TO_SIGMA,
    NUM_BINS,
    Offsets,
    column_offsets,
    compare,
)
from live_analysis.corrections.wide_stripes import wide_offsets
from live_analysis.reconstruction.compiled import compiled

FEWEST_PROJECTIONS = 32
DEAD, RESTLESS = 0.2, 6.0  # noise of a pixel, as a part of the quieter and the noisier side of its neighbours
SIDE_COLUMNS = 5  # of neighbours for that
PARTIAL_SIGMAS = 4.0
PARTIAL_BINS = 5  # 28 degrees: an object is in one column for less, except near the axis
BESIDE = np.array([[True, True, False, True, True]])
NEIGHBOUR_OF_PARTIAL = 0.4  # of its height at most: a stripe is one column wide, an object more

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class StripesFound:
    """What was corrected, in detector pixels (row and column): counts, and the largest offset of an integral."""

    num_dead: int = 0
    num_wide: int = 0
    num_narrow: int = 0
    num_partial: int = 0
    largest_offset: float = 0.0

    def __add__(self, other: "StripesFound") -> "StripesFound":
        return StripesFound(
            self.num_dead + other.num_dead,
            self.num_wide + other.num_wide,
            self.num_narrow + other.num_narrow,
            self.num_partial + other.num_partial,
            max(self.largest_offset, other.largest_offset),
        )


def remove_stripes(
    integrals: Floats, angles_deg: NDArray[np.float64], axis_column: float | None, *, errors: Floats | None = None
) -> StripesFound:
    """Remove stripes from attenuation integrals, in place.

    Memory for 32 of the projections, about four times over, is needed on top. Fewer than 32 projections are left alone.

    Parameters
    ----------
    integrals
        Attenuation integrals without NaN, unitless, shape (projection, row, column).
    angles_deg
        Measured angles, shape (projection,), in any order.
    axis_column
        Column of the rotation axis: what is concentric with it is no stripe. None where it is unknown.
    errors
        Is filled with the standard errors beside which the offsets of pixels were judged, shape (row, column);
        infinity where nothing was judged.
    """
    if errors is not None:
        errors[:] = np.inf
    if len(integrals) < FEWEST_PROJECTIONS or integrals.shape[2] < 2 * SIDE_COLUMNS + 1:
        return StripesFound()
    dead = _dead_pixels(_noise(integrals))
    _bridge(integrals, dead)
    bin_of = _bins_of(angles_deg)
    bins = _bin_means(integrals, bin_of)
    wide = wide_offsets(bins, axis_column)
    bins -= wide[:, None, :]
    found = column_offsets(bins, axis_column)
    if errors is not None:
        errors[:] = found.standard_error
    partial = _partial_offsets(bins - found.values[:, None, :], found)
    _subtract(integrals, bin_of, wide + found.values, partial)
    return StripesFound(
        num_dead=int(np.count_nonzero(dead)),
        num_wide=int(np.count_nonzero(wide)),
        num_narrow=int(np.count_nonzero(found.values)),
        num_partial=int(np.count_nonzero(partial.any(axis=1))),
        largest_offset=float(np.abs(wide + found.values).max()),
    )


def _dead_pixels(noise: Floats) -> NDArray[np.bool_]:
    """Return which pixels hardly change from angle to angle, or much more than the neighbours on both sides."""
    sides = []
    for shift in (-(SIDE_COLUMNS + 1) // 2, (SIDE_COLUMNS + 1) // 2):
        median = ndimage.median_filter(noise, (1, SIDE_COLUMNS), mode="mirror")
        sides.append(ndimage.shift(median, (0, -shift), order=0, mode="nearest"))
    quiet, loud = np.minimum(*sides), np.maximum(*sides)
    return np.asarray(((noise < DEAD * quiet) | (noise > RESTLESS * loud)) & (quiet > 0), bool)


def _bins_of(angles_deg: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bin of each projection: as many in each, neighbours in angle together."""
    order = np.argsort(np.mod(angles_deg, 360.0), kind="stable")
    bin_of = np.empty(len(order), np.int64)
    bin_of[order] = np.arange(len(order)) * NUM_BINS // len(order)
    return bin_of


def _partial_offsets(bins: Floats, found: Offsets) -> Floats:
    """Return what single columns are off by in some neighbouring bins only, shape (row, bin, column)."""
    smooth, limit = _smoothed(found.in_bins)
    suspect = (np.abs(smooth) > limit).any(axis=1) & ~found.concentric
    if not suspect.any():
        return np.zeros_like(bins)
    # Compared with its neighbours alone a stripe shows its whole height, and does not bend their own fit.
    weights = np.where(suspect, np.float32(LEAST_WEIGHT), found.weights)
    smooth, limit = _smoothed(compare(bins, weights)[2])
    height = np.abs(smooth)
    # At any angle: the edge of an object that moves little comes to the columns beside.
    beside = ndimage.maximum_filter(height.max(axis=1), footprint=BESIDE, mode="mirror")
    lasting = (height > limit) & (beside[:, None, :] < NEIGHBOUR_OF_PARTIAL * height) & suspect[:, None, :]
    lasting = ndimage.binary_opening(lasting, np.ones((1, PARTIAL_BINS, 1), bool))
    return np.where(lasting, smooth, np.float32(0))


def _smoothed(in_bins: Floats) -> tuple[Floats, Floats]:
    """Return medians over neighbouring bins, and what they must exceed to be no noise."""
    smooth = running_median_of_five(in_bins)
    usual = MAD_TO_SIGMA * np.median(np.abs(smooth), axis=2, keepdims=True)
    # Between neighbouring bins there is noise alone, but for the two ends of a stripe.
    noise = MAD_TO_SIGMA * median(np.abs(np.diff(in_bins, axis=1)))[:, None, :] / np.sqrt(2)
    return smooth, np.asarray(PARTIAL_SIGMAS * np.maximum(usual, noise / np.sqrt(PARTIAL_BINS)), np.float32)


@compiled
def _noise(integrals: Floats) -> Floats:
    """Return by how much each pixel usually differs from the mean of the projections before and after."""
    num, num_rows, num_columns = integrals.shape
    result = np.empty((num_rows, num_columns), np.float32)
    stride = max(1, (num - 2) // 64)
    for row in prange(num_rows):
        sample = np.empty((len(range(1, num - 1, stride)), num_columns), np.float32)
        for k in range(len(sample)):
            at = 1 + k * stride
            for column in range(num_columns):
                between = np.float32(0.5) * (integrals[at - 1, row, column] + integrals[at + 1, row, column])
                sample[k, column] = abs(integrals[at, row, column] - between)
        result[row] = ordering_median(sample)
    return result


@compiled
def _bridge(integrals: Floats, dead: NDArray[np.bool_]) -> None:
    """Draw a straight line across dead columns, from the nearest living ones."""
    num, num_rows, num_columns = integrals.shape
    for row in prange(num_rows):
        for column in range(num_columns):
            if not dead[row, column]:
                continue
            left, right = column - 1, column + 1
            while left >= 0 and dead[row, left]:
                left -= 1
            while right < num_columns and dead[row, right]:
                right += 1
            if left < 0 and right >= num_columns:
                continue
            left, right = (right if left < 0 else left), (left if right >= num_columns else right)
            share = np.float32(0) if left == right else np.float32((column - left) / (right - left))
            for frame in range(num):
                a, b = integrals[frame, row, left], integrals[frame, row, right]
                integrals[frame, row, column] = a + share * (b - a)


@compiled
def _bin_means(integrals: Floats, bin_of: NDArray[np.int64]) -> Floats:
    num, num_rows, num_columns = integrals.shape
    sums = np.zeros((num_rows, NUM_BINS, num_columns), np.float32)
    nums = np.zeros(NUM_BINS, np.float32)
    for frame in range(num):
        nums[bin_of[frame]] += 1
    for row in prange(num_rows):
        for frame in range(num):
            for column in range(num_columns):
                sums[row, bin_of[frame], column] += integrals[frame, row, column]
        for b in range(NUM_BINS):
            for column in range(num_columns):
                sums[row, b, column] /= nums[b]
    return sums


@compiled
def _subtract(integrals: Floats, bin_of: NDArray[np.int64], offsets: Floats, partial: Floats) -> None:
    num, num_rows, num_columns = integrals.shape
    for row in prange(num_rows):
        for frame in range(num):
            for column in range(num_columns):
                integrals[frame, row, column] -= offsets[row, column] + partial[row, bin_of[frame], column]
