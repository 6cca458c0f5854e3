"""How much attenuation is missing in dark places, now and, in the same matter, in an earlier state."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from live_analysis.cracks.candidates import ACROSS
from live_analysis.cracks.matrix_blocks import MatrixBlocks

MARGIN_Z_UM = 3.5  # above and below what is dark: the rest of its blur
BACKGROUND_SIGMA_Z_UM, BACKGROUND_SIGMA_UM = 5.0, 28.0
ROW_WEIGHT = 0.02  # of the smoothed counts: where nothing is left beside a crack, its row is its background
ROW_SMOOTHING = 2.0
MIN_COUNTS_THEN = 0.25  # of a whole block: with less matrix in it then, nothing is said of it


def missing_volume_um3(blocks: MatrixBlocks, mask: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return what is missing in each block in um3, 0 beside cracks and outside the region, and which were summed."""
    summed = with_blur(mask, blocks)
    background = _background_per_cm(blocks, summed)
    missing = np.where(summed, blocks.counts - blocks.sums_per_cm / background, 0)
    return missing * blocks.inside * blocks.voxel_size_um**3, summed


def earlier_missing_um3(blocks: MatrixBlocks, then: MatrixBlocks, summed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return what was missing in an earlier state in the matter that now is in the summed blocks, in um3.

    Negative where that was brighter than its surroundings, as where these have pores and it has none. What is void now
    was no matter there: the share counts only for what now attenuates. That is a mean, since streaks and noise that the
    states share would not average out of a product of both.
    """
    if not summed.any():
        return np.zeros(summed.shape)
    background = _background_per_cm(then, summed)
    enough = summed & (then.counts > MIN_COUNTS_THEN * then.capacity)
    missing_then = np.where(enough, 1 - then.sums_per_cm / (np.maximum(then.counts, 1.0) * background), 0)
    matter = float(
        blocks.sums_per_cm[summed].sum() / (_background_per_cm(blocks, summed) * blocks.counts)[summed].sum()
    )
    return np.asarray(missing_then * matter * blocks.counts * blocks.inside * blocks.voxel_size_um**3)


def with_blur(mask: NDArray[np.bool_], blocks: MatrixBlocks) -> NDArray[np.bool_]:
    """Add to dark blocks those that the rest of their blur reaches."""
    rows = max(round(MARGIN_Z_UM / blocks.voxel_size_um), 1)
    summed = ndimage.binary_dilation(mask, np.ones((2 * rows + 1, 1, 1), bool))
    return np.asarray(ndimage.binary_dilation(summed, ACROSS))


def _background_per_cm(blocks: MatrixBlocks, summed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Attenuation of the matrix just beside cracks, carried into them; the row's mean where nothing is left beside."""
    counts, sums = np.where(summed, 0, blocks.counts), np.where(summed, 0, blocks.sums_per_cm)
    by_row = ndimage.gaussian_filter1d(sums.sum((1, 2)), ROW_SMOOTHING)
    row = by_row / np.maximum(ndimage.gaussian_filter1d(counts.sum((1, 2)), ROW_SMOOTHING), 1e-9)
    everywhere = float(sums.sum() / max(counts.sum(), 1.0))
    row = np.where(row > everywhere / 2, row, everywhere)[:, None, None]
    sigma = np.array([BACKGROUND_SIGMA_Z_UM, BACKGROUND_SIGMA_UM, BACKGROUND_SIGMA_UM]) / np.array(blocks.spacing_um)
    beside = ndimage.gaussian_filter(sums - counts * row, sigma, mode="constant")
    weight = ndimage.gaussian_filter(counts, sigma, mode="constant")
    return np.asarray(row + beside / (weight + ROW_WEIGHT * blocks.capacity))
