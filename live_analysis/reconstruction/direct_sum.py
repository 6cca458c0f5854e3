"""Filtered projections of known weight, summed to a volume one by one: for angles that come in no order."""

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.chunked_volume import ChunkedVolume
from live_analysis.reconstruction.direct import FRAMES_IN_PASS, HalfColumns
from live_analysis.reconstruction.hierarchy import LINEAR_STEPS
from live_analysis.reconstruction.ramp_filter import RampFilter


class DirectSum:
    """A volume and what is needed to add projections to it; it is used as a `HierarchicalSum` is.

    All angles belong to the one sector 0, so that projections of any angles wait for each other until a pass is full.

    Parameters
    ----------
    num_rows, num_columns
        Shape of a projection.
    axis_column
        Column of the rotation axis; fractions count. It lies more than a column inside the view.
    pixel_size_um
        Pixel size in the sample; voxels have the same.
    taper_columns
        See `RampFilter`.
    num_threads
        Threads of the filter.
    """

    num_slots = FRAMES_IN_PASS

    def __init__(
        self,
        num_rows: int,
        num_columns: int,
        axis_column: float,
        pixel_size_um: float,
        *,
        taper_columns: int,
        num_threads: int,
    ) -> None:
        # The same filter as for a hierarchy: a preview may be fed by either.
        self.filter = RampFilter(
            num_rows,
            num_columns,
            pixel_size_um,
            taper_columns=taper_columns,
            linear_steps=LINEAR_STEPS,
            num_threads=num_threads,
        )
        self._columns = HalfColumns(num_columns, axis_column, LINEAR_STEPS)
        self._volume = ChunkedVolume(num_rows, num_columns, axis_column)

    @property
    def num_bytes(self) -> int:
        """Bytes of the volume and the work space."""
        return self._volume.chunks.nbytes + self._columns.num_bytes + self.filter.num_bytes

    def sector(self, angle_rad: float) -> int:
        """Return the number of the one sector."""
        return 0

    def new_buffer(self) -> NDArray[np.float32]:
        """Return room for the filtered projections of a pass: see `RampFilter.new_buffer`."""
        return self.filter.new_buffer(self.num_slots)

    def add(
        self,
        sector: int,
        filtered: NDArray[np.float32],
        angles_rad: NDArray[np.float64],
        weights: NDArray[np.float64],
    ) -> None:
        """Add the first projections of a buffer with their weights in radians."""
        volume = self._volume
        for chunk, frames in zip(volume.chunks, filtered, strict=True):
            self._columns.add_to(chunk, volume.first_x, volume.stop_x, frames, weights.astype(np.float32), angles_rad)

    def clear(self) -> None:
        """Start again with nothing added."""
        self._volume.clear()

    def values(self) -> NDArray[np.float32]:
        """Return the sum in 1/cm, shape (row, y, x); NaN where not every direction sees the point."""
        return self._volume.values()
