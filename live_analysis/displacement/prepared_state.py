"""A state of the cell made ready to be compared with another: smoothed, particles and cracks marked.

Particles change their grey level, size and inside when they react; the texture of the matrix between them does not.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from live_analysis.displacement.cuboid_grid import DisplacementError
from live_analysis.particle_mask import particle_mask
from live_analysis.smoothing import smoothed

SMOOTHING_SIGMA_VOXELS = 1.0  # to find particles, and at least to compare: noise of interpolation is large without
# Half of what pores are wide: less leaves noise, which is finest across, more takes the texture (simulated cell, voxels
# of 1.76 um: errors of cuboids were 1.4 times as large with 1.76 um, 1.5 times with 4 um along z and 5 um across).
SIGMA_ALONG_UM, SIGMA_ACROSS_UM = 2.5, 4.0
# Pores are as high as wide. Streaks of particles are as high as these and narrow across: where the matrix resembles
# itself this far above much more than this far beside, they outweigh its texture (simulated cell: 0.00 with 2256
# projections, 0.25 to 0.57 with 360), and it is smoothed across.
STREAK_DISTANCE_UM, STREAKY = 11.0, 0.15
STREAKY_SIGMA_ACROSS_UM = 7.0


@dataclass(frozen=True)
class PreparedState:
    """One state: ``values_per_cm`` are smoothed and finite, ``matrix_per_cm`` is their level between particles.

    ``used`` is False in particles, in cracks and outside the view, ``cracked`` is True in cracks; all are ordered
    (z, y, x). ``sigma_voxels`` is how far it was smoothed along z, y and x;
    ``streaky`` that streaks outweigh the texture.
    """

    values_per_cm: NDArray[np.float32]
    used: NDArray[np.bool_]
    cracked: NDArray[np.bool_]
    matrix_per_cm: float
    voxel_size_um: float
    sigma_voxels: tuple[float, float, float]
    streaky: bool

    @property
    def correlated_voxels(self) -> float:
        """Voxels over which smoothing makes noise the same."""
        return float(np.prod([2 * np.sqrt(np.pi) * sigma for sigma in self.sigma_voxels]))

    @property
    def texture(self) -> NDArray[np.float32]:
        """What the matrix differs from its level by, 0 where it is not seen."""
        return np.where(self.used, self.values_per_cm - np.float32(self.matrix_per_cm), np.float32(0))


def prepare_state(
    volume_per_cm: NDArray[np.float32],
    voxel_size_um: float,
    cracked: NDArray[np.bool_] | None = None,
    *,
    like: PreparedState | None = None,
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
    like
        The reference that it will be compared with, so that it is smoothed in the same way.

    Raises
    ------
    DisplacementError
        If the array is not three-dimensional, nowhere seen, or ``cracked`` has another shape.
    """
    seen = np.isfinite(volume_per_cm)
    if volume_per_cm.ndim != 3 or not seen.any() or (cracked is not None and cracked.shape != volume_per_cm.shape):
        found = "none" if cracked is None else str(cracked.shape)
        raise DisplacementError(
            f"a volume of shape {volume_per_cm.shape} with {int(seen.sum())} voxels in view, cracks of shape {found}: "
            "displacement is measured in (z, y, x) with some voxels in view and cracks of the same shape."
        )
    matrix = float(np.median(volume_per_cm[seen]))
    complete = bool(seen.all())
    values = volume_per_cm if complete else np.where(seen, volume_per_cm, np.float32(matrix))
    plain = smoothed(values, SMOOTHING_SIGMA_VOXELS, truncate=3)
    used: NDArray[np.bool_] = ~particle_mask(plain, matrix, voxel_size_um)
    if not complete:
        used &= ~ndimage.binary_dilation(~seen, iterations=3)
    cracks = np.zeros(seen.shape, np.bool_) if cracked is None else cracked
    used &= ~cracks
    level = float(plain[used].mean()) if used.any() else matrix
    texture = np.where(used, plain - np.float32(level), np.float32(0))
    streaky = _streak_share(texture, voxel_size_um) > STREAKY if like is None else like.streaky
    sigma = _sigma_voxels(voxel_size_um, streaky)
    compared = _between_particles(texture, used, sigma) + np.float32(level)
    return PreparedState(compared, used, cracks, level, voxel_size_um, sigma, streaky)


def _sigma_voxels(voxel_size_um: float, streaky: bool) -> tuple[float, float, float]:
    across_um = STREAKY_SIGMA_ACROSS_UM if streaky else SIGMA_ACROSS_UM
    along, across = (max(um / voxel_size_um, SMOOTHING_SIGMA_VOXELS) for um in (SIGMA_ALONG_UM, across_um))
    return along, across, across


def _between_particles(
    texture: NDArray[np.float32], used: NDArray[np.bool_], sigma: tuple[float, float, float]
) -> NDArray[np.float32]:
    """Smooth the matrix, by a sigma in all, without what particles would add, and carry it smoothly into them."""
    further = [float(np.sqrt(max(s**2 - SMOOTHING_SIGMA_VOXELS**2, 0))) for s in sigma]
    if max(further) == 0:
        return texture
    beside = smoothed(texture, further, truncate=3)
    weight = smoothed(used.astype(np.float32), further, truncate=3)
    return np.asarray(beside / np.maximum(weight, np.float32(0.1)), np.float32)


def _streak_share(texture: NDArray[np.float32], voxel_size_um: float) -> float:
    """How much more the texture resembles itself above than beside."""
    num = max(round(STREAK_DISTANCE_UM / voxel_size_um), 1)
    if min(texture.shape[0], texture.shape[2]) <= 2 * num:
        return 0.0
    above = _mean_product(texture[num:], texture[:-num])
    beside = _mean_product(texture[:, :, num:], texture[:, :, :-num])
    return (above - beside) / max(_mean_product(texture, texture), 1e-30)


def _mean_product(texture: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    both = (texture != 0) & (other != 0)
    return float(np.mean(texture[both] * other[both])) if both.any() else 0.0
