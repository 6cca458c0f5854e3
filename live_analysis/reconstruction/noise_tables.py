"""How noise of projections comes to voxels: exactly for those at the rotation axis, by radius and direction for others.

A voxel is ``sum_k w_k sum_c (h * p_k)(c) i_k(c)``, with the angle weight w of projection k, its integral i in column c,
the filter h and the interpolation weights p of `PointWeights`. Noise that every projection has for itself, of variance
v, is summed in squares, projection by projection: ``sum_k w_k^2 v_k sum_c (h * p_k)(c)^2``, where the last sum is the
quadratic form ``p R p`` of the taps and the filter's covariance R. Noise of variance s that all projections share, that
of the flat and dark they are divided by, draws rings: there the weights of all projections for one column add up before
they are squared, ``sum_c s(c) (h * sum_k w_k p_k)(c)^2``, and the more of them fall on one column the nearer a voxel is
to the axis. On the axis all of them do.

Where the weights depend on the places of interpolation, rays of different angles average over these, but not close to
the axis. There all angles read nearly the same place: on the axis itself a point of every grid and, if the axis falls
on one, a column of the detector, so that no interpolation takes noise away. An average foretold 41 % too little there.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.angle_weights import angle_weights
from live_analysis.reconstruction.point_weights import PointWeights, coefficient_response

INNER_COLUMNS = 8.0  # from the axis: voxels within are looked at one by one
NUM_DIRECTIONS = 24  # of points about the axis
RADIUS_RATIO = 1.25
PARTS_OF_COLUMN = (-0.375, -0.125, 0.125, 0.375)  # whether a ring lies on a column or between two makes a difference
FAR_RADII = 4  # of the largest, where interpolation is as everywhere
NUM_CYCLES = 4096
POINTS_AT_ONCE = 48  # 7 MB for each of some arrays with 1500 projections

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Response = Callable[[Array], Array]


@dataclass(frozen=True)
class Gains:
    """Sums of squared weights, columns one long.

    ``of_each``, shape (point, projection), are those of the columns of one projection. ``shared``, shape (source,
    point, column), are squares of the weights of all projections together.
    """

    of_each: Array
    shared: Array


@dataclass(frozen=True)
class NoiseTables:
    """What voxels are looked up in.

    Attributes
    ----------
    far
        Gain of each projection far from the axis, shape (projection,), its angle weight included.
    radii, ratio
        Distances from the axis in columns, and by how much variances of single projections are larger there than far
        out, shape (radius,).
    shared
        Squared weights of columns at radii and directions, shape (source, radius, direction, column).
    inner_x, inner_y
        Voxels about the axis, in columns from it, shape (voxel,).
    inner
        Their own gains.
    """

    far: Array
    radii: Array
    ratio: Array
    shared: Floats
    inner_x: Array
    inner_y: Array
    inner: Gains


class GainsOfPoints:
    """Finds gains.

    Parameters
    ----------
    angles_deg, axis_column, num_columns, angle_step_deg, binning
        See `PointWeights`.
    levers
        How strongly each source of shared noise acts on each projection, shape (source, projection).
    left
        What is left of noise at some cycles per column before the filter, as a factor; None where it is white.
    """

    def __init__(
        self,
        angles_deg: Array,
        axis_column: float,
        num_columns: int,
        *,
        angle_step_deg: float | None,
        binning: int,
        levers: Array,
        left: Response | None,
    ) -> None:
        self._points = PointWeights(angles_deg, axis_column, num_columns, angle_step_deg, binning)
        self._weights_rad = angle_weights(angles_deg).weights_rad
        self._levers, self._num_columns = levers, num_columns
        cycles = (np.arange(NUM_CYCLES) + 0.5) / (2 * NUM_CYCLES)
        apart = np.arange(self._points.num_taps)
        self._response = _response(left)
        covariance = np.cos(2 * np.pi * apart[:, None] * cycles) @ self._response(cycles) ** 2 / NUM_CYCLES
        self._covariances = covariance[np.abs(apart[:, None] - apart)]

    def at(self, x: Array, y: Array) -> Gains:
        """Return the gains of some points, places from the axis in columns, angle weights included."""
        parts = [
            self._of_some(x[first : first + POINTS_AT_ONCE], y[first : first + POINTS_AT_ONCE])
            for first in range(0, len(x), POINTS_AT_ONCE)
        ]
        return Gains(
            np.concatenate([part.of_each for part in parts]), np.concatenate([part.shared for part in parts], axis=1)
        )

    def _of_some(self, x: Array, y: Array) -> Gains:
        first, taps = self._points.of_points(x, y)
        taps *= self._weights_rad[:, None]
        of_each = ((taps @ self._covariances) * taps).sum(axis=2)
        num_points, _, num_taps = taps.shape
        # What lies beyond either end of the view falls into the padding.
        length = 2 * self._num_columns
        at = np.mod(first[:, :, None] + np.arange(num_taps), length) + length * np.arange(num_points)[:, None, None]
        response = self._response(np.arange(self._num_columns + 1) / length)
        shared = np.empty((len(self._levers), num_points, self._num_columns))
        for squares, lever in zip(shared, self._levers, strict=True):
            sums = np.bincount(at.ravel(), (taps * lever[:, None]).ravel(), num_points * length)
            spectrum = np.fft.rfft(sums.reshape(num_points, length), axis=1) * response
            squares[:] = np.fft.irfft(spectrum, length, axis=1)[:, : self._num_columns] ** 2
        return Gains(of_each, shared)


def _response(left: Response | None) -> Response:
    if left is None:
        return coefficient_response
    return lambda cycles: coefficient_response(cycles) * left(cycles)


def noise_tables(gains: GainsOfPoints, furthest: float, centres: Array, binning: int) -> NoiseTables:
    """Fill the tables.

    Parameters
    ----------
    furthest
        Columns from the axis to the rim of what is seen.
    centres
        Places of voxels, or of blocks of them, in y and x, from the axis in columns.
    binning
        Voxels along the side of a block.
    """
    inner_columns = INNER_COLUMNS + binning
    num_radii = max(int(np.ceil(np.log(furthest / inner_columns) / np.log(RADIUS_RATIO))), 1) + 1
    radii = furthest / RADIUS_RATIO ** np.arange(num_radii, -1.0, -1)
    directions = np.arange(NUM_DIRECTIONS) * 2 * np.pi / NUM_DIRECTIONS
    parts = PARTS_OF_COLUMN if binning == 1 else (0.0,)
    of_each, shared = [], []
    for radius in radii:
        at = np.add.outer(radius + np.array(parts), 0 * directions)
        found = gains.at((at * np.cos(directions)).ravel(), (at * np.sin(directions)).ravel())
        of_each.append(found.of_each.mean(axis=0))
        num_sources, _, num_columns = found.shared.shape
        shared.append(found.shared.reshape(num_sources, len(parts), NUM_DIRECTIONS, num_columns).mean(axis=1))
    far = np.mean(of_each[-FAR_RADII:], axis=0)
    y, x = np.meshgrid(centres, centres, indexing="ij")
    inside = np.hypot(x, y) < min(inner_columns, furthest)
    return NoiseTables(
        far=far,
        radii=radii,
        ratio=np.array([gain.sum() for gain in of_each]) / far.sum(),
        shared=np.stack(shared, axis=1).astype(np.float32),
        inner_x=x[inside],
        inner_y=y[inside],
        inner=gains.at(x[inside], y[inside]),
    )
