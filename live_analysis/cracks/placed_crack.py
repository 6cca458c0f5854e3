"""Cracks in the coordinates of the sample, where those of different states can be compared."""

from dataclasses import dataclass

import numpy as np

from live_analysis.cracks.rise import Rise
from live_analysis.cracks.single_cracks import SingleCrack


@dataclass(frozen=True)
class PlacedCrack:
    """A crack whose centre lies at x and y from the rotation axis and at a height above the bottom of the view, in um.

    ``pristine_height_um`` is where the matter about it was in the pristine state. The rest as in `SingleCrack`.
    """

    x_um: float
    y_um: float
    height_um: float
    pristine_height_um: float
    normal: tuple[float, float, float]
    area_um2: float
    volume_um3: float

    @property
    def thickness_um(self) -> float:
        """Mean opening over the area."""
        return self.volume_um3 / self.area_um2

    @property
    def radius_um(self) -> float:
        """Radius of a disc of its area."""
        return float(np.sqrt(self.area_um2 / np.pi))


def placed(crack: SingleCrack, shape: tuple[int, ...], voxel_size_um: float, top_um: float, rise: Rise) -> PlacedCrack:
    """Place a crack of a volume about the rotation axis.

    Parameters
    ----------
    crack
        Its centre counts voxels.
    shape
        Of the volume in voxels, (z, y, x).
    voxel_size_um
        Edge of a voxel.
    top_um
        Height of the volume's upper face above the bottom of the view.
    rise
        Since the pristine state.
    """
    z, y, x = crack.centre
    height_um = top_um - (z + 0.5) * voxel_size_um
    return PlacedCrack(
        x_um=(x - (shape[2] - 1) / 2) * voxel_size_um,
        y_um=(y - (shape[1] - 1) / 2) * voxel_size_um,
        height_um=height_um,
        pristine_height_um=float(rise.before_um(np.array(height_um))),
        normal=crack.normal,
        area_um2=crack.area_um2,
        volume_um3=crack.volume_um3,
    )
