"""A state of the cell made ready to be compared with another: smoothed, particles and cracks marked.

Particles change their grey level, size and inside when they react; the texture of the matrix between them does not.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from live_analysis.displacement.cuboid_grid import DisplacementError

SMOOTHING_SIGMA_VOXELS = 1.0  # without it noise of interpolation is as large as what is looked for
# Above the matrix, in 1/cm, after smoothing: what reaches the first somewhere and the second everywhere is a particle.
PARTICLE_CORE_PER_CM = 5.0
PARTICLE_RIM_PER_CM = 2.0
PARTICLE_MARGIN_UM = 9.0  # around the rim, for its blur and the shell that reacts


@dataclass(frozen=True)
class PreparedState:
    """One state: ``values_per_cm`` are smoothed and finite, ``matrix_per_cm`` is their level between particles.

    ``used`` is False in particles, in cracks and outside the view, ``cracked`` is True in cracks; all are ordered
    (z, y, x).
    """

    values_per_cm: NDArray[np.float32]
    used: NDArray[np.bool_]
    cracked: NDArray[np.bool_]
    matrix_per_cm: float
    voxel_size_um: float

    @property
    def texture(self) -> NDArray[np.float32]:
        """What the matrix differs from its level by, 0 where it is not seen."""
        return np.where(self.used, self.values_per_cm - np.float32(self.matrix_per_cm), np.float32(0))


def prepare_state(
    volume_per_cm: NDArray[np.float32], voxel_size_um: float, cracked: NDArray[np.bool_] | None = None
) -> PreparedState:
    """Smooth a volume and find its particles.

    Parameters
    ----------
    volume_per_cm
        Attenuation on a scale common to all states, shape (z, y, x), in 1/cm; NaN outside the view.
    voxel_size_um
        Edge of a voxel.
    cracked
        Voxels of cracks, same shape; by default there are none.

    Raises
    ------
    DisplacementError
        If the array is not three-dimensional, nowhere seen, or ``cracked`` has another shape.
    """
    seen = np.isfinite(volume_per_cm)
    if volume_per_cm.ndim != 3 or not seen.any() or (cracked is not None and cracked.shape != volume_per_cm.shape):
        cracks = "none" if cracked is None else str(cracked.shape)
        raise DisplacementError(
            f"a volume of shape {volume_per_cm.shape} with {int(seen.sum())} voxels in view, cracks of shape {cracks}: "
            "displacement is measured in (z, y, x) with some voxels in view and cracks of the same shape."
        )
    matrix = float(np.median(volume_per_cm[seen]))
    complete = bool(seen.all())
    values = volume_per_cm if complete else np.where(seen, volume_per_cm, np.float32(matrix))
    smoothed = ndimage.gaussian_filter(values, SMOOTHING_SIGMA_VOXELS, output=np.float32, truncate=3)
    used = ~_particles(smoothed, matrix, voxel_size_um)
    if not complete:
        used &= ~ndimage.binary_dilation(~seen, iterations=3)
    cracks = np.zeros(seen.shape, np.bool_) if cracked is None else cracked
    used &= ~cracks
    level = float(smoothed[used].mean()) if used.any() else matrix
    return PreparedState(smoothed, used, cracks, level, voxel_size_um)


def _particles(smoothed: NDArray[np.float32], matrix_per_cm: float, voxel_size_um: float) -> NDArray[np.bool_]:
    labels, num = ndimage.label(smoothed > matrix_per_cm + PARTICLE_RIM_PER_CM)
    is_particle = np.zeros(num + 1, np.bool_)
    is_particle[labels[smoothed > matrix_per_cm + PARTICLE_CORE_PER_CM]] = True
    margin = max(round(PARTICLE_MARGIN_UM / voxel_size_um), 1)
    return np.asarray(ndimage.binary_dilation(is_particle[labels], iterations=margin))
