"""Filtered projections of known weight, summed to a volume bundle by bundle."""

import math

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.chunked_volume import ChunkedVolume
from live_analysis.reconstruction.hierarchy import (
    ANGLES_IN_LEAF,
    LEAVES_IN_SECTOR,
    LINEAR_STEPS,
    WIDEST_SECTOR_RAD,
    add_leaf,
    add_sector,
    hierarchy,
    sum_leaf,
    zeros_of,
)
from live_analysis.reconstruction.ramp_filter import RampFilter

FRAMES_AT_ONCE = 8
WIDEST_STEP_RAD = WIDEST_SECTOR_RAD / (ANGLES_IN_LEAF * LEAVES_IN_SECTOR)


def typical_step(angles_rad: NDArray[np.float64]) -> float:
    """Return the mean distance of neighbouring angles within a turn, gaps left out."""
    ordered = np.sort(angles_rad)
    steps = np.diff(ordered, append=ordered[0] + 2 * np.pi)
    usual = steps[steps <= 2 * np.median(steps[steps > 0])]
    return min(float(usual.mean()), WIDEST_STEP_RAD)


class HierarchicalSum:
    """A volume and what is needed to add projections to it.

    Parameters
    ----------
    num_rows, num_columns
        Shape of a projection.
    axis_column
        Column of the rotation axis; fractions count. It lies more than a column inside the view.
    pixel_size_um
        Pixel size in the sample; voxels have the same.
    angle_step_rad
        About how far neighbouring angles lie apart: it sets the bundles in which they are summed.
    taper_columns
        See `RampFilter`.
    num_threads
        Threads of the filter.
    """

    def __init__(
        self,
        num_rows: int,
        num_columns: int,
        axis_column: float,
        pixel_size_um: float,
        *,
        angle_step_rad: float,
        taper_columns: int,
        num_threads: int,
    ) -> None:
        self._axis_column = axis_column
        self.filter = RampFilter(
            num_rows,
            num_columns,
            pixel_size_um,
            taper_columns=taper_columns,
            linear_steps=LINEAR_STEPS,
            num_threads=num_threads,
        )
        radius = min(axis_column, num_columns - 1 - axis_column)
        self.bundles = hierarchy(radius, angle_step_rad)
        self.num_slots = max(math.ceil(self.bundles.sector_rad / angle_step_rad), FRAMES_AT_ONCE)
        self._leaf_samples = zeros_of(self.bundles.leaf_grid)
        self._sector_samples = zeros_of(self.bundles.sector_grid)
        self._volume = ChunkedVolume(num_rows, num_columns, axis_column)

    @property
    def num_bytes(self) -> int:
        """Bytes of the volume and the work space."""
        arrays = self._volume.chunks, self._leaf_samples, self._sector_samples
        return sum(array.nbytes for array in arrays) + self.filter.num_bytes

    def sector(self, angle_rad: float) -> int:
        """Return the number of the sector that an angle belongs to."""
        return self.bundles.place(angle_rad)[0]

    def new_buffer(self) -> NDArray[np.float32]:
        """Return room for the filtered projections of a sector: see `RampFilter.new_buffer`."""
        return self.filter.new_buffer(self.num_slots)

    def add(
        self,
        sector: int,
        filtered: NDArray[np.float32],
        angles_rad: NDArray[np.float64],
        weights: NDArray[np.float64],
    ) -> None:
        """Add the first projections of a buffer, all of one sector, with their weights in radians."""
        bundles = self.bundles
        direction = bundles.direction_rad(sector)
        leaf_of = np.array([bundles.place(angle)[1] for angle in angles_rad])
        used = np.unique(leaf_of)
        leaf_grid, grid = bundles.leaf_grid, bundles.sector_grid
        for chunk in range(self.filter.num_chunks):
            for leaf in used:
                slots = np.flatnonzero(leaf_of == leaf)
                sum_leaf(
                    self._leaf_samples,
                    leaf_grid.step_t,
                    leaf_grid.num_s,
                    leaf_grid.first,
                    leaf_grid.stop,
                    leaf_grid.base,
                    filtered[chunk],
                    slots,
                    weights[slots].astype(np.float32),
                    angles_rad[slots] - (direction + bundles.leaf_offsets_rad[leaf]),
                    self._axis_column,
                )
                add_leaf(
                    self._sector_samples,
                    grid.step_t,
                    grid.num_s,
                    grid.first,
                    grid.stop,
                    grid.base,
                    self._leaf_samples,
                    float(bundles.leaf_offsets_rad[leaf]),
                    leaf_grid.step_t,
                    leaf_grid.num_s,
                    leaf_grid.base,
                    bool(leaf == used[0]),
                )
            add_sector(
                self._volume.chunks[chunk],
                self._volume.first_x,
                self._volume.stop_x,
                self._sector_samples,
                direction,
                grid.step_t,
                grid.num_s,
                grid.base,
            )

    def clear(self) -> None:
        """Start again with nothing added."""
        self._volume.clear()

    def values(self) -> NDArray[np.float32]:
        """Return the sum in 1/cm, shape (row, y, x); NaN where not every direction sees the point."""
        return self._volume.values()
