"""A volume in chunks of sixteen rows, innermost, of which only what every direction sees is used."""

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.lanes import NUM_LANES
from live_analysis.reconstruction.lattice import Lattice


class ChunkedVolume:
    """Sums of shape (chunk, y, x, 16), from ``first_x[y]`` to ``stop_x[y] - 1``.

    Parameters
    ----------
    num_rows, num_columns
        Shape of a projection.
    axis_column
        Column of the rotation axis, which is the middle of the square of ``num_columns`` points.
    """

    def __init__(self, num_rows: int, num_columns: int, axis_column: float) -> None:
        self._num_rows = num_rows
        self.chunks = np.zeros((-(-num_rows // NUM_LANES), num_columns, num_columns, NUM_LANES), np.float32)
        self.first_x, self.stop_x = Lattice.square(num_columns).within(min(axis_column, num_columns - 1 - axis_column))

    def clear(self) -> None:
        """Start again with nothing added."""
        self.chunks[:] = 0

    def values(self) -> NDArray[np.float32]:
        """Return the sum, shape (row, y, x); NaN where not every direction sees the point."""
        num_y, num_x = self.chunks.shape[1:3]
        values = np.full((self._num_rows, num_y, num_x), np.nan, np.float32)
        for first_row, slab in zip(range(0, self._num_rows, NUM_LANES), self.chunks, strict=True):
            rows = values[first_row : first_row + NUM_LANES]
            for y, (first, stop) in enumerate(zip(self.first_x, self.stop_x, strict=True)):
                rows[:, y, first:stop] = slab[y, first:stop, : len(rows)].T
        return values
