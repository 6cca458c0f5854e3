"""Volume of spheroids inside a box."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from operando.model.geometry import Region
from simulators.scene import Spheroids

_POINTS_ACROSS = 40  # 33,000 points in a ball: the part of it inside the box is right to about 0.003


def volume_in_box(spheroids: Spheroids, region: Region) -> float:
    """Return the volume in um3 of all spheroids together inside the region.

    Whole ones count by their formula; those cut by a face are sampled on a fine grid. Shapes that overlap count twice.
    """
    half_um = np.array([region.width_x_um / 2, region.width_y_um / 2, (region.top_um - region.bottom_um) / 2])
    middle_um = np.array([0.0, 0.0, (region.top_um + region.bottom_um) / 2])
    centre_um = spheroids.centre_um - middle_um
    reach_um = np.maximum(spheroids.equatorial_um, spheroids.polar_um)[:, None]
    outside = np.any(np.abs(centre_um) > half_um + reach_um, axis=1)
    whole = np.all(np.abs(centre_um) <= half_um - reach_um, axis=1)
    volume_um3 = spheroids.volume_um3
    total_um3 = float(volume_um3[whole].sum())
    for i in np.flatnonzero(~outside & ~whole):
        points = _ball() * spheroids.equatorial_um[i]
        # stretch along the axis of revolution
        stretch = spheroids.polar_um[i] / spheroids.equatorial_um[i] - 1
        points = points + stretch * (points @ spheroids.axis[i])[:, None] * spheroids.axis[i]
        inside = np.all(np.abs(points + centre_um[i]) <= half_um, axis=1)
        total_um3 += float(volume_um3[i] * inside.mean())
    return total_um3


@lru_cache(maxsize=1)
def _ball() -> NDArray[np.float64]:
    line = (np.arange(_POINTS_ACROSS) + 0.5) / _POINTS_ACROSS * 2 - 1
    grid = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.asarray(grid[np.linalg.norm(grid, axis=1) <= 1])
