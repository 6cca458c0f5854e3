"""Variances of all voxels of some rows from few numbers: sums along rays, and interpolation between them."""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled

Array = NDArray[np.float64]
Floats = NDArray[np.float32]


@compiled
def sum_along_rays(
    variances: Floats,
    angles_rad: Array,
    axis: float,
    x: Array,
    y: Array,
    weights: Array,
    set_of: NDArray[np.int64],
) -> Floats:
    """Sum what projections hold where they see some points, shape (point, row).

    Parameters
    ----------
    variances
        Shape (projection, column, row); beyond its ends the last column counts.
    axis
        Column of the rotation axis.
    x, y
        Places of the points from the axis in columns, shape (point,).
    weights
        Of each projection, in some sets: shape (set, projection).
    set_of
        Which set belongs to a point, shape (point,).
    """
    num_projections, num_columns, num_rows = variances.shape
    sums = np.zeros((len(x), num_rows), np.float32)
    for point in prange(len(x)):
        own, total = weights[set_of[point]], sums[point]
        for k in range(num_projections):
            at = axis + x[point] * np.cos(angles_rad[k]) + y[point] * np.sin(angles_rad[k])
            at = min(max(at, 0.0), num_columns - 1.0)
            left = min(int(at), num_columns - 2)
            right_share = np.float32(own[k] * (at - left))
            left_share = np.float32(own[k]) - right_share
            here, there = variances[k, left], variances[k, left + 1]
            for row in range(num_rows):
                total[row] += left_share * here[row] + right_share * there[row]
    return sums


@compiled
def fill_noise(
    out: Floats,
    centres_y: Array,
    centres_x: Array,
    furthest: float,
    scale: float,
    coarse: Floats,
    half_width: float,
    radii: Array,
    ratio: Array,
    rings: Floats,
) -> None:
    """Fill ``out``, shape (row, y, x), with standard deviations; NaN beyond ``furthest`` from the axis.

    Parameters
    ----------
    centres_y, centres_x
        Places of the voxels from the axis.
    scale
        What roots of variances are multiplied by.
    coarse
        Variances of single projections, shape (y, x, row), evenly from ``-half_width`` to ``half_width``.
    radii, ratio
        What these are multiplied by; radii grow by one factor.
    rings
        Variances that projections share, shape (radius, direction, row).
    """
    num_rows, num_coarse, num_directions = out.shape[0], len(coarse), rings.shape[1]
    per_coarse, per_direction = (num_coarse - 1) / (2 * half_width), num_directions / (2 * np.pi)
    growth = np.log(radii[1] / radii[0])
    for iy in prange(len(centres_y)):
        y = centres_y[iy]
        at_y = (y + half_width) * per_coarse
        above = min(max(int(at_y), 0), num_coarse - 2)
        b = np.float32(at_y - above)
        for ix in range(len(centres_x)):
            x = centres_x[ix]
            radius = np.sqrt(x * x + y * y)
            if radius > furthest:
                out[:, iy, ix] = np.nan
                continue
            at_x = (x + half_width) * per_coarse
            left = min(max(int(at_x), 0), num_coarse - 2)
            a = np.float32(at_x - left)
            at_radius = min(max(np.log(max(radius, radii[0]) / radii[0]) / growth, 0.0), len(radii) - 1.0)
            ring = min(int(at_radius), len(radii) - 2)
            c = np.float32(at_radius - ring)
            at_direction = np.arctan2(y, x) * per_direction + num_directions
            direction = int(at_direction)
            d = np.float32(at_direction - direction)
            here, there = direction % num_directions, (direction + 1) % num_directions
            of_each = np.float32((1 - c) * ratio[ring] + c * ratio[ring + 1])
            one = np.float32(1)
            s00, s01 = coarse[above, left], coarse[above, left + 1]
            s10, s11 = coarse[above + 1, left], coarse[above + 1, left + 1]
            r00, r01 = rings[ring, here], rings[ring, there]
            r10, r11 = rings[ring + 1, here], rings[ring + 1, there]
            for row in range(num_rows):
                each = (one - b) * ((one - a) * s00[row] + a * s01[row]) + b * ((one - a) * s10[row] + a * s11[row])
                shared = (one - c) * ((one - d) * r00[row] + d * r01[row]) + c * ((one - d) * r10[row] + d * r11[row])
                out[row, iy, ix] = np.float32(scale) * np.sqrt(max(each * of_each + shared, np.float32(0)))
