"""Three planes through a volume that nobody has to compute: up to date with every projection, and movable.

Whoever filters projections for a volume hands them on to the preview, which adds them to its planes and keeps them in
16 bits: a plane that moves is filled again from what is kept, with no filter.
"""

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.angle_weights import OPEN_IN_STEPS, ProjectionError, angle_weights, weights_so_far
from live_analysis.reconstruction.hierarchy import LINEAR_STEPS, circle
from live_analysis.reconstruction.lanes import NUM_LANES
from live_analysis.reconstruction.preview_kernels import (
    QUARTERS,
    ROWS_AT_ONCE,
    SUBCOLUMNS,
    add_kept,
    add_rows,
    rays_of_line,
    read_row,
    take_frames,
)
from live_analysis.reconstruction.ramp_filter import MARGIN_COLUMNS
from live_analysis.reconstruction.smoothed_spline import NUM_TAPS, smoothed_spline

FRAMES_AT_ONCE = 8
LEAST_CORRECTION = 1e-6  # of a projection's weight
NEAREST_IN_STEPS = 1 / 8  # linear interpolations that smooth as much as taking the nearest quarter column does
XY, XZ, YZ = range(3)


@dataclass(frozen=True)
class Plane:
    """Attenuation in 1/cm in a plane, NaN where not every direction sees the point, and what it rests on.

    ``coverage`` is the part of the half turn that the ``num_projections`` projections in it stand for.
    """

    values: NDArray[np.float32]
    coverage: float
    num_projections: int


@dataclass(frozen=True)
class Slices:
    """Planes of a volume ordered (row, y, x): ``xy`` is its [row], ``xz`` its [:, y] and ``yz`` its [:, :, x]."""

    row: int
    y: int
    x: int
    xy: Plane
    xz: Plane
    yz: Plane


