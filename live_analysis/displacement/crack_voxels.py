"""Which voxels of a state belong to cracks: those whose missing attenuation is added up for their volume."""

import numpy as np
from numpy.typing import NDArray

from live_analysis.cracks.crack_volume import crack_volume
from live_analysis.cracks.matrix_blocks import voxels_of_blocks


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
    found = crack_volume(volume_per_cm, voxel_size_um)
    return voxels_of_blocks(found.blocks, found.width, volume_per_cm.shape)
