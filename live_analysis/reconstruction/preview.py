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
from live_analysis.reconstruction.hierarchy import LINEAR_STEPS
from live_analysis.reconstruction.preview_planes import FRAMES_AT_ONCE, PLANES, XY, XZ, YZ, PreviewPlanes

LEAST_CORRECTION = 1e-6  # of a projection's weight


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
        if num_rows < 1 or not 0 < angle_step_deg <= 90:
            raise ProjectionError(
                f"{num_rows} rows and an angle step of {angle_step_deg:g} deg were given; there is at least one row, "
                "and the step lies between 0 and 90 deg."
            )
        if num_kept < FRAMES_AT_ONCE:
            raise ProjectionError(f"a preview keeps at least {FRAMES_AT_ONCE} projections; {num_kept} were asked for.")
        self._shape, self._step_rad = (num_rows, num_columns), math.radians(angle_step_deg)
        self._planes = PreviewPlanes(num_rows, num_columns, axis_column, num_kept, linear_steps)
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
        return self._planes.num_bytes

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
            If shapes do not match or an angle is no number; nothing is added then.
        """
        num_chunks, *size = self._planes.frame_shape
        fits = filtered.ndim == 4 and (len(filtered), *filtered.shape[2:]) == (num_chunks, *size)
        if not fits or not 0 <= first <= filtered.shape[1] - len(angles_deg):
            raise ProjectionError(
                f"{len(angles_deg)} filtered projections from {first} on were announced in a buffer of shape "
                f"{filtered.shape}; needed is {(num_chunks, '>= ' + str(first + len(angles_deg)), *size)}, as a filter "
                f"for {self._shape[0]} rows and {self._shape[1]} columns makes it."
            )
        if not np.isfinite(angles_deg).all():
            raise ProjectionError("an angle is NaN or infinite: leave that projection out.")
        filtered, new = np.ascontiguousarray(filtered), len(self._angles_rad)
        self._angles_rad += np.radians(angles_deg).tolist()
        for angle in self._angles_rad[new:]:
            bisect.insort(self._folded, angle % math.pi)
        self._wanted += [True] * len(angles_deg)
        self._applied_rad += [self._weight_so_far(angle % math.pi) for angle in self._angles_rad[new:]]
        for begin in range(0, len(angles_deg), FRAMES_AT_ONCE):
            indices = range(new + begin, min(new + begin + FRAMES_AT_ONCE, len(self._angles_rad)))
            angles, weights = (
                np.array(self._angles_rad[indices.start : indices.stop]),
                np.array(self._applied_rad[indices.start : indices.stop]),
            )
            places = np.array(indices) % self._planes.num_kept
            self._planes.take(filtered, first + begin, places, angles, weights)

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
        oldest = max(0, len(self._angles_rad) - self._planes.num_kept)
        for plane, (at, _, _) in zip(PLANES, asked, strict=True):
            if at is not None and at != self._planes.at[plane]:
                self._planes.at[plane], self._since[plane] = at, oldest
                self._planes.clear(plane)
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
        if index < len(self._wanted) - self._planes.num_kept:
            raise ProjectionError(
                f"projection {index} is no longer kept, only the latest {self._planes.num_kept}: begin a new preview."
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
        oldest = max(0, len(wanted) - self._planes.num_kept)
        change = np.abs(target - self._applied_rad)[oldest:]
        indices = (oldest + np.flatnonzero(change > LEAST_CORRECTION * self._step_rad)).tolist()
        self._correct(indices, target[indices])

    def slices(self) -> Slices:
        """Return the planes as they are now, as copies."""
        row, y, x = self._planes.at
        return Slices(row, y, x, self._plane(XY), self._plane(XZ), self._plane(YZ))

    def _plane(self, plane: int) -> Plane:
        since = self._since[plane]
        wanted = np.array(self._wanted[since:], bool)
        if not wanted.any():
            return Plane(self._planes.values(plane, 0.0), 0.0, 0)
        angles = np.array(self._angles_rad[since:])[wanted]
        stands_for_rad = float(weights_so_far(angles, self._step_rad)[0].sum())
        whole = math.pi / math.fsum(self._applied_rad[since:])
        return Plane(self._planes.values(plane, whole), min(stands_for_rad / math.pi, 1.0), len(angles))

    def _weight_so_far(self, folded_rad: float) -> float:
        """Return what `weights_so_far` says of one angle, without a look at all others."""
        at, num, step = bisect.bisect_left(self._folded, folded_rad), len(self._folded), self._step_rad
        before = (folded_rad - self._folded[at - 1]) % math.pi
        after = (self._folded[(at + 1) % num] - folded_rad) % math.pi
        return sum(step if gap > OPEN_IN_STEPS * step or num == 1 else gap for gap in (before, after)) / 2

    def _correct(self, indices: list[int], target_rad: NDArray[np.float64]) -> None:
        """Change the weights of projections that are kept."""
        applied = np.array(self._applied_rad)
        self._add_again(indices, target_rad - applied[indices], PLANES)
        for index, weight in zip(indices, target_rad.tolist(), strict=True):
            self._applied_rad[index] = weight

    def _add_again(self, indices: list[int], weights: NDArray[np.float64], planes: Sequence[int]) -> None:
        for begin in range(0, len(indices), FRAMES_AT_ONCE):
            chosen = np.array(indices[begin : begin + FRAMES_AT_ONCE])
            angles = np.array([self._angles_rad[index] for index in chosen])
            part = weights[begin : begin + FRAMES_AT_ONCE]
            self._planes.add_kept(planes, chosen % self._planes.num_kept, angles, part)
