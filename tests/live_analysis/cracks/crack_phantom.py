"""Volumes with cracks, pores and particles of known size, filled by overlap of heights, so that volumes are exact."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

VOXEL_UM = 3.5
SHAPE = (52, 132, 132)
MATRIX_PER_CM = 2.0


@dataclass(frozen=True)
class Lens:
    """A thin spheroid: middle in um from the volume's first corner (z, y, x), radius, largest opening, tilt along x."""

    z_um: float
    y_um: float
    x_um: float
    radius_um: float
    opening_um: float
    tilt_deg: float = 0.0

    @property
    def volume_um3(self) -> float:
        """Exact volume; to shear a spheroid, as its tilt does here, does not change it."""
        return 2 / 3 * np.pi * self.radius_um**2 * self.opening_um

    def parts(self, shape: tuple[int, int, int] = SHAPE) -> NDArray[np.float64]:
        """Part of each voxel that it fills."""
        z, y, x = (np.arange(size) * VOXEL_UM for size in shape)
        y, x = np.meshgrid(y + VOXEL_UM / 2, x + VOXEL_UM / 2, indexing="ij")
        left = np.maximum(1 - ((x - self.x_um) ** 2 + (y - self.y_um) ** 2) / self.radius_um**2, 0)
        half = self.opening_um / 2 * np.sqrt(left)
        middle = self.z_um + (x - self.x_um) * np.tan(np.radians(self.tilt_deg))
        bottom, top = (
            np.maximum(z[:, None, None], middle - half),
            np.minimum(z[:, None, None] + VOXEL_UM, middle + half),
        )
        return np.asarray(np.maximum(top - bottom, 0) / VOXEL_UM)


def volume_of(
    lenses: list[Lens],
    *,
    noise_per_cm: float = 1.3,
    seed: int = 0,
    blur_um: float = 1.1,
    shape: tuple[int, int, int] = SHAPE,
) -> NDArray[np.float32]:
    """Cracks and round voids in the matrix, blurred, with the noise of single voxels; in 1/cm."""
    filled = np.clip(sum((lens.parts(shape) for lens in lenses), np.zeros(shape)), 0, 1)
    values = MATRIX_PER_CM * (1 - ndimage.gaussian_filter(filled, blur_um / VOXEL_UM))
    return np.asarray(values + np.random.default_rng(seed).normal(0, noise_per_cm, shape), np.float32)
