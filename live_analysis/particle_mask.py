"""Where particles are in the matrix: bright cores, all that hangs together with them, and a margin for their blur."""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled
from live_analysis.segmentation.labelling import label

# Above the matrix, in 1/cm: what reaches the first somewhere and the second everywhere is a particle. Whatever merely
# reaches the second may be a streak; to leave bright streaks out but keep the dark ones would darken the matrix by 12 %
# (simulated cell, 360 projections).
PARTICLE_CORE_PER_CM = 5.0
PARTICLE_RIM_PER_CM = 2.0
PARTICLE_MARGIN_UM = 9.0  # around the rim, for its blur and the shell that reacts


def particle_mask(smoothed: NDArray[np.float32], matrix_per_cm: float, voxel_size_um: float) -> NDArray[np.bool_]:
    """Return the voxels of particles and their margin.

    Parameters
    ----------
    smoothed
        Attenuation on an absolute scale without NaN, shape (z, y, x), in 1/cm, its noise smoothed away.
    matrix_per_cm
        Level between the particles.
    voxel_size_um
        Edge of a voxel.
    """
    labels, num = label(smoothed > np.float32(matrix_per_cm + PARTICLE_RIM_PER_CM), 6)
    is_particle = np.zeros(num + 1, np.bool_)
    is_particle[labels[smoothed > np.float32(matrix_per_cm + PARTICLE_CORE_PER_CM)]] = True
    is_particle[0] = False
    return grown(is_particle[labels], max(round(PARTICLE_MARGIN_UM / voxel_size_um), 1))


def grown(mask: NDArray[np.bool_], num_layers: int) -> NDArray[np.bool_]:
    """Return a mask, shape (z, y, x), with so many layers of face neighbours added, fewer than 255."""
    distance = np.where(mask, np.uint8(0), np.uint8(num_layers + 1))
    _spread_along_x(distance.reshape(-1, mask.shape[2]))
    _spread_across(distance)
    _spread_across(distance.transpose(1, 0, 2))
    return np.asarray(distance <= num_layers)


@compiled
def _spread_along_x(rows: NDArray[np.uint8]) -> None:
    for row in prange(len(rows)):
        line = rows[row]
        for x in range(1, len(line)):
            line[x] = min(line[x], line[x - 1] + 1)
        for x in range(len(line) - 2, -1, -1):
            line[x] = min(line[x], line[x + 1] + 1)


@compiled
def _spread_across(planes: NDArray[np.uint8]) -> None:
    """Carry distances along the second axis; that of the planes goes over threads, the last through the cache."""
    num_planes, num_rows, num_x = planes.shape
    for plane in prange(num_planes):
        for row in range(1, num_rows):
            for x in range(num_x):
                planes[plane, row, x] = min(planes[plane, row, x], planes[plane, row - 1, x] + 1)
        for row in range(num_rows - 2, -1, -1):
            for x in range(num_x):
                planes[plane, row, x] = min(planes[plane, row, x], planes[plane, row + 1, x] + 1)
