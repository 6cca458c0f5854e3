"""A reconstructed box that knows where its voxels lie, so that states can be compared place by place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.region_file import RegionState
from live_analysis.region_volume import RegionVolume

Floats = NDArray[np.float64]


class StateError(ValueError):
    """Two states that cannot be compared, or a state in which nothing is seen of what was asked."""


@dataclass(frozen=True)
class PlacedVolume:
    """Attenuation in 1/cm of a box about the rotation axis, shape (z downwards, y, x); NaN outside the view.

    ``first_row`` of ``num_view_rows`` detector rows is that of the box; ``core`` selects the region without its margin.
    """

    values_per_cm: NDArray[np.float32]
    voxel_size_um: float
    first_row: int
    num_view_rows: int
    core: tuple[slice, slice, slice]

    @classmethod
    def of_region(cls, region: RegionVolume, voxel_size_um: float, num_view_rows: int) -> "PlacedVolume":
        """Place a region that was reconstructed from a view of so many rows."""
        return cls(region.values_per_cm, voxel_size_um, region.rows.start, num_view_rows, region.core)

    @classmethod
    def of_state(cls, state: RegionState) -> "PlacedVolume":
        """Place the region of a tomogram as its file keeps it."""
        return cls(state.values_per_cm, state.voxel_size_um, state.first_row, state.num_rows, state.core)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along z, y and x."""
        num_z, num_y, num_x = self.values_per_cm.shape
        return num_z, num_y, num_x

    @property
    def heights_um(self) -> Floats:
        """Heights of the rows' centres above the bottom of the view, falling."""
        rows = self.first_row + np.arange(self.shape[0])
        return np.asarray((self.num_view_rows - rows - 0.5) * self.voxel_size_um)

    def positions_um(self, index: Floats) -> Floats:
        """Return x, y and height in um of indices z, y and x, shape (n, 3)."""
        across = (index[:, :0:-1] - (np.array(self.shape[:0:-1]) - 1) / 2) * self.voxel_size_um
        height_um = (self.num_view_rows - self.first_row - index[:, 0] - 0.5) * self.voxel_size_um
        return np.column_stack([across, height_um])

    def index_of(self, position_um: Floats) -> Floats:
        """Return indices z, y and x, with fractions, of x, y and height in um, shape (n, 3)."""
        across = position_um[:, 1::-1] / self.voxel_size_um + (np.array(self.shape[1:]) - 1) / 2
        row = self.num_view_rows - 0.5 - position_um[:, 2] / self.voxel_size_um
        return np.column_stack([row - self.first_row, across])

    def in_core(self, index: Floats) -> NDArray[np.bool_]:
        """Say which indices, shape (n, 3), lie in the region itself."""
        inside = np.ones(len(index), bool)
        for column, part in zip(index.T, self.core, strict=True):
            inside &= (column >= part.start - 0.5) & (column < part.stop - 0.5)
        return inside
