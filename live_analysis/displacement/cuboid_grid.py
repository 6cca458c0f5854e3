"""Where displacement is measured: cuboids side by side in a region."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CUBOID_UM = 50.0
ROOM_VOXELS = 2  # around a cuboid, for gradients


class DisplacementError(ValueError):
    """Volumes between which no displacement can be measured."""


@dataclass(frozen=True)
class CuboidGrid:
    """Cuboids of ``size`` voxels along each edge, in layers from the bottom of the volume upwards.

    ``first`` is the lowest index of each along z, y and x, shape (layer, row, column, 3).
    """

    first: NDArray[np.int64]
    size: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of layers, and of cuboids along y and x."""
        layers, rows, columns = self.first.shape[:3]
        return layers, rows, columns

    @property
    def num_nodes(self) -> int:
        """Number of cuboids."""
        return int(np.prod(self.shape))

    @property
    def centres(self) -> Floats:
        """Centres as fractional indices along z, y and x, shape (n, 3)."""
        return np.asarray(self.first.reshape(-1, 3) + (self.size - 1) / 2, np.float64)


def cuboid_grid(
    shape: tuple[int, int, int],
    voxel_size_um: float,
    *,
    top_um: float,
    heights_um: tuple[float, float],
    width_um: float,
    cuboid_um: float = CUBOID_UM,
) -> CuboidGrid:
    """Fill a square about the middle of the volume with cuboids.

    Parameters
    ----------
    shape
        Voxels of the volume along z, y and x.
    voxel_size_um
        Edge of a voxel.
    top_um
        Height of the upper face of the volume above the bottom of the view.
    heights_um
        Bottom and top of the grid, above the same.
    width_um
        Edge of the square.
    cuboid_um
        Edge of a cuboid.

    Raises
    ------
    DisplacementError
        If not one cuboid fits into the volume.
    """
    size = round(cuboid_um / voxel_size_um)
    pitch = cuboid_um / voxel_size_um
    bottom, top = ((top_um - height_um) / voxel_size_um for height_um in heights_um)
    num_layers, num_across = round((bottom - top) / pitch), round(width_um / cuboid_um)
    upwards = bottom - 0.5 - (np.arange(num_layers) + 0.5) * pitch
    across = [(num - 1) / 2 + (np.arange(num_across) - (num_across - 1) / 2) * pitch for num in shape[1:]]
    first = [np.rint(centres - (size - 1) / 2).astype(np.int64) for centres in (upwards, *across)]
    inside = [
        axis[(axis >= ROOM_VOXELS) & (axis + size <= num - ROOM_VOXELS)] for axis, num in zip(first, shape, strict=True)
    ]
    if size < 4 or min(len(axis) for axis in inside) == 0:
        raise DisplacementError(
            f"cuboids of {cuboid_um} um = {size} voxels of {voxel_size_um} um, {num_layers} layers of {num_across} x "
            f"{num_across}, in a volume of {shape} voxels: not one of at least 4 voxels fits with {ROOM_VOXELS} voxels "
            "around it. Reconstruct a larger region, or take smaller cuboids."
        )
    return CuboidGrid(np.stack(np.meshgrid(*inside, indexing="ij"), axis=-1), size)
