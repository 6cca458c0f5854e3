"""Values between voxels from a cubic that meets the 64 voxels around smoothly."""

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import inlined


@inlined
def _column(
    flat: NDArray[np.float32],
    place: np.uint64,
    stride_z: np.uint64,
    stride_y: np.uint64,
    y: tuple[np.float32, np.float32, np.float32, np.float32],
    z: tuple[np.float32, np.float32, np.float32, np.float32],
) -> np.float32:
    """Sum over y and z of the 16 voxels at one x, of which the first is at ``place``."""
    p0, p1 = place, place + stride_z
    p2 = p1 + stride_z
    p3 = p2 + stride_z
    s = stride_y + stride_y
    t = s + stride_y
    total: np.float32 = (
        z[0] * (y[0] * flat[p0] + y[1] * flat[p0 + stride_y] + y[2] * flat[p0 + s] + y[3] * flat[p0 + t])
        + z[1] * (y[0] * flat[p1] + y[1] * flat[p1 + stride_y] + y[2] * flat[p1 + s] + y[3] * flat[p1 + t])
        + z[2] * (y[0] * flat[p2] + y[1] * flat[p2 + stride_y] + y[2] * flat[p2 + s] + y[3] * flat[p2 + t])
        + z[3] * (y[0] * flat[p3] + y[1] * flat[p3 + stride_y] + y[2] * flat[p3 + s] + y[3] * flat[p3 + t])
    )
    return total


@inlined
def _weights(t: np.float32) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    half, one = np.float32(0.5), np.float32(1)
    rest = one - t
    return (
        -half * t * rest * rest,
        one + t * t * (np.float32(1.5) * t - np.float32(2.5)),
        one + rest * rest * (np.float32(1.5) * rest - np.float32(2.5)),
        -half * rest * t * t,
    )


@inlined
def cubic_value(flat: NDArray[np.float32], stride_z: int, stride_y: int, z: float, y: float, x: float) -> np.float32:
    """Return the value at a place at least one voxel inside the volume, and two below its upper ends.

    ``flat`` is the volume in one dimension, its strides count voxels. The cubic is that of Catmull and Rom, exact for
    parabolas.

    References
    ----------
    Keys, IEEE Trans. Acoust. Speech Signal Process. 29 (1981) 1153.
    """
    iz, iy, ix = np.uint64(z), np.uint64(y), np.uint64(x)
    weights_z = _weights(np.float32(z - np.float64(iz)))
    weights_y = _weights(np.float32(y - np.float64(iy)))
    weights_x = _weights(np.float32(x - np.float64(ix)))
    sz, sy, one = np.uint64(stride_z), np.uint64(stride_y), np.uint64(1)
    place = (iz - one) * sz + (iy - one) * sy + ix - one
    return (
        weights_x[0] * _column(flat, place, sz, sy, weights_y, weights_z)
        + weights_x[1] * _column(flat, place + one, sz, sy, weights_y, weights_z)
        + weights_x[2] * _column(flat, place + np.uint64(2), sz, sy, weights_y, weights_z)
        + weights_x[3] * _column(flat, place + np.uint64(3), sz, sy, weights_y, weights_z)
    )
