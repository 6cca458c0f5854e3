"""What every reconstruction engine takes and gives."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scan:
    """Some rows of a parallel-beam scan, ready to be reconstructed.

    A sample point (x, y), in pixels from the rotation axis, is seen at angle theta in the column
    ``axis_column + x cos(theta) + y sin(theta)``.

    Attributes
    ----------
    integrals
        Attenuation integrals without NaN, unitless, shape (projection, row, column), float32.
    angles_deg
        Measured angles, shape (projection,), in any order; gaps and repetitions are allowed.
    axis_column
        Column of the rotation axis; fractions count.
    pixel_size_um
        Pixel size in the sample; voxels have the same.
    taper_columns
        Columns by which both edges are continued, falling to zero: above 0 where the object reaches beyond the view.
    """

    integrals: NDArray[np.float32]
    angles_deg: NDArray[np.float64]
    axis_column: float
    pixel_size_um: float
    taper_columns: int = 0


class Engine(Protocol):
    """Reconstructs slabs of rows; rows are independent of each other, so that any slab gives the same values."""

    @property
    def name(self) -> str:
        """Name by which people choose the engine."""

    def reconstruct(self, scan: Scan) -> NDArray[np.float32]:
        """Return attenuation in 1/cm, shape (row, y, x) with as many points in y and x as the scan has columns.

        The rotation axis is the middle of the square, between pixels where their number is even. Points that not every
        direction sees are NaN.

        Raises
        ------
        ProjectionError
            If the scan contradicts itself, has a NaN, or has fewer than two different angles.
        """
