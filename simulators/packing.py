"""Places for cracks, particles and pores that do not touch each other."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@njit(cache=True, nogil=True)
def place_spheres(  # type: ignore[no-untyped-def]
    candidates,
    radii,
    centre,
    max_radius,
    hole_radius,
    height,
    obstacles,
    obstacle_radii,
    discs,
    disc_radii,
    disc_clearance,
):
    """Place spheres one after the other, each at the first of the offered places that is free.

    Parameters
    ----------
    candidates
        Uniform random numbers, shape (n, 3), consumed in order until all spheres lie or none are left.
    radii
        Radii in um, including the room to keep free.
    centre, max_radius, height
        The upright cylinder that holds the spheres, standing on z = 0, in um.
    hole_radius
        No centre comes nearer to the rotation axis than this, in um.
    obstacles, obstacle_radii
        Spheres that are already there, shapes (m, 3) and (m,).
    discs, disc_radii, disc_clearance
        Thin horizontal discs to stay clear of, and the room above and below each.

    Returns
    -------
    tuple
        Centres, shape (spheres, 3), and how many of them could be placed.
    """
    placed = np.empty((radii.size, 3))
    count = 0
    for k in range(candidates.shape[0]):
        if count == radii.size:
            break
        radius = radii[count]
        ring = (max_radius - radius) * np.sqrt(candidates[k, 0])
        x = centre[0] + ring * np.cos(2 * np.pi * candidates[k, 1])
        y = centre[1] + ring * np.sin(2 * np.pi * candidates[k, 1])
        z = radius + (height - 2 * radius) * candidates[k, 2]
        if (
            x * x + y * y < hole_radius * hole_radius
            or _hits(x, y, z, radius, placed, radii, count)
            or _hits(x, y, z, radius, obstacles, obstacle_radii, obstacle_radii.size)
            or _hits_disc(x, y, z, radius, discs, disc_radii, disc_clearance)
        ):
            continue
        placed[count, 0] = x
        placed[count, 1] = y
        placed[count, 2] = z
        count += 1
    return placed, count


@njit(cache=True, nogil=True)
def _hits(x, y, z, radius, spheres, radii, count):  # type: ignore[no-untyped-def]
    for j in range(count):
        reach = radius + radii[j]
        dx = x - spheres[j, 0]
        if abs(dx) < reach:
            dy = y - spheres[j, 1]
            dz = z - spheres[j, 2]
            if dx * dx + dy * dy + dz * dz < reach * reach:
                return True
    return False


@njit(cache=True, nogil=True)
def _hits_disc(x, y, z, radius, discs, disc_radii, clearance):  # type: ignore[no-untyped-def]
    for j in range(disc_radii.size):
        dz = abs(z - discs[j, 2])
        if dz < radius + clearance:
            across = np.sqrt((x - discs[j, 0]) ** 2 + (y - discs[j, 1]) ** 2)
            if across < disc_radii[j] + radius:
                return True
    return False


def place_discs(
    generator: np.random.Generator, radii: Floats, width: float, bottom: Floats, top: Floats, spacing: float
) -> Floats:
    """Place horizontal discs in a square of ``width``, each at the emptiest of many random places.

    Parameters
    ----------
    generator
        Source of chance.
    radii, bottom, top
        Radius of each disc and the heights between which it may lie, shape (n,), in um.
    width
        Side of the square about the axis that holds every disc, in um.
    spacing
        Discs nearer than this in height should not overlap from above, in um.

    Returns
    -------
    Floats
        Centres, shape (n, 3), in the order of ``radii``.
    """
    num_tries = 500
    centres = np.empty((radii.size, 3))
    placed: list[int] = []
    for i in np.argsort(-radii):
        room = max(width / 2 - radii[i], 0.0)
        tries = generator.uniform([-room, -room, bottom[i]], [room, room, top[i]], (num_tries, 3))
        if placed:
            others = centres[placed]
            across = np.linalg.norm(tries[:, None, :2] - others[None, :, :2], axis=2)
            near = np.abs(tries[:, None, 2] - others[None, :, 2]) < spacing
            overlap = np.where(near, np.maximum(radii[i] + radii[placed] - across, 0.0), 0.0).sum(axis=1)
            centres[i] = tries[np.argmin(overlap)]
        else:
            centres[i] = tries[0]
        placed.append(int(i))
    return centres
