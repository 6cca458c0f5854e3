"""One scan, filtered once, from which any region, plane or slice about the rotation axis is reconstructed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.angle_weights import AngleWeights, ProjectionError, angle_weights
from live_analysis.reconstruction.cylinder_model import CylinderFit, fit_cylinder
from live_analysis.reconstruction.direct import HalfColumns
from live_analysis.reconstruction.lanes import NUM_LANES
from live_analysis.reconstruction.lattice import Lattice
from live_analysis.reconstruction.ramp_filter import RampFilter
from live_analysis.reconstruction.single_slice import single_slice
from operando.model.geometry import CellGeometry

EDGE = 0.02  # of the columns, on either side
NOTHING = 0.01  # of the strongest mean attenuation: what is missed outside the view changes grey values as much
BRIGHTER = 5  # times as much, and a column was brighter than its flat by more than noise: the flat is not this beam's
NOTHING_OF_THE_BEAM = 0.002  # attenuation integral; rows of air alone have no object to compare with
# Linear interpolations on half columns by which slices are smoothed. Edges are then as sharp as by one between whole
# columns, by which the measurements were calibrated, and the variance of noise is 0.83 of what it was with that.
SMOOTHING_STEPS = 3.0
FRAMES_AT_ONCE = 32  # of which the cylinder's model is held


@dataclass(frozen=True)
class FilteredScan:
    """Filtered projections and what is needed to turn them into attenuation.

    ``filtered`` has shape (chunk of 16 rows, frame, column with margins, row in chunk), see `RampFilter`, of which
    ``num_rows`` rows count. ``cylinder`` is the fitted bore and wall, None where the cell's geometry was not declared.
    ``grey_values_absolute`` says whether reconstructed values are attenuation in 1/cm, or have an unknown offset and
    gain because the view was truncated or its air is not transparent.
    """

    filtered: NDArray[np.float32]
    num_rows: int
    num_columns: int
    angles_deg: NDArray[np.float64]
    weights: AngleWeights
    axis_column: float
    pixel_size_um: float
    cylinder: CylinderFit | None
    grey_values_absolute: bool

    def reconstruct(self, lattice: Lattice, rows: slice = slice(None)) -> NDArray[np.float32]:
        """Reconstruct a lattice in some rows: 1/cm, shape (row, y, x), NaN where not every direction sees the point.

        Rows cost least in chunks of sixteen.
        """
        start, stop, _ = rows.indices(self.num_rows)
        result = np.full((max(stop - start, 0), *lattice.shape), np.nan, np.float32)
        columns = HalfColumns(
            self.num_columns,
            self.axis_column,
            SMOOTHING_STEPS,
            spacing_columns=lattice.spacing_columns,
        )
        first_x, stop_x = lattice.within(min(self.axis_column, self.num_columns - 1 - self.axis_column))
        x = np.arange(lattice.num_x)
        seen = (x >= first_x[:, None]) & (x < stop_x[:, None])
        weights, angles_rad = self.weights.weights_rad.astype(np.float32), np.radians(self.angles_deg)
        for chunk in range(start // NUM_LANES, -(-stop // NUM_LANES)):
            volume = np.zeros((*lattice.shape, NUM_LANES), np.float32)
            columns.add_to(volume, first_x, stop_x, self.filtered[chunk], weights, angles_rad)
            first = chunk * NUM_LANES
            held = slice(max(start, first), min(stop, first + NUM_LANES))
            lanes = volume[seen, held.start - first : held.stop - first]
            result[held.start - start : held.stop - start, seen] = lanes.T
        if self.cylinder is not None:
            result += self.cylinder.attenuation(lattice.x, lattice.y, self.pixel_size_um, slice(start, stop))
        return result

    def slice_of_row(self, row: int) -> NDArray[np.float32]:
        """Reconstruct the whole slice of one row: 1/cm, shape (column, column), NaN as in `reconstruct`."""
        values = single_slice(
            self.filtered[row // NUM_LANES],
            row % NUM_LANES,
            self.num_columns,
            self.axis_column,
            self.weights.weights_rad,
            np.radians(self.angles_deg),
            SMOOTHING_STEPS,
        )
        if self.cylinder is not None:
            square = Lattice.square(self.num_columns)
            values += self.cylinder.attenuation(square.x, square.y, self.pixel_size_um, slice(row, row + 1))[0]
        return values


def filter_scan(
    integrals: NDArray[np.float32],
    angles_deg: NDArray[np.float64],
    axis_column: float,
    pixel_size_um: float,
    *,
    cell: CellGeometry | None = None,
    wall_per_cm: float | None = None,
    bore_centre_um: tuple[float, float] | None = None,
    in_place_of: FilteredScan | None = None,
) -> FilteredScan:
    """Filter a scan, whether its object lies inside the view at every angle or reaches beyond it.

    With the declared cell the fitted bore and wall are taken out before filtering, and what is left is
    continued to zero outside the view. Without it the projections themselves are continued; unless both edges
    see nothing but air, grey values then have an unknown offset and gain, and the result says so.

    Parameters
    ----------
    integrals
        Attenuation integrals without NaN, shape (frame, row, column).
    angles_deg, axis_column, pixel_size_um
        Measured angles, and where and how the detector sees the sample.
    cell, wall_per_cm
        Declared diameters and attenuation of the wall; None where unknown.
    bore_centre_um
        Centre of the bore where other rows of the scan have told it; by default it is fitted to these rows.
    in_place_of
        A scan that nobody needs any more: its memory serves again if it has the same shape.

    Raises
    ------
    CylinderFitError
        If the projections contradict the declared cell.
    ProjectionError
        If frames and angles differ in number, or an integral is NaN or infinite.
    """
    if integrals.ndim != 3 or 0 in integrals.shape or len(angles_deg) != len(integrals):
        raise ProjectionError(
            f"integrals of shape {integrals.shape} came with {len(angles_deg)} angles; needed are (frame, row, column) "
            "with none of them empty, and an angle for each frame."
        )
    num_frames, num_rows, num_columns = integrals.shape
    cylinder = None
    if cell is not None and wall_per_cm is not None:
        cylinder = fit_cylinder(
            integrals, angles_deg, axis_column, pixel_size_um, cell, wall_per_cm, centre_um=bore_centre_um
        )
    ramp = RampFilter(num_rows, num_columns, pixel_size_um, taper_columns=num_columns // 2)
    filtered = ramp.new_buffer(num_frames, None if in_place_of is None else in_place_of.filtered)
    for begin in range(0, num_frames, FRAMES_AT_ONCE):
        part = integrals[begin : begin + FRAMES_AT_ONCE]
        if not np.isfinite(part.sum(dtype=np.float64)):
            raise ProjectionError(
                f"frames {begin} to {begin + len(part) - 1} hold NaN or infinite attenuation integrals, which the "
                "filter would spread over whole rows: repair the pixels first."
            )
        if cylinder is not None:
            angles = angles_deg[begin : begin + FRAMES_AT_ONCE]
            part = part - cylinder.integrals(angles, axis_column, num_columns, pixel_size_um)
        ramp.filter(np.ascontiguousarray(part), filtered, begin)
    return FilteredScan(
        filtered,
        num_rows,
        num_columns,
        angles_deg,
        angle_weights(angles_deg),
        axis_column,
        pixel_size_um,
        cylinder,
        cylinder is not None or ends_in_air(integrals),
    )


def ends_in_air(integrals: NDArray[np.float32]) -> bool:
    """Whether the view ends in air, as transparent as its flat: next to the object its mean attenuation is nothing."""
    profile = integrals.mean(axis=(0, 1), dtype=np.float64)
    num = max(round(EDGE * len(profile)), 1)
    limit = max(NOTHING * float(profile.max()), NOTHING_OF_THE_BEAM)
    ends = max(abs(float(profile[:num].mean())), abs(float(profile[-num:].mean())))
    return ends < limit and float(profile.min()) > -BRIGHTER * limit
