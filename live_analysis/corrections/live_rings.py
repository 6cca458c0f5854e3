"""Rings of a scan that goes on: mean attenuation integrals of every pixel so far, in bins of angle.

A volume that adds up projections need not add the corrected ones: a ring is the reconstruction of what a pixel is off
by at all angles, and reconstruction is linear. `ring_volume` gives it at any time, to be taken off the volume so far.
"""

import numpy as np
from numpy.typing import NDArray

from live_analysis.corrections.column_offsets import NUM_BINS, column_offsets

LEAST_BINS = 6  # with projections: fewer directions do not tell a stripe from an object
HALF_TURN_DEG = 180.0


class LiveRings:
    """Adds up projections, in any order and portions, and tells by how much each pixel is off.

    Parameters
    ----------
    num_rows, num_columns
        Shape of a projection.
    """

    def __init__(self, num_rows: int, num_columns: int) -> None:
        self._sums = np.zeros((num_rows, NUM_BINS, num_columns), np.float32)
        self._nums = np.zeros(NUM_BINS, np.int64)

    @property
    def num_projections(self) -> int:
        """Projections that count."""
        return int(self._nums.sum())

    @property
    def num_bytes(self) -> int:
        """Bytes held."""
        return self._sums.nbytes

    def add(self, integrals: NDArray[np.float32], angles_deg: NDArray[np.float64]) -> None:
        """Take in attenuation integrals without NaN, shape (projection, row, column), and their angles."""
        self._count(integrals, angles_deg, 1)

    def retract(self, integrals: NDArray[np.float32], angles_deg: NDArray[np.float64]) -> None:
        """Take out what was added: these projections turned out to be damaged."""
        self._count(integrals, angles_deg, -1)

    def profile(self, axis_column: float | None) -> NDArray[np.float32]:
        """Return what to subtract from the attenuation integrals of every projection, shape (row, column), unitless.

        Zero while fewer than six of 32 directions have been seen.

        Parameters
        ----------
        axis_column
            Column of the rotation axis where it is known: what is concentric with it is no ring.
        """
        seen = self._nums > 0
        if np.count_nonzero(seen) < LEAST_BINS:
            return np.zeros((self._sums.shape[0], self._sums.shape[2]), np.float32)
        means = np.asarray(self._sums[:, seen] / self._nums[seen, None], np.float32)
        return column_offsets(means, axis_column).values

    def _count(self, integrals: NDArray[np.float32], angles_deg: NDArray[np.float64], sign: int) -> None:
        parts = np.mod(np.asarray(angles_deg, np.float64), HALF_TURN_DEG) / HALF_TURN_DEG
        for frame, number in zip(integrals, np.minimum((parts * NUM_BINS).astype(int), NUM_BINS - 1), strict=True):
            self._sums[:, number] += sign * frame
            self._nums[number] += sign
