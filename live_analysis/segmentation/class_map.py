"""Which class every voxel belongs to."""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled
from live_analysis.segmentation.grey_histogram import plain

OUTSIDE = 255  # a voxel that is not a finite number belongs to no class
NUM_PARTS = 64  # of the voxels, shared by all threads


def class_map(values: NDArray[np.generic], thresholds: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return 0 for values up to the first threshold, 1 up to the second and so on; 255 for what is not finite.

    Parameters
    ----------
    values
        Grey values, shape (z, y, x), real or integer.
    thresholds
        Ascending, at most four.
    """
    flat = plain(values)
    classes = np.empty(values.shape, np.uint8)
    ends = np.full(4, np.inf)
    ends[: len(thresholds)] = thresholds
    # The largest single precision number below a threshold divides single precision values as the threshold does.
    if flat.dtype == np.float32:
        single = ends.astype(np.float32)
        ends = np.where(single > ends, np.nextafter(single, np.float32(-np.inf)), single).astype(np.float32)
    _classify(flat, ends, classes.reshape(-1))
    return classes


@compiled
def _classify(flat: NDArray[np.generic], ends: NDArray[np.floating], out: NDArray[np.uint8]) -> None:
    first, second, third, fourth = ends[0], ends[1], ends[2], ends[3]
    for part in prange(NUM_PARTS):
        begin, end = part * flat.size // NUM_PARTS, (part + 1) * flat.size // NUM_PARTS
        greys, found = flat[begin:end], out[begin:end]
        for index in range(greys.size):
            grey = greys[index]
            above = np.int32(grey > first) + np.int32(grey > second) + np.int32(grey > third) + np.int32(grey > fourth)
            found[index] = above if grey - grey == 0 else OUTSIDE
