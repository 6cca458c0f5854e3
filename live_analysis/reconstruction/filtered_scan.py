"""One scan, filtered once, from which any region, plane or slice is reconstructed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.angle_weights import AngleWeights, angle_weights
from live_analysis.reconstruction.cylinder_model import CylinderFit, fit_cylinder
from live_analysis.reconstruction.filtered_back_projection import Grid, back_project, filter_projections
from operando.model.geometry import CellGeometry

EDGE = 0.02  # of the columns, on either side
NOTHING = 0.01  # of the strongest mean attenuation: what is missed outside the view changes grey values as much
BRIGHTER = 5  # times as much, and a column was brighter than its flat by more than noise: the flat is not this beam's
NOTHING_OF_THE_BEAM = 0.002  # attenuation integral; rows of air alone have no object to compare with


@dataclass(frozen=True)
class FilteredScan:
    """Filtered projections and what is needed to turn them into attenuation.

    ``filtered`` has shape (frame, row, column). ``cylinder`` is the fitted bore and wall, None where the cell's
    geometry was not declared. ``grey_values_absolute`` says whether reconstructed values are attenuation in
    1/cm, or have an unknown offset and gain because the view was truncated or its air is not transparent.
    """

    filtered: NDArray[np.float32]
    angles_deg: NDArray[np.float64]
    weights: AngleWeights
    axis_column: float
    pixel_size_um: float
    cylinder: CylinderFit | None
    grey_values_absolute: bool

    def reconstruct(self, grid: Grid, rows: slice = slice(None)) -> NDArray[np.float32]:
        """Reconstruct the points of a grid in some rows: 1/cm, shape (row, *grid.x.shape), NaN outside the view."""
        result = back_project(
            self.filtered[:, rows], self.angles_deg, self.axis_column, grid, weights_rad=self.weights.weights_rad
        )
        if self.cylinder is not None:
            result += self.cylinder.attenuation(grid, self.pixel_size_um)[rows]
        return result


def filter_untruncated(
    integrals: NDArray[np.float32], angles_deg: NDArray[np.float64], axis_column: float, pixel_size_um: float
) -> FilteredScan:
    """Filter a scan whose object lies inside the view at every angle; its grey values are absolute."""
    filtered = filter_projections(integrals, pixel_size_um)
    return FilteredScan(filtered, angles_deg, angle_weights(angles_deg), axis_column, pixel_size_um, None, True)


def filter_truncated(
    integrals: NDArray[np.float32],
    angles_deg: NDArray[np.float64],
    axis_column: float,
    pixel_size_um: float,
    *,
    cell: CellGeometry | None,
    wall_per_cm: float | None,
    bore_centre_um: tuple[float, float] | None = None,
) -> FilteredScan:
    """Filter a scan whose view is narrower than the cell.

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

    Raises
    ------
    CylinderFitError
        If the projections contradict the declared cell.
    """
    num_columns = integrals.shape[2]
    weights = angle_weights(angles_deg)
    cylinder = None
    if cell is not None and wall_per_cm is not None:
        cylinder = fit_cylinder(
            integrals, angles_deg, axis_column, pixel_size_um, cell, wall_per_cm, centre_um=bore_centre_um
        )
        integrals = integrals - cylinder.integrals(angles_deg, axis_column, num_columns, pixel_size_um)
    filtered = filter_projections(integrals, pixel_size_um, taper_columns=num_columns // 2)
    absolute = cylinder is not None or ends_in_air(integrals)
    return FilteredScan(filtered, angles_deg, weights, axis_column, pixel_size_um, cylinder, absolute)


def ends_in_air(integrals: NDArray[np.float32]) -> bool:
    """Whether the view ends in air, as transparent as its flat: next to the object its mean attenuation is nothing."""
    profile = integrals.mean(axis=(0, 1), dtype=np.float64)
    num = max(round(EDGE * len(profile)), 1)
    limit = max(NOTHING * float(profile.max()), NOTHING_OF_THE_BEAM)
    ends = max(abs(float(profile[:num].mean())), abs(float(profile[-num:].mean())))
    return ends < limit and float(profile.min()) > -BRIGHTER * limit
