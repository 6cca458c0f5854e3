"""Where a slice is reconstructed: points on a square lattice with the rotation axis in its middle."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Lattice:
    """Points ordered (y, x), in columns of the detector from the rotation axis, which lies in their middle.

    A lattice of one y is a line along x: reconstructed for all rows it is the upright plane ordered (z, x).
    ``spacing_columns`` is how far neighbouring points lie apart.
    """

    num_y: int
    num_x: int
    spacing_columns: float = 1.0

    @classmethod
    def square(cls, num: int) -> "Lattice":
        """Take as many points in y as in x, one column apart."""
        return cls(num, num)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of points in y and x."""
        return self.num_y, self.num_x

    @property
    def x(self) -> NDArray[np.float64]:
        """Places in columns, shape (1, num_x)."""
        return _places(self.num_x, self.spacing_columns)[None, :]

    @property
    def y(self) -> NDArray[np.float64]:
        """Places in columns, shape (num_y, 1)."""
        return _places(self.num_y, self.spacing_columns)[:, None]

    def within(self, radius_columns: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return for each y the first x within a radius of the axis, and the end; both 0 where there is none."""
        y = self.y[:, 0]
        half = np.sqrt(np.maximum(radius_columns**2 - y**2, 0)) / self.spacing_columns
        middle = (self.num_x - 1) / 2
        first = np.maximum(np.ceil(middle - half), 0).astype(np.int64)
        stop = np.minimum(np.floor(middle + half) + 1, self.num_x).astype(np.int64)
        inside = (np.abs(y) <= radius_columns) & (first < stop)
        return np.where(inside, first, 0), np.where(inside, stop, 0)


def _places(num: int, spacing: float) -> NDArray[np.float64]:
    return np.asarray((np.arange(num) - (num - 1) / 2) * spacing, np.float64)
