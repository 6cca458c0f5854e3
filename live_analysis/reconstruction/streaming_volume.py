"""A volume that is complete with the last projection: every projection is added when it comes, in any order.

Geometry: a sample point (x, y), in pixels from the rotation axis, is seen at angle theta in the column
``axis_column + x cos(theta) + y sin(theta)``.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.angle_weights import AngleWeights, ProjectionError, angle_weights, weights_so_far
from live_analysis.reconstruction.direct_sum import DirectSum
from live_analysis.reconstruction.hierarchical_sum import FRAMES_AT_ONCE, HierarchicalSum

LEAST_CORRECTION = 1e-6  # of a projection's weight

Recall = Callable[[int], NDArray[np.float32]]
Watcher = Callable[[NDArray[np.float32], NDArray[np.float64], int], None]


@dataclass(frozen=True)
class VolumeSoFar:
    """Attenuation in 1/cm and what it rests on.

    ``values`` has shape (row, y, x) and is NaN where not every direction sees the point.
    """

    values: NDArray[np.float32]
    weights: AngleWeights
    num_projections: int


@dataclass
class _Sector:
    filtered: NDArray[np.float32]
    indices: list[int] = field(default_factory=list)


class StreamingVolume:
    """Adds up projections to a volume.

    Parameters
    ----------
    num_rows, num_columns
        Shape of a projection.
    axis_column
        Column of the rotation axis; fractions count.
    pixel_size_um
        Pixel size in the sample; voxels have the same.
    angle_step_deg
        About how far neighbouring angles will lie apart: it sets the bundles in which they are summed.
    taper_columns
        See `RampFilter`: more than 0 where the object reaches beyond the view.
    recall
        Gives the integrals of the n-th added projection again, for corrections of its weight. Without it filtered
        projections with an open weight (at the ends of a scan, at gaps) are kept, most of them in an unordered scan.
        Angles that come again, in a second half turn or a repetition, change weights that were final: they need it.
    unordered
        Neighbours in time are not neighbours in angle: golden angle, random. Projections are then added one by one,
        since a bundle of one costs more than that; how often which way would be faster must not decide, for the two
        interpolate differently, up to 1.5 % of the range at sharp edges.
    watcher
        Is given projections as soon as they are filtered: a buffer, the angles in degrees, and where in the buffer they
        begin, as `Preview.add` takes them.
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
        angle_step_deg: float,
        taper_columns: int = 0,
        recall: Recall | None = None,
        unordered: bool = False,
        watcher: Watcher | None = None,
        num_threads: int = 2,
    ) -> None:
        radius = min(axis_column, num_columns - 1 - axis_column)
        if not radius > 1:
            raise ProjectionError(
                f"the rotation axis lies at column {axis_column:g} of {num_columns}: nothing is seen from all sides. "
                "Give the axis within the view."
            )
        if not 0 < angle_step_deg <= 90:
            raise ProjectionError(f"an angle step of {angle_step_deg:g} deg cannot be: it lies between 0 and 90 deg.")
        self._shape, self._recall = (num_rows, num_columns), recall
        self._step_rad = math.radians(angle_step_deg)
        self._watcher = watcher
        shape = num_rows, num_columns, axis_column, pixel_size_um
        self._sum: HierarchicalSum | DirectSum
        if unordered:
            self._sum = DirectSum(*shape, taper_columns=taper_columns, num_threads=num_threads)
        else:
            self._sum = HierarchicalSum(
                *shape, angle_step_rad=self._step_rad, taper_columns=taper_columns, num_threads=num_threads
            )
        self._open: dict[int, _Sector] = {}
        self._spare: list[_Sector] = []
        self._angles_rad: list[float] = []
        self._wanted: list[bool] = []
        self._applied_rad: list[float] = []
        self._kept: dict[int, NDArray[np.float32]] = {}

    @property
    def num_projections(self) -> int:
        """Projections that count."""
        return sum(self._wanted)

    @property
    def num_bytes(self) -> int:
        """Bytes of all arrays that are held."""
        filtered = [sector.filtered for sector in (*self._open.values(), *self._spare)]
        return sum(array.nbytes for array in (*filtered, *self._kept.values())) + self._sum.num_bytes

    def add(self, integrals: NDArray[np.float32], angles_deg: NDArray[np.float64]) -> None:
        """Add projections: attenuation integrals without NaN, shape (frame, row, column), and their angles.

        Raises
        ------
        ProjectionError
            If shapes do not match, or there is a NaN among integrals or angles; nothing is added then.
        """
        integrals, angles_deg = np.asarray(integrals, np.float32), np.asarray(angles_deg, np.float64)
        self._refuse(integrals, angles_deg)
        new = range(len(self._angles_rad), len(self._angles_rad) + len(angles_deg))
        # All angles first: who has both its neighbours gets its final weight at once.
        self._angles_rad += np.radians(angles_deg).tolist()
        self._wanted += [True] * len(new)
        self._applied_rad += [0.0] * len(new)
        for number, indices in self._portions(new):
            self._take(number, integrals[indices.start - new.start : indices.stop - new.start], indices)

    def retract(self, index: int) -> None:
        """Take the projection that was added as number ``index`` (from 0) out again: it turned out to be damaged.

        Raises
        ------
        ProjectionError
            If it is not in the volume, or without ``recall`` neither it nor its neighbours are at hand any more; the
            volume is then as before.
        """
        if not 0 <= index < len(self._wanted) or not self._wanted[index]:
            raise ProjectionError(f"projection {index} is not in the volume, which holds {self.num_projections}.")
        self._wanted[index] = False
        if self._recall is None and not self._can_settle():
            self._wanted[index] = True
            raise ProjectionError(
                f"projection {index} cannot be taken out: it or a neighbour was added with its final weight and is not "
                "kept. Give the volume a recall that reads projections again."
            )
        for number, sector in self._open.items():
            if index in sector.indices:
                self._flush(number)
                break

    def settle(self) -> None:
        """Bring the volume up to date with everything that has come and with the weights that it now has.

        Raises
        ------
        ProjectionError
            If there are fewer than two different angles, or a weight must change whose projection is not at hand.
        """
        for number in list(self._open):
            self._flush(number)
        target = self._final_weights()
        by_sector: dict[int, list[int]] = {}
        for index in self._wrong(target):
            by_sector.setdefault(self._sum.sector(self._angles_rad[index]), []).append(int(index))
        for number, indices in by_sector.items():
            for begin in range(0, len(indices), self._sum.num_slots):
                self._correct(number, indices[begin : begin + self._sum.num_slots], target)
        self._drop_settled()

    def result(self) -> VolumeSoFar:
        """Return the volume of what has come; more may be added afterwards.

        Raises
        ------
        ProjectionError
            If there are fewer than two different angles.
        """
        self.settle()
        return VolumeSoFar(self._sum.values(), self._weights(), self.num_projections)

    def _refuse(self, integrals: NDArray[np.float32], angles_deg: NDArray[np.float64]) -> None:
        if integrals.ndim != 3 or integrals.shape[1:] != self._shape or angles_deg.shape != integrals.shape[:1]:
            raise ProjectionError(
                f"projections of shape {integrals.shape} with angles of shape {angles_deg.shape} were given; needed is "
                f"(frame, row, column) with {self._shape[0]} rows and {self._shape[1]} columns, and an angle for each."
            )
        if not np.isfinite(angles_deg).all():
            raise ProjectionError("an angle is NaN or infinite: leave that projection out.")
        sums = integrals.sum(axis=(1, 2), dtype=np.float64)
        if not np.isfinite(sums).all():
            damaged = np.flatnonzero(~np.isfinite(sums))
            raise ProjectionError(
                f"projections {damaged.tolist()} of those given hold NaN or infinite attenuation integrals, which the "
                "filter would spread over whole rows: repair the pixels first, or leave these projections out."
            )

    def _portions(self, indices: range) -> Iterator[tuple[int, range]]:
        """Cut a row of projections into portions of one sector and of what is filtered at once."""
        sectors = [self._sum.sector(self._angles_rad[index]) for index in indices]
        for number, group in itertools.groupby(indices, key=lambda index: sectors[index - indices.start]):
            members = list(group)
            for begin in range(0, len(members), FRAMES_AT_ONCE):
                portion = members[begin : begin + FRAMES_AT_ONCE]
                yield number, range(portion[0], portion[-1] + 1)

    def _take(self, number: int, integrals: NDArray[np.float32], indices: range) -> None:
        for other in [other for other in self._open if other != number]:
            self._flush(other)
        sector = self._opened(number)
        if len(sector.indices) + len(integrals) > len(sector.filtered[0]):
            self._flush(number)
            sector = self._opened(number)
        first = len(sector.indices)
        self._sum.filter.filter(integrals, sector.filtered, first)
        if self._watcher is not None:
            self._watcher(sector.filtered, np.degrees(self._angles_rad[indices.start : indices.stop]), first)
        sector.indices += indices

    def _can_settle(self) -> bool:
        """Whether every projection whose weight must change is kept, or still to be added."""
        try:
            target = self._final_weights()
        except ProjectionError:  # too few angles so far
            return True
        waiting = {index for sector in self._open.values() for index in sector.indices}
        return all(index in self._kept or index in waiting for index in self._wrong(target).tolist())

    def _wrong(self, target: NDArray[np.float64]) -> NDArray[np.intp]:
        return np.flatnonzero(np.abs(target - self._applied_rad) > LEAST_CORRECTION * self._step_rad)

    def _opened(self, number: int) -> _Sector:
        if number not in self._open:
            self._open[number] = self._spare.pop() if self._spare else _Sector(self._sum.new_buffer())
        return self._open[number]

    def _flush(self, number: int) -> None:
        """Add what a sector holds with the weights as they look now; keep what may have to be corrected."""
        sector = self._open.pop(number)
        wanted = np.array(self._wanted)
        angles = np.array(self._angles_rad)
        weights = np.zeros(len(angles))
        settled = np.ones(len(angles), bool)
        weights[wanted], settled[wanted] = weights_so_far(angles[wanted], self._step_rad)
        self._sum.add(number, sector.filtered, angles[sector.indices], weights[sector.indices])
        for slot, index in enumerate(sector.indices):
            self._applied_rad[index] = weights[index]
            if self._recall is None and not settled[index]:
                self._kept[index] = sector.filtered[:, slot].copy()
        sector.indices.clear()
        self._spare.append(sector)

    def _correct(self, number: int, indices: list[int], target: NDArray[np.float64]) -> None:
        room = self._spare[0].filtered if self._spare else self._sum.new_buffer()
        for slot, index in enumerate(indices):
            if index in self._kept:
                room[:, slot] = self._kept[index]
            elif self._recall is not None:
                self._sum.filter.filter(np.asarray(self._recall(index), np.float32)[None], room, slot)
            else:
                raise ProjectionError(
                    f"projection {index} was added with its final weight and is not kept: to change it, give the "
                    "volume a recall that reads it again."
                )
        angles, applied = np.array(self._angles_rad)[indices], np.array(self._applied_rad)[indices]
        self._sum.add(number, room, angles, target[indices] - applied)
        for index in indices:
            self._applied_rad[index] = float(target[index])

    def _drop_settled(self) -> None:
        """Let go of projections whose neighbours have come: results asked for on the way must not pile them up."""
        if self._kept:
            wanted = np.flatnonzero(self._wanted)
            settled = weights_so_far(np.array(self._angles_rad)[wanted], self._step_rad)[1]
            for index in wanted[settled]:
                self._kept.pop(int(index), None)

    def _weights(self) -> AngleWeights:
        return angle_weights(np.degrees(np.array(self._angles_rad)[np.array(self._wanted, bool)]))

    def _final_weights(self) -> NDArray[np.float64]:
        target = np.zeros(len(self._angles_rad))
        target[np.array(self._wanted, bool)] = self._weights().weights_rad
        return target
