"""The noise of every voxel of the hierarchical back projection, from the noise of the attenuation integrals.

A voxel is a weighted sum of all pixels near its rays; its variance is the sum of their variances with squared weights.
What a weight is depends on where between columns and grid points the ray passes. That is averaged over, which is right
wherever rays of different angles pass at different places. They do not close to the rotation axis: within three columns
the number is up to 12 % too low, on the axis itself up to 25 %. Elsewhere it is that of repeated scans within 6 %, and
within 10 % where rings alone make the noise.

Number to be read as: standard deviation of one voxel, if the same scan were repeated. Voxels are not independent:
neighbours are correlated by interpolation, and further ones anticorrelated by the ramp filter. So the mean of n voxels
is *not* uncertain by this number over the root of n. For blocks of voxels give `binning`. A camera whose pixels share
their light has noise that is correlated between columns, which the ramp filter takes down: the number is then too high.
"""

import math

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.angle_weights import ProjectionError, angle_weights
from live_analysis.reconstruction.filtered_back_projection import Grid, back_project
from live_analysis.reconstruction.hierarchical_sum import typical_step
from live_analysis.reconstruction.hierarchy import hierarchy
from live_analysis.reconstruction.integral_variance import IntegralVariances
from live_analysis.reconstruction.ramp_filter import UM_PER_CM
from live_analysis.reconstruction.ring_noise import RingNoise, coefficient_response

COARSE_POINTS = 64  # across the view: variances are smooth
HIGHEST_CYCLES = 4.0  # per column; a cubic spline lets 1e-6 pass above
NUM_CYCLES = 4096

Array = NDArray[np.float64]


