"""Shadows of a scene in parallel light: closed form, averaged over each detector row, two samples per column.

The chord through an ellipsoid at (u, z) is ``2 sqrt((1 - q(u, z)) / m)`` with q a quadratic form. After completing
the square in z it is a half circle in z, whose integral over a row is known; so thin shapes have no staircase and the
sum over an image is the true volume to the width of a column.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from operando.model.geometry import ImagingGeometry
from simulators.scene import Scene

_UM_TO_CM = 1e-4
_TABLE_STEPS = 2048  # linear in between: 1e-5 of the largest chord at the rim, less elsewhere
_SUB_COLUMNS = (-0.25, 0.25)


def _half_circle_integrals() -> NDArray[np.float64]:
    t = np.linspace(-1.0, 1.0, _TABLE_STEPS + 1)
    integral = 0.5 * (t * np.sqrt(1 - t**2) + np.arcsin(t))
    return np.append(integral, integral[-1])


class Projector:
    """Line integrals on one detector.

    Parameters
    ----------
    geometry
        Pixels in the sample.
    z_bottom_um
        Height of the view's bottom edge above the collector.
    axis_column
        Column of the rotation axis.
    """

    def __init__(self, geometry: ImagingGeometry, z_bottom_um: float = 0.0, *, axis_column: float) -> None:
        self.geometry = geometry
        self._pixel_um = geometry.pixel_size_um
        self._z_top_um = z_bottom_um + geometry.num_rows * geometry.pixel_size_um
        self._axis_column = axis_column
        self._table = _half_circle_integrals()

    def line_integrals(self, scene: Scene, angle_deg: float, sample_x_mm: float = 0.0) -> NDArray[np.float32]:
        """Return the attenuation integrated along the beam.

        Parameters
        ----------
        scene
            What stands in the beam.
        angle_deg
            Rotation about z; a point (x, y) is seen at ``x cos + y sin``.
        sample_x_mm
            How far the sample, with its axis, stands across the beam.

        Returns
        -------
        NDArray[np.float32]
            Shape (rows, columns), unitless.
        """
        cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
        first_u_um = -self._axis_column * self._pixel_um - sample_x_mm * 1e3
        by_column = np.zeros((self.geometry.num_columns, self.geometry.num_rows), np.float32)
        cylinders = scene.cylinders
        _add_cylinders(
            by_column,
            cylinders.centre_um[:, 0] * cos + cylinders.centre_um[:, 1] * sin,
            cylinders.radius_um,
            cylinders.bottom_um,
            cylinders.top_um,
            cylinders.attenuation_difference_per_cm * _UM_TO_CM,
            first_u_um,
            self._z_top_um,
            self._pixel_um,
        )
        for spheroids in scene.spheroids:
            _add_spheroids(
                by_column,
                spheroids.centre_um,
                spheroids.equatorial_um,
                spheroids.polar_um,
                spheroids.axis,
                spheroids.attenuation_difference_per_cm * _UM_TO_CM,
                cos,
                sin,
                first_u_um,
                self._z_top_um,
                self._pixel_um,
                self._table,
            )
        return np.ascontiguousarray(by_column.T)


@njit(cache=True, nogil=True, fastmath=True)
def _add_cylinders(by_column, centre_u, radius, bottom, top, per_um, first_u, z_top, pixel):  # type: ignore[no-untyped-def]
    num_columns, num_rows = by_column.shape
    covered = np.empty(num_rows)
    for i in range(radius.size):
        for row in range(num_rows):
            above = z_top - row * pixel
            covered[row] = max(0.0, min(above, top[i]) - max(above - pixel, bottom[i])) / pixel
        for column in range(num_columns):
            chord = 0.0
            for offset in _SUB_COLUMNS:
                u = first_u + (column + offset) * pixel - centre_u[i]
                inside = radius[i] * radius[i] - u * u
                if inside > 0.0:
                    chord += math.sqrt(inside)
            if chord > 0.0:
                for row in range(num_rows):
                    by_column[column, row] += chord * per_um[i] * covered[row]


@njit(cache=True, nogil=True, fastmath=True)
def _add_spheroids(  # type: ignore[no-untyped-def]
    by_column, centre, equatorial, polar, axis, per_um, cos, sin, first_u, z_top, pixel, table
):
    num_columns, num_rows = by_column.shape
    half_steps = 0.5 * _TABLE_STEPS
    for i in range(equatorial.size):
        flat = 1.0 / (equatorial[i] * equatorial[i])
        excess = 1.0 / (polar[i] * polar[i]) - flat
        nu = axis[i, 0] * cos + axis[i, 1] * sin
        nv = axis[i, 1] * cos - axis[i, 0] * sin
        nz = axis[i, 2]
        along = flat + excess * nv * nv
        # quadratic form of the shadow: p u^2 + 2 q u z + r z^2 = 1 at its rim
        p = flat + excess * nu * nu - (excess * nu * nv) ** 2 / along
        q = excess * nu * nz - excess * nu * nv * excess * nv * nz / along
        r = flat + excess * nz * nz - (excess * nv * nz) ** 2 / along
        s = p - q * q / r
        shear = q / r
        half_width = 1.0 / math.sqrt(s)
        column_0 = (centre[i, 0] * cos + centre[i, 1] * sin - first_u) / pixel
        start = max(0, math.floor(column_0 - half_width / pixel))
        stop = min(num_columns, math.ceil(column_0 + half_width / pixel) + 1)
        scale = per_um[i] * 2.0 / len(_SUB_COLUMNS) / math.sqrt(along * r) / pixel
        for column in range(start, stop):
            for offset in _SUB_COLUMNS:
                du = (column + offset - column_0) * pixel
                g = 1.0 - s * du * du
                if g <= 0.0:
                    continue
                half_height = math.sqrt(g / r)
                depth = z_top - (centre[i, 2] - shear * du)
                first = max(0, math.floor((depth - half_height) / pixel))
                last = min(num_rows - 1, math.floor((depth + half_height) / pixel))
                step = half_steps * pixel / half_height
                # position in the table of a row's upper edge; it grows downwards
                position = half_steps + half_steps * (first * pixel - depth) / half_height
                before = _look_up(table, position)
                for row in range(first, last + 1):
                    position += step
                    after = _look_up(table, position)
                    by_column[column, row] += scale * g * (after - before)
                    before = after


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def _look_up(table, position):  # type: ignore[no-untyped-def]
    clipped = min(max(position, 0.0), float(_TABLE_STEPS))
    index = int(clipped)
    return table[index] + (clipped - index) * (table[index + 1] - table[index])
