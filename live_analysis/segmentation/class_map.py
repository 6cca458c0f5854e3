"""Which class every voxel belongs to."""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled

OUTSIDE = 255  # a voxel that is not a finite number belongs to no class


def class_map(values: NDArray[np.generic], thresholds: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return 0 for values up to the first threshold, 1 up to the second and so on; 255 for what is not finite.

    Parameters
    ----------
    values
        Grey values, shape (z, y, x), real or integer.
    thresholds
        Ascending, at most four.
    """
    kind = np.float32 if values.dtype.kind in "fb" and values.dtype.itemsize <= 4 else values.dtype.newbyteorder("=")
    classes = np.empty(values.shape, np.uint8)
    ends = np.full(4, np.inf)
    ends[: len(thresholds)] = thresholds
    # The largest single precision number below a threshold divides single precision values as the threshold does.
    if kind == np.float32:
        single = ends.astype(np.float32)
        ends = np.where(single > ends, np.nextafter(single, np.float32(-np.inf)), single).astype(np.float32)
    _classify(np.ascontiguousarray(values, kind), ends, classes)
    return classes


@compiled
def _classify(values: NDArray[np.generic], ends: NDArray[np.floating], classes: NDArray[np.uint8]) -> None:
    flat, out = values.reshape(-1), classes.reshape(-1)
    first, second, third, fourth = ends
    num_parts = 64
    for part in prange(num_parts):
        for index in range(part * flat.size // num_parts, (part + 1) * flat.size // num_parts):
            value = flat[index]
            found = (value > first) + (value > second) + (value > third) + (value > fourth)
            out[index] = found if np.isfinite(value) else OUTSIDE
