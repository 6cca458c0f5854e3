"""Noise that all projections share: that of the flat and dark they are divided by, which draws rings."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from live_analysis.reconstruction.angle_weights import angle_weights
from live_analysis.reconstruction.hierarchy import LINEAR_STEPS
from live_analysis.reconstruction.ramp_filter import spline_response

FINE = 4  # parts of a column at which rays are told apart
NUM_DIRECTIONS = 24  # of points about the axis
RADIUS_RATIO = 1.25
PARTS_OF_COLUMN = (-0.375, -0.125, 0.125, 0.375)

Array = NDArray[np.float64]


def coefficient_response(cycles: Array) -> Array:
    """Return ramp and what goes with it in `RampFilter`, columns one long; beyond half a cycle it repeats itself."""
    folded = np.abs(cycles - np.rint(cycles))
    return np.asarray(folded / spline_response(folded) / np.sinc(folded / 2) ** (2 * LINEAR_STEPS))


class RingNoise:
    """Variance of voxels for shared variances of columns.

    The weights of all projections for one column add up before they are squared: what comes out falls from the axis
    outwards and varies with direction, and is found on rays about the axis.

    Parameters
    ----------
    angles_deg, axis_column, num_columns
        As in the reconstruction.
    centres
        Places of voxels, or of blocks of them, in y and x, from the axis in columns.
    binning
        Voxels along the side of a block.
    """

    def __init__(self, angles_deg: Array, axis_column: float, num_columns: int, centres: Array, binning: int) -> None:
        furthest = min(axis_column, num_columns - 1 - axis_column)
        num_radii = int(np.ceil(np.log(max(furthest, 2)) / np.log(RADIUS_RATIO))) + 1
        outwards = furthest / RADIUS_RATIO ** np.arange(num_radii, -1, -1)
        radii = np.unique(np.concatenate([[0.0, 0.5], outwards]))
        directions = np.arange(NUM_DIRECTIONS) * 2 * np.pi / NUM_DIRECTIONS
        self._squares = np.zeros((len(radii), NUM_DIRECTIONS, num_columns))
        for squares, radius in zip(self._squares, radii, strict=True):
            # Whether a ring lies on a column or between two makes a difference, which is averaged.
            for part in PARTS_OF_COLUMN:
                at = max(radius + part, 0.0)
                weights = _weights_of_columns(at, directions, angles_deg, axis_column, num_columns, binning)
                squares += weights**2 / len(PARTS_OF_COLUMN)
        y, x = np.meshgrid(centres, centres, indexing="ij")
        at_radius = np.interp(np.hypot(x, y), radii, np.arange(len(radii)))
        at_direction = np.mod(np.arctan2(y, x), 2 * np.pi) * NUM_DIRECTIONS / (2 * np.pi)
        self._between = _bilinear(at_radius.ravel(), at_direction.ravel(), len(radii))
        self._shape = len(centres), len(centres)

    def variance(self, shared: NDArray[np.float32]) -> Array:
        """Return variances of shape (row, y, x) for shared ones of shape (row, column), columns one long."""
        found = self._squares.reshape(-1, shared.shape[1]) @ shared.T.astype(np.float64)
        return np.asarray((self._between @ found).T.reshape(len(shared), *self._shape))


def _bilinear(at_radius: Array, at_direction: Array, num_radii: int) -> csr_array:
    """Return the matrix that interpolates values of shape (radius, direction) at some places between them."""
    inner = np.minimum(at_radius.astype(int), num_radii - 2)
    left = at_direction.astype(int) % NUM_DIRECTIONS
    right = (left + 1) % NUM_DIRECTIONS
    outwards, onwards = at_radius - inner, at_direction - np.floor(at_direction)
    columns = [row * NUM_DIRECTIONS + side for row in (inner, inner + 1) for side in (left, right)]
    shares = [a * b for a in (1 - outwards, outwards) for b in (1 - onwards, onwards)]
    starts = np.arange(len(inner) + 1) * 4
    shape = len(inner), num_radii * NUM_DIRECTIONS
    return csr_array((np.stack(shares, axis=1).ravel(), np.stack(columns, axis=1).ravel(), starts), shape=shape)


def _weights_of_columns(
    radius: float, directions: Array, angles_deg: Array, axis_column: float, num_columns: int, binning: int
) -> Array:
    """Return what all projections together give every column in the voxels at one radius: shape (direction, column)."""
    theta = np.radians(angles_deg)
    within = np.arange(binning) - (binning - 1) / 2
    offsets = (within[:, None, None] * np.cos(theta) + within[:, None] * np.sin(theta)).reshape(-1, len(theta))
    weights = np.broadcast_to(angle_weights(angles_deg).weights_rad / len(offsets), offsets.shape).ravel()
    num = 2 * FINE * num_columns
    counts = np.empty((len(directions), num))
    for found, direction in zip(counts, directions, strict=True):
        columns = axis_column + radius * np.cos(theta - direction) + offsets
        # What lies beyond either end of the view falls into the padding.
        bins = np.mod(np.rint(columns * FINE).astype(int), num)
        found[:] = np.bincount(bins.ravel(), weights, num)
    cycles = np.arange(num // 2 + 1) / (2 * num_columns)
    response = coefficient_response(cycles) * np.sinc(cycles) ** 4 * np.sinc(cycles / 2) ** (2 * LINEAR_STEPS)
    return np.asarray(np.fft.irfft(np.fft.rfft(counts) * response * FINE, num)[:, : FINE * num_columns : FINE])
