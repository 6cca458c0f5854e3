"""What lies between the particles, added up in blocks wide across and one voxel high.

Cracks are wide and thin: their place is found, and their volume added up, from blocks at no loss, at a hundredth of
the work that voxels are.
"""

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.particle_mask import particle_mask
from live_analysis.reconstruction.compiled import compiled
from live_analysis.smoothing import smoothed

BLOCK_UM = 14.0  # a fraction of the smallest crack that is looked for (radius 60 um)
SMOOTHING_SIGMA_VOXELS = 1.0
VOXELS_FOR_LEVEL = 1e6


class CrackVolumeError(ValueError):
    """The array is not a reconstructed volume in which cracks can be looked for."""


@dataclass(frozen=True)
class MatrixBlocks:
    """Sums over the voxels of the matrix in each block, shape (z, y, x).

    ``sums_per_cm`` are their attenuations, ``counts`` their number, of ``capacity`` voxels in a whole block. A block is
    ``width`` voxels of ``voxel_size_um`` wide along y and x. ``inside`` is the part of each block in the region.
    """

    sums_per_cm: NDArray[np.float64]
    counts: NDArray[np.float64]
    inside: NDArray[np.float64]
    width: int
    voxel_size_um: float

    @property
    def capacity(self) -> int:
        """Number of voxels of a whole block."""
        return self.width**2

    @property
    def spacing_um(self) -> tuple[float, float, float]:
        """Distance of neighbouring blocks along z, y and x."""
        return self.voxel_size_um, self.width * self.voxel_size_um, self.width * self.voxel_size_um


def matrix_blocks(
    volume_per_cm: NDArray[np.float32], voxel_size_um: float, inside: NDArray[np.float32] | None = None
) -> MatrixBlocks:
    """Leave out the particles and add up the rest.

    Parameters
    ----------
    volume_per_cm
        Attenuation on an absolute scale, shape (z, y, x), in 1/cm; NaN outside the view. The matrix fills most of it.
    voxel_size_um
        Edge of a voxel.
    inside
        Part of each voxel, 0 to 1, that lies in the region whose content is asked for, same shape; by default all.

    Raises
    ------
    CrackVolumeError
        If the array is not three-dimensional, empty, nowhere seen, or ``inside`` has another shape.
    """
    seen = np.isfinite(volume_per_cm)
    if volume_per_cm.ndim != 3 or not seen.any() or (inside is not None and inside.shape != volume_per_cm.shape):
        parts = "none" if inside is None else str(inside.shape)
        raise CrackVolumeError(
            f"a volume of shape {volume_per_cm.shape} with {int(seen.sum())} voxels in view, parts of shape {parts}: "
            "cracks are looked for in (z, y, x) with some voxels in view and parts of the same shape."
        )
    matrix = _level(volume_per_cm)
    values = np.where(seen, volume_per_cm, np.float32(matrix))
    kept = seen & ~particle_mask(smoothed(values, SMOOTHING_SIGMA_VOXELS), matrix, voxel_size_um)
    width = max(round(BLOCK_UM / voxel_size_um), 1)
    everywhere = np.ones_like(kept)
    sums, counts = _add_up(values, kept, width)
    if inside is None:
        return MatrixBlocks(sums, counts, np.ones_like(counts), width, voxel_size_um)
    part, whole = _add_up(np.ascontiguousarray(inside, np.float32), everywhere, width)
    return MatrixBlocks(sums, counts, part / whole, width, voxel_size_um)


def _level(volume_per_cm: NDArray[np.float32]) -> float:
    """Return the median of what is seen, of a sample of the voxels if they are many."""
    apart = max(round((volume_per_cm.size / VOXELS_FOR_LEVEL) ** (1 / 3)), 1)
    sample = volume_per_cm[::apart, ::apart, ::apart]
    sample = sample[np.isfinite(sample)]
    return float(np.median(sample if sample.size else volume_per_cm[np.isfinite(volume_per_cm)]))


def voxels_of_blocks(blocks: NDArray[np.bool_], width: int, shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Spread a mask of blocks, ``width`` voxels wide along y and x, over the voxels of a volume of that shape."""
    wide = np.repeat(np.repeat(blocks, width, axis=1), width, axis=2)
    return np.asarray(wide[:, : shape[1], : shape[2]])


@compiled
def _add_up(
    values: NDArray[np.float32], kept: NDArray[np.bool_], width: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum of the kept values of each block, and their number, shape (z, y, x) of blocks."""
    num_z, num_y, num_x = values.shape
    sums = np.zeros((num_z, (num_y + width - 1) // width, (num_x + width - 1) // width))
    counts = np.zeros_like(sums)
    for z in prange(num_z):
        for y in range(num_y):
            for x in range(num_x):
                if kept[z, y, x]:
                    sums[z, y // width, x // width] += values[z, y, x]
                    counts[z, y // width, x // width] += 1
    return sums, counts