class Preview:
    """Adds filtered projections to three planes of the volume, which begin in its middle.

    Grey values are right from the first projections on: a plane is the sum of what has come, divided by the part of the
    half turn that this stands for. One thread at a time may use a preview.

    Parameters
    ----------
    num_rows, num_columns
        Shape of a projection.
    axis_column
        Column of the rotation axis; fractions count.
    angle_step_deg
        About how far neighbouring angles will lie apart: a gap above one and a half of it is taken for one that
        projections may still fill.
    num_kept
        Projections that are kept, the latest ones, in two bytes per pixel: those of a whole scan, if memory allows.
    linear_steps
        Of the filter that the projections come from: see `RampFilter`.
    """

    def __init__(
        self,
        num_rows: int,
        num_columns: int,
        axis_column: float,
        *,
        angle_step_deg: float,
        num_kept: int,
        linear_steps: float = LINEAR_STEPS,
    ) -> None:
        radius = min(axis_column, num_columns - 1 - axis_column)
        if not radius > 1:
            raise ProjectionError(
                f"the rotation axis lies at column {axis_column:g} of {num_columns}: nothing is seen from all sides. "
                "Give the axis within the view."
            )
        if num_kept < FRAMES_AT_ONCE:
            raise ProjectionError(f"a preview keeps at least {FRAMES_AT_ONCE} projections; {num_kept} were asked for.")
        self._shape, self._axis_column = (num_rows, num_columns), axis_column
        self._step_rad = math.radians(angle_step_deg)
        num_chunks, num_samples = -(-num_rows // NUM_LANES), num_columns + 2 * MARGIN_COLUMNS
        self._first_x, self._stop_x = circle(num_columns, radius)
        self._table = smoothed_spline(np.arange(SUBCOLUMNS + 1) / SUBCOLUMNS, linear_steps)
        # The rotation axis lies between two samples, which are then as far from it on both sides.
        self._axis_sample = math.ceil(QUARTERS * (axis_column + MARGIN_COLUMNS))
        shift = self._axis_sample - QUARTERS * (axis_column + MARGIN_COLUMNS)
        middles = (np.arange(QUARTERS) + 0.5 - shift) / QUARTERS
        self._row_taps = smoothed_spline(middles, linear_steps - NEAREST_IN_STEPS)
        self._xy = np.zeros((num_columns, num_columns), np.float32)
        self._upright = np.zeros((2, num_chunks, num_columns, NUM_LANES), np.float32)
        self._lefts = np.zeros((2, FRAMES_AT_ONCE, num_columns), np.int32)
        self._taps = np.zeros((2, FRAMES_AT_ONCE, num_columns, NUM_TAPS), np.float32)
        self._samples = np.zeros((FRAMES_AT_ONCE, QUARTERS * num_samples), np.float32)
        self._kept = np.empty((num_chunks, num_kept, num_samples, NUM_LANES), np.int16)
        self._kept.fill(0)  # touched now: the first touch of memory costs more than all that a preview does
        self._units = np.zeros((num_chunks, num_kept), np.float32)
        self._at = [num_rows // 2, num_columns // 2, num_columns // 2]
        self._since = [0, 0, 0]  # the first projection that each plane holds; the later ones are all in it
        self._angles_rad: list[float] = []
        self._folded: list[float] = []  # angles modulo pi of the projections that count, in order
        self._wanted: list[bool] = []
        self._applied_rad: list[float] = []

    @property
    def num_projections(self) -> int:
        """Projections that count."""
        return sum(self._wanted)

    @property
    def num_bytes(self) -> int:
        """Bytes of all arrays that are held."""
        arrays = self._xy, self._upright, self._lefts, self._taps, self._samples, self._kept, self._units
        return sum(array.nbytes for array in arrays)

    def add(self, filtered: NDArray[np.float32], angles_deg: NDArray[np.float64], first: int = 0) -> None:
        """Add projections that a filter has left in a buffer.

        Parameters
        ----------
        filtered
            Buffer of a `RampFilter`, shape (chunk, frame, column with margins, 16).
        angles_deg
            Angles of the frames ``first``, ``first + 1``, ...

        Raises
        ------
        ProjectionError
            If shapes do not match; nothing is added then.
        """
        num_chunks, _, *size = self._kept.shape
        fits = filtered.ndim == 4 and (len(filtered), *filtered.shape[2:]) == (num_chunks, *size)
        if not fits or not 0 <= first <= filtered.shape[1] - len(angles_deg):
            raise ProjectionError(
                f"{len(angles_deg)} filtered projections from {first} on were announced in a buffer of shape "
                f"{filtered.shape}; needed is {(num_chunks, '>= ' + str(first + len(angles_deg)), *size)}, as a filter "
                f"for {self._shape[0]} rows and {self._shape[1]} columns makes it."
            )
        new = len(self._angles_rad)
        self._angles_rad += np.radians(angles_deg).tolist()
        for angle in self._angles_rad[new:]:
            bisect.insort(self._folded, angle % math.pi)
        self._wanted += [True] * len(angles_deg)
        self._applied_rad += [self._weight_so_far(angle % math.pi) for angle in self._angles_rad[new:]]
        for begin in range(0, len(angles_deg), FRAMES_AT_ONCE):
            indices = range(new + begin, min(new + begin + FRAMES_AT_ONCE, len(self._angles_rad)))
            self._take(np.ascontiguousarray(filtered), first + begin, indices)

    def move(self, *, row: int | None = None, y: int | None = None, x: int | None = None) -> None:
        """Let planes pass through other voxels; they are filled with all projections that are kept.

        Raises
        ------
        ProjectionError
            If a plane would lie outside the volume; nothing moves then.
        """
        asked = (row, self._shape[0], "row"), (y, self._shape[1], "y"), (x, self._shape[1], "x")
        for at, num, name in asked:
            if at is not None and not 0 <= at < num:
                raise ProjectionError(f"the plane cannot move to {name} = {at}: the volume has 0 to {num - 1}.")
        oldest = max(0, len(self._angles_rad) - self._kept.shape[1])
        for plane, (at, _, _) in enumerate(asked):
            if at is not None and at != self._at[plane]:
                self._at[plane], self._since[plane] = at, oldest
                (self._xy if plane == XY else self._upright[plane - XZ])[:] = 0
                indices = [i for i in range(oldest, len(self._wanted)) if self._applied_rad[i]]
                self._add_again(indices, np.array(self._applied_rad)[indices], (plane,))

    def retract(self, index: int) -> None:
        """Take the projection that was added as number ``index`` (from 0) out again: it turned out to be damaged.

        Raises
        ------
        ProjectionError
            If it is not in the planes, or no longer kept.
        """
        if not 0 <= index < len(self._wanted) or not self._wanted[index]:
            raise ProjectionError(f"projection {index} is not in the preview, which holds {self.num_projections}.")
        if index < len(self._wanted) - self._kept.shape[1]:
            raise ProjectionError(
                f"projection {index} is no longer kept, only the latest {self._kept.shape[1]}: begin a new preview."
            )
        self._wanted[index] = False
        self._folded.remove(self._angles_rad[index] % math.pi)
        self._correct([index], np.zeros(1))

    def settle(self) -> None:
        """Give every projection that is kept the weight that it has now that the others are there too.

        Without it a projection has the weight that it had on arrival, which is the same for neighbours in order and in
        regular interlaced orders.

        Raises
        ------
        ProjectionError
            If there are fewer than two different angles.
        """
        wanted = np.array(self._wanted, bool)
        target = np.zeros(len(wanted))
        target[wanted] = angle_weights(np.degrees(np.array(self._angles_rad)[wanted])).weights_rad
        oldest = max(0, len(wanted) - self._kept.shape[1])
        change = np.abs(target - self._applied_rad)[oldest:]
        indices = (oldest + np.flatnonzero(change > LEAST_CORRECTION * self._step_rad)).tolist()
        self._correct(indices, target[indices])

    def slices(self) -> Slices:
        """Return the planes as they are now, as copies."""
        row, y, x = self._at
        xy = self._plane(XY, self._xy)
        xz, yz = (self._plane(p, self._upright_values(p)) for p in (XZ, YZ))
        xy.values[~self._seen()] = np.nan
        for plane, values in ((XZ, xz.values), (YZ, yz.values)):
            first, stop = self._line(plane)
            values[:, :first], values[:, stop:] = np.nan, np.nan
        return Slices(row, y, x, xy, xz, yz)

    def _plane(self, plane: int, sums: NDArray[np.float32]) -> Plane:
        since = self._since[plane]
        wanted = np.array(self._wanted[since:], bool)
        if not wanted.any():
            return Plane(np.zeros_like(sums), 0.0, 0)
        angles = np.array(self._angles_rad[since:])[wanted]
        stands_for_rad = float(weights_so_far(angles, self._step_rad)[0].sum())
        whole = math.pi / math.fsum(self._applied_rad[since:])
        return Plane(sums * np.float32(whole), min(stands_for_rad / math.pi, 1.0), len(angles))

    def _upright_values(self, plane: int) -> NDArray[np.float32]:
        rows = self._upright[plane - XZ].transpose(0, 2, 1).reshape(-1, self._shape[1])
        return np.asarray(rows[: self._shape[0]])

    def _seen(self) -> NDArray[np.bool_]:
        x = np.arange(self._shape[1])
        return (x >= self._first_x[:, None]) & (x < self._stop_x[:, None])

    def _line(self, plane: int) -> tuple[int, int]:
        """Return the first point of an upright plane that every direction sees, and the end."""
        at = self._at[plane]
        if plane == XZ:
            return int(self._first_x[at]), int(self._stop_x[at])
        seen = np.flatnonzero((self._first_x <= at) & (at < self._stop_x))
        return (int(seen[0]), int(seen[-1]) + 1) if seen.size else (0, 0)

    def _weight_so_far(self, folded_rad: float) -> float:
        """Return what `weights_so_far` says of one angle, without a look at all others."""
        at, num, step = bisect.bisect_left(self._folded, folded_rad), len(self._folded), self._step_rad
        before = (folded_rad - self._folded[at - 1]) % math.pi
        after = (self._folded[(at + 1) % num] - folded_rad) % math.pi
        return sum(step if gap > OPEN_IN_STEPS * step or num == 1 else gap for gap in (before, after)) / 2

    def _rays(
        self, plane: int, cosines: NDArray[np.float64], sines: NDArray[np.float64], w: NDArray[np.float64]
    ) -> None:
        """Prepare an upright plane for frames."""
        middle = (self._shape[1] - 1) / 2
        along, across = (cosines, sines) if plane == XZ else (sines, cosines)
        starts = self._axis_column + MARGIN_COLUMNS - middle * along + (self._at[plane] - middle) * across
        first, stop = self._line(plane)
        rays_of_line(self._lefts[plane - XZ], self._taps[plane - XZ], w, starts, along, first, stop, self._table)

    def _take(self, filtered: NDArray[np.float32], first_frame: int, indices: range) -> None:
        angles, weights = np.array(self._angles_rad)[indices], np.array(self._applied_rad)[indices]
        cosines, sines = np.cos(angles), np.sin(angles)
        lines = [self._line(plane) for plane in (XZ, YZ)]
        for plane in (XZ, YZ):
            self._rays(plane, cosines, sines, weights)
        first, stop = np.array(lines).T
        places = np.array(indices) % self._kept.shape[1]
        slots = first_frame + np.arange(len(indices))
        take_frames(
            self._xy,
            self._first_x,
            self._stop_x,
            *self._rows(filtered[self._at[XY] // NUM_LANES], slots, weights, cosines, sines),
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

    def _rows(
        self,
        frames: NDArray[np.float32] | NDArray[np.int16],
        places: NDArray[np.int64],
        scales: NDArray[np.float64],
        cosines: NDArray[np.float64],
        sines: NDArray[np.float64],
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64], int]:
        """Read the rows of the horizontal plane; return what adds them to it."""
        num = len(places)
        padding = -num % ROWS_AT_ONCE
        lane = self._at[XY] % NUM_LANES
        read_row(self._samples, frames, places, scales.astype(np.float32), lane, self._row_taps)
        self._samples[num : num + padding] = 0
        steps_x, steps_y = np.pad(cosines, (0, padding)), np.pad(sines, (0, padding))
        return self._samples[: num + padding], steps_x, steps_y, self._axis_sample

    def _correct(self, indices: list[int], target_rad: NDArray[np.float64]) -> None:
        """Change the weights of projections that are kept."""
        applied = np.array(self._applied_rad)
        self._add_again(indices, target_rad - applied[indices], (XY, XZ, YZ))
        for index, weight in zip(indices, target_rad.tolist(), strict=True):
            self._applied_rad[index] = weight

    def _add_again(self, indices: list[int], weights: NDArray[np.float64], planes: Sequence[int]) -> None:
        for begin in range(0, len(indices), FRAMES_AT_ONCE):
            chosen = np.array(indices[begin : begin + FRAMES_AT_ONCE])
            places, part = chosen % self._kept.shape[1], weights[begin : begin + FRAMES_AT_ONCE]
            angles = np.array([self._angles_rad[index] for index in chosen])
            cosines, sines = np.cos(angles), np.sin(angles)
            for plane in planes:
                if plane == XY:
                    chunk = self._at[XY] // NUM_LANES
                    scales = part * self._units[chunk, places]
                    rows = self._rows(self._kept[chunk], places, scales, cosines, sines)
                    add_rows(self._xy, self._first_x, self._stop_x, *rows)
                    continue
                self._rays(plane, cosines, sines, part)
                u, line = plane - XZ, self._line(plane)
                add_kept(self._upright[u], *line, self._lefts[u], self._taps[u], self._kept, self._units, places)
