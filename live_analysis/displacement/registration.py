"""By how much a state as a whole lies beside another: the shift from which all cuboids are searched."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.displacement.coarse_search import correlation_maps

Floats = NDArray[np.float64]
Voxels = NDArray[np.float32]


@dataclass(frozen=True)
class RigidShift:
    """Shift along z, y and x in voxels, shape (3,), and the correlation at it."""

    voxels: Floats
    correlation: float


def rigid_shift(reference: Voxels, moved: Voxels, reach: tuple[int, int, int], *, bin_by: int = 1) -> RigidShift:
    """Lay the middle of one texture on another.

    Parameters
    ----------
    reference, moved
        Textures of one shape (z, y, x), 0 where there is none.
    reach
        Largest shift that is looked for along z, y and x, in voxels.
    bin_by
        Voxels averaged along each edge beforehand.
    """
    small, small_moved = binned(reference, bin_by), binned(moved, bin_by)
    small_reach = [min(-(-r // bin_by) + 1, num // 4) for r, num in zip(reach, small.shape, strict=True)]
    size = [num - 2 * r for num, r in zip(small.shape, small_reach, strict=True)]
    maps = correlation_maps(
        small,
        small_moved,
        np.array([small_reach]),
        (size[0], size[1], size[2]),
        offsets=np.zeros((1, 3), np.int64),
        reach=(small_reach[0], small_reach[1], small_reach[2]),
    )
    shifts, heights = maps.peaks()
    return RigidShift(shifts[0] * bin_by, float(heights[0]))


def binned(values: Voxels, num: int) -> Voxels:
    """Return means over cubes of ``num`` voxels; what is left over at the upper ends is dropped."""
    if num == 1:
        return values
    z, y, x = (length // num for length in values.shape)
    result = np.zeros((z, y, x), np.float32)
    for a in range(num):
        for b in range(num):
            for c in range(num):
                result += values[a : z * num : num, b : y * num : num, c : x * num : num]
    return np.asarray(result / np.float32(num**3), np.float32)
