"""Points that not every direction sees."""

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.lattice import Lattice


def blank_unseen(volume: NDArray[np.float32], axis_column: float) -> None:
    """Put NaN, in place, where not every direction sees a point of slices (row, y, x) centred on the axis."""
    num_columns = volume.shape[2]
    first_x, stop_x = Lattice.square(num_columns).within(min(axis_column, num_columns - 1 - axis_column))
    x = np.arange(num_columns)
    volume[:, (x < first_x[:, None]) | (x >= stop_x[:, None])] = np.nan
