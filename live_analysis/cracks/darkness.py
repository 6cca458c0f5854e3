"""By how much each place of the matrix is darker than its surroundings, and how much of that is noise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from live_analysis.cracks.matrix_blocks import MatrixBlocks

SIGMA_Z_UM = 2.1  # of the smoothing along z: less than the thickness of a blurred crack
# Streaks of particles darken a place over the height of a particle, a crack over its thickness and blur: what is just
# as dark this far above and below is no crack.
NEAREST_SIDE_UM, FARTHEST_SIDE_UM = 10.0, 26.0
SIDES_NEEDED = 2.0  # rows; with fewer bright rows beside it, as in a stack of cracks, a place is compared to its row
MIN_SHARE = 0.15  # of voxels of the matrix under the smoothing
CANDIDATE_SPREADS = 5.0
NUM_ROUNDS = 3
SPREAD_ROWS = 7
MIN_SPREAD = 0.004  # of the matrix, half of it that of a quiet separator
LEVEL_BIN, LEVEL_REACH, LEVEL_SMOOTHING_BINS = 0.001, 0.3, 12.0
MIN_BLOCKS_FOR_LEVEL = 200


@dataclass(frozen=True)
class Darkness:
    """Part of the matrix's attenuation that is missing, shape (z, y, x), 0 where no matrix is; noise of each row."""

    missing: NDArray[np.float64]
    spread: NDArray[np.float64]

    @property
    def in_spreads(self) -> NDArray[np.float64]:
        """What is missing, over the noise of its row."""
        return self.missing / self.spread[:, None, None]


def darkness(blocks: MatrixBlocks, smoothing_um: float) -> Darkness:
    """Smooth across, then compare each place with its row and with what lies above and below.

    What turns out darker than the noise is left out of what the rest is compared with, and all is done again.

    Parameters
    ----------
    blocks
        The matrix.
    smoothing_um
        Standard deviation of the smoothing along y and x.
    """
    smoothed, usable = smooth_matrix(blocks, SIGMA_Z_UM, smoothing_um)
    matrix = float(np.median(smoothed[usable]))
    dark = np.where(usable, 1 - smoothed / matrix, 0)
    sides = _sides(blocks.voxel_size_um)
    plain = usable
    for _ in range(NUM_ROUNDS):
        row, _ = _levels(dark, plain, usable)
        beside_row = dark - row[:, None, None]
        weight = plain.astype(np.float64)
        summed = ndimage.convolve1d(beside_row * weight, sides, axis=0, mode="constant")
        number = ndimage.convolve1d(weight, sides, axis=0, mode="constant")
        missing = beside_row - summed / (number + SIDES_NEEDED)
        row, spread = _levels(missing, plain, usable)
        missing -= row[:, None, None]
        spread = np.maximum(ndimage.median_filter(spread, SPREAD_ROWS), MIN_SPREAD)
        found = usable & (missing > CANDIDATE_SPREADS * spread[:, None, None])
        plain = usable & ~ndimage.binary_dilation(found, np.ones((5, 3, 3), bool))
    return Darkness(np.where(usable, missing, 0), spread)


def smooth_matrix(
    blocks: MatrixBlocks, sigma_z_um: float, sigma_um: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the smoothed attenuation of the matrix in 1/cm, and where there is enough matrix to say it."""
    sigma = np.array([sigma_z_um, sigma_um, sigma_um]) / np.array(blocks.spacing_um)
    sums = ndimage.gaussian_filter(blocks.sums_per_cm, sigma)
    counts = ndimage.gaussian_filter(blocks.counts, sigma)
    return sums / np.maximum(counts, 1e-9), counts > MIN_SHARE * blocks.capacity


def _sides(voxel_size_um: float) -> NDArray[np.float64]:
    nearest, farthest = round(NEAREST_SIDE_UM / voxel_size_um), round(FARTHEST_SIDE_UM / voxel_size_um)
    return (np.abs(np.arange(-farthest, farthest + 1)) >= nearest).astype(np.float64)


def _levels(
    dark: NDArray[np.float64], plain: NDArray[np.bool_], usable: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Most common value of each row, and the spread of what is brighter than it: cracks only make darker."""
    found = [
        _level(row[chosen if chosen.sum() >= MIN_BLOCKS_FOR_LEVEL else anywhere])
        for row, chosen, anywhere in zip(dark, plain, usable, strict=True)
    ]
    levels, spreads = np.array(found).T
    return levels, spreads


def _level(values: NDArray[np.float64]) -> tuple[float, float]:
    if not values.size:
        return 0.0, 0.0
    middle = float(np.median(values))
    edges = middle + np.arange(-LEVEL_REACH, LEVEL_REACH, LEVEL_BIN)
    numbers = ndimage.gaussian_filter1d(np.histogram(values, edges)[0].astype(np.float64), LEVEL_SMOOTHING_BINS)
    level = float(edges[numbers.argmax()] + LEVEL_BIN / 2)
    brighter = values[values < level]
    return level, 1.4826 * float(np.median(level - brighter)) if brighter.size else 0.0
