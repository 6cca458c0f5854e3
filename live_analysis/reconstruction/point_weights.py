"""What every column of every projection weighs in a single point of the hierarchical back projection.

The sum over columns of `sum_leaf`, `add_leaf` and `add_sector` followed backwards, with the very places at which they
interpolate: a point is read from four samples of its sector, each of these from four of its leaf, each of these from
four spline coefficients of the projection.
"""

import math

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled
from live_analysis.reconstruction.hierarchical_sum import typical_step
from live_analysis.reconstruction.hierarchy import LINEAR_STEPS, hierarchy
from live_analysis.reconstruction.ramp_filter import spline_response

REACH = 6  # columns from a point's own to the furthest that its interpolations ask for

Array = NDArray[np.float64]


def coefficient_response(cycles_per_column: Array) -> Array:
    """Return what `RampFilter` makes of frequencies up to half a cycle, columns one long."""
    cycles = cycles_per_column
    return np.asarray(cycles / spline_response(cycles) / np.sinc(cycles / 2) ** (2 * LINEAR_STEPS))


class PointWeights:
    """Interpolation weights of a scan.

    Parameters
    ----------
    angles_deg, axis_column, num_columns
        As in the reconstruction.
    angle_step_deg
        That of the `StreamingVolume`; None for that which the native engine finds.
    binning
        Points are the middles of blocks of so many voxels in y and x, of which the mean is taken.
    """

    def __init__(
        self, angles_deg: Array, axis_column: float, num_columns: int, angle_step_deg: float | None, binning: int
    ) -> None:
        radius = min(axis_column, num_columns - 1 - axis_column)
        angles_rad = np.radians(np.mod(angles_deg, 360.0) if angle_step_deg is None else angles_deg)
        step_rad = typical_step(angles_rad) if angle_step_deg is None else math.radians(angle_step_deg)
        bundles = hierarchy(radius, step_rad)
        places = [bundles.place(angle) for angle in angles_rad]
        self._directions = np.array([bundles.direction_rad(sector) for sector, _ in places])
        self._leaf_offsets = bundles.leaf_offsets_rad[[leaf for _, leaf in places]]
        self._angle_offsets = angles_rad - self._directions - self._leaf_offsets
        self._steps = bundles.sector_grid.step_t, bundles.leaf_grid.step_t
        within = np.arange(binning) - (binning - 1) / 2
        y, x = np.meshgrid(within, within, indexing="ij")
        self._block_x, self._block_y = x.ravel(), y.ravel()
        self._axis_column = axis_column
        self.num_taps = 2 * (REACH + math.ceil(binning / math.sqrt(2)))

    def of_points(self, x: Array, y: Array) -> tuple[NDArray[np.int64], Array]:
        """Return first columns, shape (point, projection), and weights of `num_taps` coefficients from there on.

        Parameters
        ----------
        x, y
            Places from the rotation axis in columns, shape (point,).
        """
        weights = np.zeros((len(x), len(self._directions), self.num_taps))
        first = np.empty(weights.shape[:2], np.int64)
        _spread(
            first,
            weights,
            np.ascontiguousarray(x, np.float64),
            np.ascontiguousarray(y, np.float64),
            self._block_x,
            self._block_y,
            self._directions,
            self._leaf_offsets,
            self._angle_offsets,
            self._axis_column,
            *self._steps,
        )
        return first, weights


@compiled
def _spread(
    first: NDArray[np.int64],
    weights: Array,
    x: Array,
    y: Array,
    block_x: Array,
    block_y: Array,
    directions: Array,
    leaf_offsets: Array,
    angle_offsets: Array,
    axis_column: float,
    sector_step: float,
    leaf_step: float,
) -> None:
    num_taps = weights.shape[2]
    for point in prange(len(x)):
        for k in range(len(directions)):
            theta = directions[k] + leaf_offsets[k] + angle_offsets[k]
            column = axis_column + x[point] * np.cos(theta) + y[point] * np.sin(theta)
            begin = int(np.floor(column)) - num_taps // 2 + 1
            first[point, k] = begin
            out = weights[point, k]
            c1, s1 = np.cos(directions[k]), np.sin(directions[k])
            c2, s2 = np.cos(leaf_offsets[k]), np.sin(leaf_offsets[k])
            c3, s3 = np.cos(angle_offsets[k]), np.sin(angle_offsets[k])
            for block in range(len(block_x)):
                px, py = x[point] + block_x[block], y[point] + block_y[block]
                # Samples lie at whole multiples of half a column in s and of a step in t.
                at_s, at_t = 2 * (px * c1 + py * s1), (py * c1 - px * s1) / sector_step
                left, above = np.floor(at_s), np.floor(at_t)
                for i in range(4):
                    s, t = left + i % 2, above + i // 2
                    share = (1 - abs(at_s - s)) * (1 - abs(at_t - t)) / len(block_x)
                    s, t = s / 2, t * sector_step
                    leaf_s, leaf_t = 2 * (s * c2 + t * s2), (t * c2 - s * s2) / leaf_step
                    leaf_left, leaf_above = np.floor(leaf_s), np.floor(leaf_t)
                    for j in range(4):
                        s, t = leaf_left + j % 2, leaf_above + j // 2
                        part = share * (1 - abs(leaf_s - s)) * (1 - abs(leaf_t - t))
                        at = s / 2 * c3 + t * leaf_step * s3 + axis_column
                        whole = int(np.floor(at))
                        f = at - whole
                        g = 1 - f
                        tap = whole - 1 - begin
                        out[tap] += part * g * g * g / 6
                        out[tap + 1] += part * (2 / 3 - f * f * (1 - f / 2))
                        out[tap + 2] += part * (2 / 3 - g * g * (1 - g / 2))
                        out[tap + 3] += part * f * f * f / 6
