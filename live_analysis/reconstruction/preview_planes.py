"""The sums in three planes through a volume, and the filtered projections that are kept to fill them again."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.horizontal_plane import QUARTERS, ROWS_AT_ONCE, Filtered, add_rows, read_row
from live_analysis.reconstruction.lanes import NUM_LANES
from live_analysis.reconstruction.lattice import Lattice
from live_analysis.reconstruction.preview_frames import take_frames
from live_analysis.reconstruction.ramp_filter import MARGIN_COLUMNS
from live_analysis.reconstruction.single_slice import row_reading
from live_analysis.reconstruction.smoothed_spline import NUM_TAPS, smoothed_spline
from live_analysis.reconstruction.upright_plane import SUBCOLUMNS, add_kept, rays_of_line

FRAMES_AT_ONCE = 16
XY, XZ, YZ = range(3)
PLANES = (XY, XZ, YZ)


class PreviewPlanes:
    """Planes XY, XZ and YZ, which pass through row, y and x of ``at``, and room for ``num_kept`` projections.

    Parameters
    ----------
    num_rows, num_columns
        Shape of a projection.
    axis_column
        Column of the rotation axis; fractions count. It lies more than a column inside the view.
    num_kept
        Projections that are kept, each at a place of its own from 0 on.
    linear_steps
        Of the filter, see `RampFilter`.
    """

    def __init__(self, num_rows: int, num_columns: int, axis_column: float, num_kept: int, linear_steps: float) -> None:
        self._shape, self._axis_column = (num_rows, num_columns), axis_column
        self.at = [num_rows // 2, num_columns // 2, num_columns // 2]
        self.num_kept = num_kept
        num_chunks, num_samples = -(-num_rows // NUM_LANES), num_columns + 2 * MARGIN_COLUMNS
        self._first_x, self._stop_x = Lattice.square(num_columns).within(
            min(axis_column, num_columns - 1 - axis_column)
        )
        self._table = smoothed_spline(np.arange(SUBCOLUMNS + 1) / SUBCOLUMNS, linear_steps)
        self._axis_sample, self._row_taps = row_reading(axis_column, linear_steps)
        self._xy = np.zeros((num_columns, num_columns), np.float32)
        self._upright = np.zeros((2, num_chunks, num_columns, NUM_LANES), np.float32)
        self._lefts = np.zeros((2, FRAMES_AT_ONCE, num_columns), np.int32)
        self._taps = np.zeros((2, FRAMES_AT_ONCE, num_columns, NUM_TAPS), np.float32)
        self._samples = np.zeros((FRAMES_AT_ONCE, QUARTERS * num_samples), np.float32)
        self._kept = np.empty((num_chunks, num_kept, num_samples, NUM_LANES), np.int16)
        self._kept.fill(0)  # touched now: the first touch of memory costs more than all that a preview does
        self._units = np.zeros((num_chunks, num_kept), np.float32)

    @property
    def num_bytes(self) -> int:
        """Bytes of all arrays that are held."""
        arrays = self._xy, self._upright, self._lefts, self._taps, self._samples, self._kept, self._units
        return sum(array.nbytes for array in arrays)

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """Chunks, columns with margins and rows in a chunk of a filtered projection."""
        return self._kept.shape[0], self._kept.shape[2], self._kept.shape[3]

    def values(self, plane: int, factor: float) -> NDArray[np.float32]:
        """Return the sums in a plane times a factor; NaN where not every direction sees the point."""
        if plane == XY:
            x = np.arange(self._shape[1])
            seen = (x >= self._first_x[:, None]) & (x < self._stop_x[:, None])
            return np.where(seen, self._xy * np.float32(factor), np.float32(np.nan))
        rows = self._upright[plane - XZ].transpose(0, 2, 1).reshape(-1, self._shape[1])
        values = np.asarray(rows[: self._shape[0]] * np.float32(factor))
        first, stop = self._line(plane)
        values[:, :first], values[:, stop:] = np.nan, np.nan
        return values

    def clear(self, plane: int) -> None:
        """Let a plane hold nothing."""
        (self._xy if plane == XY else self._upright[plane - XZ])[:] = 0

    def take(
        self,
        filtered: NDArray[np.float32],
        first_frame: int,
        places: NDArray[np.int64],
        angles_rad: NDArray[np.float64],
        weights_rad: NDArray[np.float64],
    ) -> None:
        """Add at most FRAMES_AT_ONCE frames of a buffer, from ``first_frame`` on, and keep them at ``places``."""
        cosines, sines = np.cos(angles_rad), np.sin(angles_rad)
        for plane in (XZ, YZ):
            self._rays(plane, cosines, sines, weights_rad)
        first, stop = np.array([self._line(plane) for plane in (XZ, YZ)]).T
        slots = first_frame + np.arange(len(places))
        take_frames(
            self._xy,
            self._first_x,
            self._stop_x,
            *self._rows(filtered[self.at[XY] // NUM_LANES], slots, weights_rad, cosines, sines),
            self._upright,
            first,
            stop,
            self._lefts,
            self._taps,
            filtered,
            first_frame,
            self._kept,
            self._units,
            places,
        )

    def add_kept(
        self,
        planes: Sequence[int],
        places: NDArray[np.int64],
        angles_rad: NDArray[np.float64],
        weights_rad: NDArray[np.float64],
    ) -> None:
        """Add at most FRAMES_AT_ONCE frames that are kept to some of the planes."""
        cosines, sines = np.cos(angles_rad), np.sin(angles_rad)
        if XY in planes:
            chunk = self.at[XY] // NUM_LANES
            scales = weights_rad * self._units[chunk, places]
            rows = self._rows(self._kept[chunk], places, scales, cosines, sines)
            add_rows(self._xy, self._first_x, self._stop_x, *rows)
        for plane in (XZ, YZ):
            if plane in planes:
                self._rays(plane, cosines, sines, weights_rad)
                u, line = plane - XZ, self._line(plane)
                add_kept(self._upright[u], *line, self._lefts[u], self._taps[u], self._kept, self._units, places)

    def _line(self, plane: int) -> tuple[int, int]:
        """Return the first point of an upright plane that every direction sees, and the end."""
        at = self.at[plane]
        if plane == XZ:
            return int(self._first_x[at]), int(self._stop_x[at])
        seen = np.flatnonzero((self._first_x <= at) & (at < self._stop_x))
        return (int(seen[0]), int(seen[-1]) + 1) if seen.size else (0, 0)

    def _rays(
        self, plane: int, cosines: NDArray[np.float64], sines: NDArray[np.float64], weights_rad: NDArray[np.float64]
    ) -> None:
        """Prepare an upright plane for frames."""
        middle = (self._shape[1] - 1) / 2
        along, across = (cosines, sines) if plane == XZ else (sines, cosines)
        starts = self._axis_column + MARGIN_COLUMNS - middle * along + (self.at[plane] - middle) * across
        u, line = plane - XZ, self._line(plane)
        rays_of_line(self._lefts[u], self._taps[u], weights_rad, starts, along, *line, self._table)

    def _rows(
        self,
        frames: Filtered,
        places: NDArray[np.int64],
        scales: NDArray[np.float64],
        cosines: NDArray[np.float64],
        sines: NDArray[np.float64],
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64], int]:
        """Read the rows of the horizontal plane; return what adds them to it."""
        num = len(places)
        padding = -num % ROWS_AT_ONCE
        lane = self.at[XY] % NUM_LANES
        read_row(self._samples, frames, places, scales.astype(np.float32), lane, self._row_taps)
        self._samples[num : num + padding] = 0
        steps_x, steps_y = np.pad(cosines, (0, padding)), np.pad(sines, (0, padding))
        return self._samples[: num + padding], steps_x, steps_y, self._axis_sample
