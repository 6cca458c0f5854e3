"""The reconstruction of pixels that are off by the same at all angles: rings, for the price of one pass over a volume.

In the slice a filtered profile q, the same at every angle, adds up to the integral of q(axis + r cos(angle - phi)) over
the angles seen, at the radius r and the direction phi. Tabulated as an integral from 0 over r and angle - phi, that is
a difference of two values of the table.
"""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled
from live_analysis.reconstruction.ramp_filter import RampFilter
from live_analysis.reconstruction.smoothed_spline import read_columns

RADII_PER_PIXEL = 3
HALF_TURN_DEG = 180.0
COLUMNS_PER_PIXEL = 8  # at which the filtered profile is looked up: nearest neighbours then do


def ring_volume(
    profile: NDArray[np.float32],
    axis_column: float,
    pixel_size_um: float,
    *,
    begin_deg: float = 0.0,
    range_deg: float = 180.0,
    taper_columns: int = 0,
) -> NDArray[np.float32]:
    """Reconstruct a profile that is seen at all angles between two.

    Parameters
    ----------
    profile
        What every projection holds too much, unitless attenuation integrals, shape (row, column).
    axis_column, pixel_size_um
        Column of the rotation axis and size of a pixel in the sample.
    begin_deg, range_deg
        The angles seen, evenly; all together weigh as much as half a turn.
    taper_columns
        As in the reconstruction that the rings are to be taken off.

    Returns
    -------
    NDArray[np.float32]
        Rings in 1/cm, shape (row, y, x) with as many points as columns, the rotation axis in the middle. NaN at points
        that not every direction sees.
    """
    num_rows, num_columns = profile.shape
    ramp = RampFilter(num_rows, num_columns, pixel_size_um, taper_columns=taper_columns)
    filtered = ramp.new_buffer(1)
    ramp.filter(np.ascontiguousarray(profile[None], np.float32), filtered, 0)
    places = np.arange(COLUMNS_PER_PIXEL) / COLUMNS_PER_PIXEL
    fine = np.concatenate(list(read_columns(filtered[:, 0], places)), axis=-1)
    upsampled = np.ascontiguousarray(fine.reshape(num_columns * COLUMNS_PER_PIXEL, -1)[:, :num_rows])
    radius = min(axis_column, num_columns - 1 - axis_column)
    num_steps = max(int(np.ceil(np.pi * radius)), 8)  # of half a turn: one pixel at the rim
    table = np.zeros((int(radius * RADII_PER_PIXEL) + 2, num_steps + 1, num_rows), np.float32)
    _integrate(table, upsampled, axis_column, radius)
    rings = np.full((num_columns, num_columns, num_rows), np.nan, np.float32)
    _look_up(rings, table, radius, np.radians(begin_deg), np.radians(begin_deg + range_deg))
    rings *= np.float32(HALF_TURN_DEG / range_deg)
    return np.ascontiguousarray(np.moveaxis(rings, 2, 0))


@compiled
def _integrate(table: NDArray[np.float32], profile: NDArray[np.float32], axis_column: float, radius: float) -> None:
    """Fill a table, shape (radius, angle from 0 to pi, row), with integrals over the angle from 0."""
    num_radii, num, num_rows = table.shape
    step = np.pi / (num - 1)
    cosines = np.cos((np.arange(num - 1) + 0.5) * step)
    for i in prange(num_radii):
        r = min(i / RADII_PER_PIXEL, radius)
        for k in range(num - 1):
            at = int((axis_column + r * cosines[k]) * COLUMNS_PER_PIXEL + 0.5)
            for row in range(num_rows):
                table[i, k + 1, row] = table[i, k, row] + np.float32(step) * profile[at, row]


@compiled
def _look_up(
    rings: NDArray[np.float32], table: NDArray[np.float32], radius: float, begin_rad: float, stop_rad: float
) -> None:
    """Take the difference of the integral at two angles for each point, shape (y, x, row)."""
    num_y, num_x, num_rows = rings.shape
    num = table.shape[1] - 1
    for iy in prange(num_y):
        y = iy - (num_y - 1) / 2
        for ix in range(num_x):
            x = ix - (num_x - 1) / 2
            r = np.sqrt(x * x + y * y)
            if r > radius:
                continue
            near = int(r * RADII_PER_PIXEL)
            outer = np.float32(r * RADII_PER_PIXEL - near)
            phi = np.arctan2(y, x)
            for row in range(num_rows):
                rings[iy, ix, row] = 0
            for end in range(2):
                sign = np.float32(-1 if end == 0 else 1)
                # The integrand is even about 0 and has a period of 2 pi: the integral goes on from (-pi, pi].
                angle = (begin_rad if end == 0 else stop_rad) - phi
                turns = np.round(angle / (2 * np.pi))
                angle -= turns * 2 * np.pi
                odd = sign if angle >= 0 else -sign
                place = abs(angle) / np.pi * num
                k = min(int(place), num - 1)
                b = np.float32(place - k)
                whole = sign * np.float32(2 * turns)
                for row in range(num_rows):
                    inner = table[near, k, row] + b * (table[near, k + 1, row] - table[near, k, row])
                    beyond = table[near + 1, k, row] + b * (table[near + 1, k + 1, row] - table[near + 1, k, row])
                    all_round = table[near, num, row] + outer * (table[near + 1, num, row] - table[near, num, row])
                    rings[iy, ix, row] += odd * (inner + outer * (beyond - inner)) + whole * all_round
