"""The bore and wall of a truncated view as two concentric cylinders, fitted to the projections themselves.

A view narrower than the cell misses the ends of every ray's neighbourhood, which bends and shifts grey values. What
is known (diameter of the bore, outer diameter and attenuation of the wall) and what is fitted (attenuation of
the content, position of the bore) are subtracted before filtering and added back to the slices.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from live_analysis.reconstruction.ramp_filter import UM_PER_CM
from operando.model.geometry import CellGeometry

UM_PER_MM = 1e3
NUM_COLUMNS_IN_FIT = 80
NUM_ANGLES_IN_FIT = 180
MAX_OFFSET_OF_RADIUS = 0.9
LEAST_BESIDE_BORE = 0.02  # of the rays: fewer tell nothing of the wall
# Beside the bore, of the wall's attenuation integral, and of the integral: a beam that has changed is no other wall.
LARGEST_WALL_ERROR, LEAST_WALL_ERROR = 0.3, 0.02


class CylinderFitError(ValueError):
    """The projections do not look like the declared bore."""


@dataclass(frozen=True)
class CylinderFit:
    """Bore and wall as seen by one scan.

    ``content_per_cm`` has shape (row,): mean attenuation of what fills the bore. ``centre_x_um`` and
    ``centre_y_um`` give the bore's centre from the rotation axis. ``residual_rms`` is the root mean square of the
    attenuation integrals that the model leaves, unitless: particles, pores and noise.
    """

    cell: CellGeometry
    wall_per_cm: float
    content_per_cm: NDArray[np.float64]
    centre_x_um: float
    centre_y_um: float
    residual_rms: float

    def integrals(
        self, angles_deg: NDArray[np.float64], axis_column: float, num_columns: int, pixel_size_um: float
    ) -> NDArray[np.float32]:
        """Project the model: attenuation integrals, shape (frame, row, column)."""
        u_um = (np.arange(num_columns, dtype=np.float64) - axis_column) * pixel_size_um
        bore, wall = _path_lengths_cm(self.cell, angles_deg, u_um, self.centre_x_um, self.centre_y_um)
        content = self.content_per_cm.astype(np.float32)
        model: NDArray[np.float32] = (
            bore.astype(np.float32)[:, None, :] * content[None, :, None]
            + (self.wall_per_cm * wall).astype(np.float32)[:, None, :]
        )
        return model

    def attenuation(
        self, x: NDArray[np.float64], y: NDArray[np.float64], pixel_size_um: float, rows: slice = slice(None)
    ) -> NDArray[np.float32]:
        """Evaluate the model in some rows at points, in columns from the rotation axis, which broadcast to one shape.

        Returns
        -------
        NDArray[np.float32]
            In 1/cm, shape (row, *shape of the points).
        """
        radius_um = np.hypot(x * pixel_size_um - self.centre_x_um, y * pixel_size_um - self.centre_y_um)
        in_bore = radius_um <= self.cell.bore_diameter_mm * UM_PER_MM / 2
        in_wall = ~in_bore & (radius_um <= self.cell.wall_outer_diameter_mm * UM_PER_MM / 2)
        values = np.multiply.outer(self.content_per_cm[rows].astype(np.float32), in_bore.astype(np.float32))
        values += in_wall.astype(np.float32) * np.float32(self.wall_per_cm)
        return np.asarray(values, np.float32)


def fit_cylinder(
    integrals: NDArray[np.float32],
    angles_deg: NDArray[np.float64],
    axis_column: float,
    pixel_size_um: float,
    cell: CellGeometry,
    wall_per_cm: float,
    *,
    centre_um: tuple[float, float] | None = None,
) -> CylinderFit:
    """Fit content and position of the bore to all columns of the projections.

    Position and mean content come from a robust least-squares fit to the rows' mean, so that single particles do
    not pull it; the content of each row then follows linearly.

    Parameters
    ----------
    integrals
        Attenuation integrals without NaN, shape (frame, row, column); rows through content that fills the bore.
    angles_deg, axis_column, pixel_size_um
        Measured angles, and where and how the detector sees the sample.
    cell, wall_per_cm
        Declared diameters, and attenuation of the wall at the photon energy.
    centre_um
        The bore's centre (x, y) where it is known, from other rows of the same scan; then only the content is fitted.

    Raises
    ------
    CylinderFitError
        If the fit places the bore far from the axis, its content is not positive, or the wall is not there.
    """
    num_frames, num_rows, num_columns = integrals.shape
    frames = np.unique(np.linspace(0, num_frames - 1, min(num_frames, NUM_ANGLES_IN_FIT)).astype(int))
    width = -(-num_columns // NUM_COLUMNS_IN_FIT)
    num_bins = num_columns // width
    u_um = (np.arange(num_bins * width).reshape(num_bins, width).mean(axis=1) - axis_column) * pixel_size_um
    sample = integrals[frames, :, : num_bins * width].reshape(len(frames), num_rows, num_bins, width).mean(axis=3)
    mean = sample.mean(axis=1, dtype=np.float64)
    angles = np.asarray(angles_deg, np.float64)[frames]

    def misfit(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        content, x_mm, y_mm = parameters
        bore, wall = _path_lengths_cm(cell, angles, u_um, x_mm * UM_PER_MM, y_mm * UM_PER_MM)
        return np.asarray((content * bore + wall_per_cm * wall - mean).ravel())

    bore, wall = _path_lengths_cm(cell, angles, u_um, 0.0, 0.0)
    start = np.array([float(np.median((mean - wall_per_cm * wall) / np.maximum(bore, 1e-9))), 0.0, 0.0])
    noise = 1.4826 * float(np.median(np.abs(misfit(start) - np.median(misfit(start)))))
    if centre_um is None:
        fit = least_squares(misfit, start, loss="soft_l1", f_scale=max(noise, 1e-6), x_scale=(1.0, 0.1, 0.1))
        content, x_mm, y_mm = (float(value) for value in fit.x)
    else:
        content, x_mm, y_mm = float(start[0]), centre_um[0] / UM_PER_MM, centre_um[1] / UM_PER_MM
    if not content > 0 or np.hypot(x_mm, y_mm) > MAX_OFFSET_OF_RADIUS * cell.bore_diameter_mm / 2:
        raise CylinderFitError(
            f"a bore of {cell.bore_diameter_mm} mm in a wall of {wall_per_cm:.3f} /cm fits these projections with "
            f"{content:.3f} /cm inside, centred {np.hypot(x_mm, y_mm):.2f} mm off the rotation axis, which cannot be. "
            "Check bore, wall and energy in the experiment file, and leave out rows that show no content."
        )
    bore, wall = _path_lengths_cm(cell, angles, u_um, x_mm * UM_PER_MM, y_mm * UM_PER_MM)
    _refuse_other_wall(mean, bore, wall_per_cm * wall, cell)
    rows = _robust_content(sample - (wall_per_cm * wall)[:, None, :], bore)
    left = sample - (wall_per_cm * wall)[:, None, :] - rows[None, :, None] * bore[:, None, :]
    return CylinderFit(
        cell, wall_per_cm, rows, x_mm * UM_PER_MM, y_mm * UM_PER_MM, float(np.sqrt((left**2).mean(dtype=np.float64)))
    )


def _refuse_other_wall(
    found: NDArray[np.float64], bore_cm: NDArray[np.float64], expected: NDArray[np.float64], cell: CellGeometry
) -> None:
    """Compare rays that pass the wall alone with the declared one: what it is wrong by would go to the content."""
    alone = (bore_cm == 0) & (expected > 0.5 * expected.max())
    if alone.mean() < LEAST_BESIDE_BORE:
        return
    seen, declared = float(found[alone].mean()), float(expected[alone].mean())
    if abs(seen - declared) > max(LARGEST_WALL_ERROR * declared, LEAST_WALL_ERROR):
        raise CylinderFitError(
            f"beside the bore of {cell.bore_diameter_mm} mm a wall of {cell.wall_outer_diameter_mm} mm would have an "
            f"attenuation integral of {declared:.3f}, and the projections show {seen:.3f}. Check bore, wall, its "
            "material and the energy in the experiment file."
        )


def _robust_content(integrals: NDArray[np.float64], bore_cm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Attenuation of each row, 1/cm, by least squares with Huber's weights (three rounds)."""
    path = np.broadcast_to(bore_cm[:, None, :], integrals.shape)
    weights = np.ones(integrals.shape)
    for _ in range(3):
        content = (weights * path * integrals).sum(axis=(0, 2)) / (weights * path * path).sum(axis=(0, 2))
        misfit = np.abs(integrals - content[None, :, None] * path)
        scale = 1.345 * 1.4826 * np.median(misfit, axis=(0, 2)) + 1e-9
        weights = np.minimum(1.0, scale[None, :, None] / np.maximum(misfit, 1e-12))
    return np.asarray(content, np.float64)


def _path_lengths_cm(
    cell: CellGeometry, angles_deg: NDArray[np.float64], u_um: NDArray[np.float64], x_um: float, y_um: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lengths of the rays in the bore and in the wall, each of shape (frame, column)."""
    theta = np.radians(np.asarray(angles_deg, np.float64))[:, None]
    from_centre_um = u_um[None, :] - (x_um * np.cos(theta) + y_um * np.sin(theta))
    bore, outer = (
        2 * np.sqrt(np.maximum((diameter_mm * UM_PER_MM / 2) ** 2 - from_centre_um**2, 0)) / UM_PER_CM
        for diameter_mm in (cell.bore_diameter_mm, cell.wall_outer_diameter_mm)
    )
    return bore, outer - bore
