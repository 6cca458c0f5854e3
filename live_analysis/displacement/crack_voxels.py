"""Which voxels of a state belong to cracks: those whose missing attenuation is added up for their volume."""

import numpy as np
from numpy.typing import NDArray

from live_analysis.cracks.crack_volume import crack_volume


def crack_voxels(volume_per_cm: NDArray[np.float32], voxel_size_um: float) -> NDArray[np.bool_]:
    """Return where cracks are, with their blur, in the shape of the volume; nowhere if none is certain.

    Parameters
    ----------
    volume_per_cm
        Attenuation on an absolute scale, shape (z, y, x), in 1/cm; NaN outside the view.
    voxel_size_um
        Edge of a voxel.

    Raises
    ------
    CrackVolumeError
        If the array is not a volume of which something is seen.
    """
    blocks = crack_volume(volume_per_cm, voxel_size_um).blocks
    return voxels_of_blocks(blocks, volume_per_cm.shape)


def voxels_of_blocks(blocks: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Spread blocks, a voxel high and as wide as evenly fills y and x, over their voxels."""
    along_y, along_x = (
        np.minimum(np.arange(num) // -(-num // blocks_along), blocks_along - 1)
        for num, blocks_along in zip(shape[1:], blocks.shape[1:], strict=True)
    )
    return np.asarray(blocks[:, along_y][:, :, along_x])