class VoxelNoise:
    """The noise of a scan's voxels, slab by slab.

    Parameters
    ----------
    angles_deg, axis_column, pixel_size_um
        As in the reconstruction.
    num_columns
        Columns of a projection.
    angle_step_deg
        That of the `StreamingVolume`; by default that which the native engine finds.
    binning
        Tell the noise of means over so many rows, y and x; what is left over at the end is dropped.
    """

    def __init__(
        self,
        angles_deg: Array,
        axis_column: float,
        pixel_size_um: float,
        num_columns: int,
        *,
        angle_step_deg: float | None = None,
        binning: int = 1,
    ) -> None:
        if not 1 <= binning <= num_columns:
            raise ProjectionError(f"a binning of {binning} was asked for {num_columns} columns: it is 1 or more.")
        self._angles_deg, self._axis_column, self._binning = angles_deg, axis_column, binning
        self._per_cm = UM_PER_CM / pixel_size_um
        radius = min(axis_column, num_columns - 1 - axis_column)
        # Beside a gap few projections weigh much: their own place in their bundles counts, not that of the average.
        gains = squared_gain(binning, *_shifts(angles_deg, radius, angle_step_deg))
        self._squared_weights = angle_weights(angles_deg).weights_rad ** 2 * gains
        # Centres of the voxels, or of the blocks, from the axis.
        self._centres = (np.arange(num_columns // binning, dtype=np.float64) + 0.5) * binning - num_columns / 2
        self._rings = RingNoise(angles_deg, axis_column, num_columns, self._centres, binning)
        self._unseen = np.hypot(*np.meshgrid(self._centres, self._centres)) > radius - (binning - 1)
        self._shape = len(angles_deg), num_columns

    def per_cm(self, variances: IntegralVariances) -> NDArray[np.float32]:
        """Return standard deviations in 1/cm, shape (row, y, x), NaN where not every direction sees the point.

        Raises
        ------
        ProjectionError
            If shapes do not match, or there are fewer rows than are binned.
        """
        num_angles, num_rows, num_columns = variances.of_each.shape
        if (num_angles, num_columns) != self._shape or variances.shared.shape != (num_rows, num_columns):
            raise ProjectionError(
                f"variances of shape {variances.of_each.shape} and shared ones of shape {variances.shared.shape} were "
                f"given; needed are (projection, row, column) and (row, column), with {self._shape[0]} projections and "
                f"{self._shape[1]} columns."
            )
        if num_rows < self._binning:
            raise ProjectionError(f"{num_rows} rows are fewer than the {self._binning} that make one block.")
        each, shared = (_binned_rows(part, self._binning) for part in (variances.of_each, variances.shared[None]))
        variance = self._of_each(each) + self._rings.variance(shared[0])
        noise = np.sqrt(variance) * self._per_cm
        noise[:, self._unseen] = np.nan
        return np.asarray(noise, np.float32)

    def _of_each(self, of_each: NDArray[np.float32]) -> Array:
        """Sum the variances along rays with squared angle weights, on a coarse grid: shape (row, y, x)."""
        num_columns = of_each.shape[2]
        step = max(num_columns // COARSE_POINTS, 1)
        starts = np.arange(0, num_columns - step + 1, step)
        sums = np.add.reduceat(of_each, starts, axis=2)
        coarse = np.asarray(sums / np.diff(starts, append=num_columns), np.float32)
        axis = (self._axis_column - (step - 1) / 2) / step
        radius = min(axis, len(starts) - 1 - axis) * (1 - 1e-6)
        points = np.linspace(-num_columns / 2, num_columns / 2, len(starts) + 1)
        y, x = np.meshgrid(points / step, points / step, indexing="ij")
        inwards = np.minimum(1, radius / np.maximum(np.hypot(x, y), 1e-9))
        grid = Grid(x * inwards, y * inwards)
        found = back_project(coarse, self._angles_deg, axis, grid, weights_rad=self._squared_weights)
        between = np.array([np.interp(self._centres, points, unit) for unit in np.eye(len(points))]).T
        return np.asarray(between @ found @ between.T)


def _binned_rows(values: NDArray[np.float32], binning: int) -> NDArray[np.float32]:
    """Variance of the mean over rows."""
    num = values.shape[1] // binning
    blocks = values[:, : num * binning].reshape(len(values), num, binning, -1)
    return np.asarray(blocks.sum(axis=2) / binning**2, np.float32)


def squared_gain(binning: int, leaf_shifts: Array, sector_shifts: Array) -> Array:
    """Return the sum of a voxel's squared weights for the columns of one projection, columns one long.

    Parameters
    ----------
    leaf_shifts, sector_shifts
        How far apart, in columns, the projection is read for neighbouring rows of the grids of its leaf and sector.
    """
    cycles = (np.arange(NUM_CYCLES) + 0.5) * HIGHEST_CYCLES / NUM_CYCLES
    power = coefficient_response(cycles) ** 2 * np.sinc(cycles) ** 8 * _mean_square(cycles * 0.5) ** 2
    directions = (np.arange(90) + 0.5) / 90 * np.pi / 2
    blocks = [_mean_of_points(cycles[:, None] * part(directions), binning) ** 2 for part in (np.cos, np.sin)]
    power *= (blocks[0] * blocks[1]).mean(axis=1) * 2 * HIGHEST_CYCLES / NUM_CYCLES
    gains = np.empty(len(leaf_shifts))
    for i, (leaf, sector) in enumerate(zip(leaf_shifts, sector_shifts, strict=True)):
        gains[i] = power @ (_mean_square(cycles * leaf) * _mean_square(cycles * sector))
    return gains


def _shifts(angles_deg: Array, radius: float, angle_step_deg: float | None) -> tuple[Array, Array]:
    angles_rad = np.radians(np.mod(angles_deg, 360.0) if angle_step_deg is None else angles_deg)
    step_rad = typical_step(angles_rad) if angle_step_deg is None else math.radians(angle_step_deg)
    bundles = hierarchy(radius, step_rad)
    places = [bundles.place(angle) for angle in angles_rad]
    leaf_offsets = bundles.leaf_offsets_rad[[leaf for _, leaf in places]]
    directions = np.array([bundles.direction_rad(sector) for sector, _ in places])
    return (
        np.asarray(bundles.leaf_grid.step_t * np.sin(angles_rad - directions - leaf_offsets)),
        np.asarray(bundles.sector_grid.step_t * np.sin(angles_rad - directions)),
    )


def _mean_square(cycles_per_step: Array) -> Array:
    """Mean square of linear interpolation on a grid: it depends on where between points it is asked."""
    return np.asarray((2 + np.cos(2 * np.pi * cycles_per_step)) / 3)


def _mean_of_points(cycles: Array, num: int) -> Array:
    """Response of the mean of ``num`` points one apart."""
    return np.asarray(np.mean(np.cos(2 * np.pi * cycles[..., None] * (np.arange(num) - (num - 1) / 2)), axis=-1))
