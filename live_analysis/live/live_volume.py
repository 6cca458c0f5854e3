"""A volume that grows with the projections, and is made again if its first assumptions turn out wrong."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.corrections.live_rings import LiveRings
from live_analysis.corrections.ring_volume import ring_volume
from live_analysis.live.growing_slices import GrowingSlices
from live_analysis.reconstruction.angle_weights import ProjectionError
from live_analysis.reconstruction.cylinder_model import CylinderFit, fit_cylinder
from live_analysis.reconstruction.lattice import Lattice
from live_analysis.reconstruction.streaming_volume import StreamingVolume
from live_analysis.rotation_axis import LOW_CONFIDENCE, RotationAxis, RotationAxisError, find_rotation_axis
from live_analysis.telling_rows import telling_rows
from operando.model.geometry import CellGeometry

NUM_FIRST = 16  # projections that tell what fills the bore before the first of them is added
ROWS_FOR_AXIS, FRAMES_FOR_AXIS, FRAMES_FOR_ROWS = 24, 360, 16
WHOLE_COVERAGE = 0.95  # of the half turn: with less, rings are no longer those of an even scan
# Within these the volume stays as it is. An axis wrong by 0.2 columns blurs less than a column of the detector; the
# model of the bore is taken off and added again, and an error of it shows only as far as the view is truncated.
AXIS_TOLERANCE_COLUMNS, CONTENT_TOLERANCE, CENTRE_TOLERANCE_COLUMNS = 0.2, 0.05, 20.0


@dataclass(frozen=True)
class Assumptions:
    """What a volume is begun with: the tomogram before has told it, else the sample is taken as centred.

    ``axis_column`` is in columns of the projections that are added, None for the middle one.
    """

    axis_column: float | None = None
    bore_centre_um: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class FinishedVolume:
    """A whole volume in 1/cm, shape (row, y, x), NaN where not every direction sees, and what it rests on.

    ``axis`` is None if the projections did not tell it; the assumed one was kept then. ``made_again`` says whether the
    assumptions were so wrong that projections were added anew, on the way or at the end. ``learned`` are assumptions
    for the next tomogram.
    """

    values_per_cm: NDArray[np.float32]
    num_projections: int
    coverage: float
    axis_column: float
    axis: RotationAxis | None
    grey_values_absolute: bool
    made_again: bool
    learned: Assumptions


class LiveVolume:
    """Adds projections as they come.

    Parameters
    ----------
    num_rows, num_columns, pixel_size_um
        Shape of a projection, and its pixel in the sample.
    angle_step_deg
        About how far neighbouring angles will lie apart.
    assumptions
        Where axis and bore are expected.
    cell, wall_per_cm
        Declared diameters and attenuation of the wall, for views narrower than the cell; None where unknown.
    slices
        Slices that shall grow with the volume.
    """

    def __init__(
        self,
        num_rows: int,
        num_columns: int,
        pixel_size_um: float,
        *,
        angle_step_deg: float,
        assumptions: Assumptions,
        cell: CellGeometry | None = None,
        wall_per_cm: float | None = None,
        slices: GrowingSlices | None = None,
    ) -> None:
        self._shape, self._pixel_size_um, self._step_deg = (num_rows, num_columns), pixel_size_um, angle_step_deg
        self._cell, self._wall_per_cm, self._slices = cell, wall_per_cm, slices
        middle = (num_columns - 1) / 2
        self._axis_column = middle if assumptions.axis_column is None else assumptions.axis_column
        self._bore_centre_um = assumptions.bore_centre_um
        self._rings = LiveRings(num_rows, num_columns)
        self._integrals: list[NDArray[np.float32]] = []
        self._angles_deg: list[float] = []
        self._cylinder: CylinderFit | None = None
        self._volume: StreamingVolume | None = None
        self._made_again = False

    def add(self, integrals: NDArray[np.float32], angles_deg: NDArray[np.float64]) -> None:
        """Add projections: attenuation integrals without NaN, shape (frame, row, column), and their angles."""
        first = len(self._integrals)
        self._integrals += list(np.asarray(integrals, np.float32))
        self._angles_deg += np.asarray(angles_deg, np.float64).tolist()
        self._rings.add(integrals, angles_deg)
        if self._volume is not None:
            self._volume.add(self._without_cell(range(first, len(self._integrals))), angles_deg)
        elif len(self._integrals) >= NUM_FIRST:
            self._begin(self._fit(self._axis_column, self._bore_centre_um))

    def finish(self) -> FinishedVolume:
        """Return the volume of everything added.

        Raises
        ------
        ProjectionError, CylinderFitError
            If the projections are too few, or contradict the declared cell.
        """
        if not self._integrals:
            raise ProjectionError("there is no projection, so there is no volume.")
        self._slices = None  # whatever is added again now is seen in the volume itself
        axis = self.check_assumptions()
        assert self._volume is not None
        result = self._volume.result()
        values = result.values
        if self._cylinder is not None:
            square = Lattice.square(self._shape[1])
            values += self._cylinder.attenuation(square.x, square.y, self._pixel_size_um)
        if result.weights.coverage >= WHOLE_COVERAGE:
            values -= self._ring_volume()
        return FinishedVolume(
            values,
            result.num_projections,
            result.weights.coverage,
            self._axis_column,
            axis,
            self._cylinder is not None,
            self._made_again,
            Assumptions(self._axis_column, self._centre(self._cylinder)),
        )

    def check_assumptions(self) -> RotationAxis | None:
        """Find axis and bore in what has come; add everything anew if they are not where they were assumed.

        Returns
        -------
        RotationAxis or None
            None if the projections do not tell it.

        Raises
        ------
        CylinderFitError
            If the projections contradict the declared cell.
        """
        axis = self._axis()
        column = self._axis_column if axis is None or axis.confidence < LOW_CONFIDENCE else axis.column
        cylinder = self._fit(column, None)
        wrong = abs(column - self._axis_column) > AXIS_TOLERANCE_COLUMNS or not self._still_right(cylinder)
        self._made_again = self._made_again or (wrong and self._volume is not None)
        if self._volume is None or wrong:
            self._axis_column = column
            self._begin(cylinder)
        return axis

    def _ring_volume(self) -> NDArray[np.float32]:
        first, last = min(self._angles_deg), max(self._angles_deg)
        return ring_volume(
            self._rings.profile(self._axis_column),
            self._axis_column,
            self._pixel_size_um,
            begin_deg=first - self._step_deg / 2,
            range_deg=last - first + self._step_deg,
            taper_columns=self._shape[1] // 2,
        )

    def _axis(self) -> RotationAxis | None:
        num = len(self._integrals)
        some = np.unique(np.linspace(0, num - 1, min(num, FRAMES_FOR_ROWS)).round().astype(int))
        rows = telling_rows(np.stack([self._integrals[i] for i in some]), ROWS_FOR_AXIS)
        chosen = np.unique(np.linspace(0, num - 1, min(num, FRAMES_FOR_AXIS)).round().astype(int))
        try:
            return find_rotation_axis(
                np.stack([self._integrals[i][rows] for i in chosen]), np.array(self._angles_deg)[chosen]
            )
        except (RotationAxisError, ProjectionError):
            return None

    def _fit(self, axis_column: float, centre_um: tuple[float, float] | None) -> CylinderFit | None:
        if self._cell is None or self._wall_per_cm is None:
            return None
        num = len(self._integrals)
        chosen = np.unique(np.linspace(0, num - 1, min(num, 180)).round().astype(int))
        return fit_cylinder(
            np.stack([self._integrals[i] for i in chosen]),
            np.array(self._angles_deg)[chosen],
            axis_column,
            self._pixel_size_um,
            self._cell,
            self._wall_per_cm,
            centre_um=centre_um,
        )

    def _still_right(self, fitted: CylinderFit | None) -> bool:
        if fitted is None or self._cylinder is None:
            return fitted is self._cylinder
        off_um = np.hypot(*np.subtract(self._centre(fitted), self._centre(self._cylinder)))
        contents = np.abs(fitted.content_per_cm - self._cylinder.content_per_cm)
        return bool(
            off_um <= CENTRE_TOLERANCE_COLUMNS * self._pixel_size_um
            and (contents <= CONTENT_TOLERANCE * fitted.content_per_cm).all()
        )

    @staticmethod
    def _centre(cylinder: CylinderFit | None) -> tuple[float, float]:
        return (0.0, 0.0) if cylinder is None else (cylinder.centre_x_um, cylinder.centre_y_um)

    def _begin(self, cylinder: CylinderFit | None) -> None:
        """Add everything there is to a new volume."""
        self._cylinder = cylinder
        if self._slices is not None:
            self._slices.begin(self._axis_column, cylinder)
        self._volume = StreamingVolume(
            *self._shape,
            self._axis_column,
            self._pixel_size_um,
            angle_step_deg=self._step_deg,
            taper_columns=self._shape[1] // 2,
            recall=lambda index: self._without_cell(range(index, index + 1))[0],
            watcher=None if self._slices is None else self._slices.add,
        )
        everything = range(len(self._integrals))
        for begin in range(0, len(everything), NUM_FIRST):
            part = everything[begin : begin + NUM_FIRST]
            self._volume.add(self._without_cell(part), np.array(self._angles_deg)[part.start : part.stop])

    def _without_cell(self, indices: range) -> NDArray[np.float32]:
        integrals = np.stack([self._integrals[index] for index in indices])
        if self._cylinder is None:
            return integrals
        angles_deg = np.array(self._angles_deg[indices.start : indices.stop])
        return integrals - self._cylinder.integrals(angles_deg, self._axis_column, self._shape[1], self._pixel_size_um)
