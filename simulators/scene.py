"""What stands in the beam at one moment, as shapes whose shadows are known in closed form."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spheroids:
    """Ellipsoids of revolution, one a row; lengths in um.

    ``attenuation_difference_per_cm`` is that of the inside less that of what immediately surrounds it, so nested
    shapes simply add up. ``axis`` is the unit vector of the axis of revolution, shape (n, 3); ``centre_um`` is
    (x, y, z), shape (n, 3).
    """

    centre_um: Floats
    equatorial_um: Floats
    polar_um: Floats
    axis: Floats
    attenuation_difference_per_cm: Floats

    @property
    def volume_um3(self) -> Floats:
        """Volume of each."""
        return 4 / 3 * np.pi * self.equatorial_um**2 * self.polar_um


@dataclass(frozen=True)
class Cylinders:
    """Upright cylinders that simply add up, one a row; lengths in um, heights above the collector."""

    centre_um: Floats
    radius_um: Floats
    bottom_um: Floats
    top_um: Floats
    attenuation_difference_per_cm: Floats


@dataclass(frozen=True)
class Scene:
    """Layers and wall as cylinders, everything inside the layers as spheroids."""

    cylinders: Cylinders
    particles: Spheroids
    inclusions: Spheroids
    cracks: Spheroids
    pores: Spheroids

    @property
    def spheroids(self) -> tuple[Spheroids, ...]:
        """All kinds of spheroids."""
        return self.particles, self.inclusions, self.cracks, self.pores


def upright(count: int) -> Floats:
    """Return axes that point along z, shape (count, 3)."""
    return np.tile([0.0, 0.0, 1.0], (count, 1))


def spheres(centre_um: Floats, radius_um: Floats, difference_per_cm: float) -> Spheroids:
    """Return spheres of one kind."""
    return Spheroids(
        centre_um, radius_um, radius_um, upright(radius_um.size), np.full(radius_um.size, difference_per_cm)
    )


def no_spheroids() -> Spheroids:
    """Return none."""
    return spheres(np.empty((0, 3)), np.empty(0), 0.0)
