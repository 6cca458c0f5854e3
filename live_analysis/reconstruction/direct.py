"""Direct back projection: every projection is added to every voxel, whatever the order of their angles.

Projections are first read at half columns, from which each voxel then takes the linear interpolation of two. Some
projections pass over the volume together, so that a voxel is fetched and written once for all of them.
"""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled
from live_analysis.reconstruction.lanes import NUM_LANES, add, add_scaled, load, scaled, store, zeros
from live_analysis.reconstruction.ramp_filter import MARGIN_COLUMNS
from live_analysis.reconstruction.smoothed_spline import smoothed_spline

FRAMES_IN_PASS = 32  # each parallel loop has to wait until all threads are there: a few long ones
FRAMES_TOGETHER = 16  # for which a voxel is fetched once; more would push each other out of the nearest caches
STEPS_IN_DIRECT = 1.0  # linear interpolations on half columns that a voxel goes through here
TILE = 64
NEXT = np.uint64(1)  # unsigned places are not looked at for being negative, which means counted from the end


class HalfColumns:
    """Filtered projections read at half columns, and from there added to slices.

    Parameters
    ----------
    num_columns
        Columns of a projection.
    axis_column
        Column of the rotation axis; fractions count.
    linear_steps
        That slices go through, at least 1: as many as the `RampFilter` makes up for, if nothing is to be smoothed.
    spacing_columns
        How far neighbouring points of the slices lie apart.
    """

    def __init__(
        self, num_columns: int, axis_column: float, linear_steps: float, *, spacing_columns: float = 1.0
    ) -> None:
        self._taps = smoothed_spline(np.array([0.0, 0.5]), linear_steps - STEPS_IN_DIRECT)
        self._samples_per_point = 2 * spacing_columns
        self._axis = 2 * (axis_column + MARGIN_COLUMNS)
        self._samples = np.zeros((FRAMES_IN_PASS, 2 * (num_columns + 2 * MARGIN_COLUMNS), NUM_LANES), np.float32)

    @property
    def num_bytes(self) -> int:
        """Bytes of the work space."""
        return self._samples.nbytes

    def add_to(
        self,
        volume: NDArray[np.float32],
        first_x: NDArray[np.int64],
        stop_x: NDArray[np.int64],
        filtered: NDArray[np.float32],
        weights: NDArray[np.float32],
        angles_rad: NDArray[np.float64],
    ) -> None:
        """Add projections of sixteen rows to a chunk of the volume.

        Parameters
        ----------
        volume
            Chunk of shape (y, x, 16) about the rotation axis, changed from ``first_x[y]`` to ``stop_x[y]``, which must
            be within the view.
        filtered
            Spline coefficients of filtered projections, shape (frame, column with margins, 16).
        weights, angles_rad
            Of each frame; as many as there are of them are taken from the beginning of ``filtered``.
        """
        for begin in range(0, len(weights), FRAMES_IN_PASS):
            part = slice(begin, min(begin + FRAMES_IN_PASS, len(weights)))
            samples = self._samples[: part.stop - part.start]
            _read_half_columns(samples, filtered[part], weights[part], self._taps)
            steps_x = self._samples_per_point * np.cos(angles_rad[part])
            steps_y = self._samples_per_point * np.sin(angles_rad[part])
            _add_pass(volume, first_x, stop_x, samples, steps_x, steps_y, self._axis)


@compiled
def _read_half_columns(
    samples: NDArray[np.float32],
    filtered: NDArray[np.float32],
    weights: NDArray[np.float32],
    taps: NDArray[np.float32],
) -> None:
    for frame in prange(len(samples)):
        columns, out = filtered[frame], samples[frame]
        for i in range(2, len(out) - 4):
            left, parity = np.uint64(i // 2), i % 2
            v = scaled(weights[frame] * taps[parity, 0], load(columns, left - NEXT))
            v = add_scaled(v, weights[frame] * taps[parity, 1], load(columns, left))
            v = add_scaled(v, weights[frame] * taps[parity, 2], load(columns, left + NEXT))
            v = add_scaled(v, weights[frame] * taps[parity, 3], load(columns, left + NEXT + NEXT))
            store(out, np.uint64(i), v)


@compiled
def _add_pass(
    volume: NDArray[np.float32],
    first_x: NDArray[np.int64],
    stop_x: NDArray[np.int64],
    samples: NDArray[np.float32],
    steps_x: NDArray[np.float64],
    steps_y: NDArray[np.float64],
    axis: float,
) -> None:
    num_y, num_x = volume.shape[0], volume.shape[1]
    num_frames, num_samples = samples.shape[0], samples.shape[1]
    points = volume.reshape((num_y * num_x, NUM_LANES))
    places = samples.reshape((num_frames * num_samples, NUM_LANES))
    middle_x, middle_y, one = np.float32((num_x - 1) / 2), (num_y - 1) / 2, np.float32(1)
    per_x = steps_x.astype(np.float32)
    num_tiles = (num_x + TILE - 1) // TILE
    for tile in prange(num_tiles * ((num_y + TILE - 1) // TILE)):
        from_y, from_x = (tile // num_tiles) * TILE, (tile % num_tiles) * TILE
        starts = np.empty(FRAMES_TOGETHER, np.float32)
        for begin in range(0, num_frames, FRAMES_TOGETHER):
            num = min(FRAMES_TOGETHER, num_frames - begin)
            steps = per_x[begin : begin + num]
            for iy in range(from_y, min(from_y + TILE, num_y)):
                for k in range(num):
                    starts[k] = np.float32((iy - middle_y) * steps_y[begin + k] + axis)
                for ix in range(max(from_x, first_x[iy]), min(from_x + TILE, stop_x[iy])):
                    x, point = np.float32(ix) - middle_x, np.uint64(iy * num_x + ix)
                    # Two sums: each would wait for itself if there were one.
                    v, w = load(points, point), zeros()
                    for k in range(num):
                        at = x * steps[k] + starts[k]
                        left = np.int32(at)
                        a = at - np.float32(left)
                        place = np.uint64((begin + k) * num_samples + left)
                        v = add_scaled(v, one - a, load(places, place))
                        w = add_scaled(w, a, load(places, place + NEXT))
                    store(points, point, add(v, w))
