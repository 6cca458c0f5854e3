"""Random places for particles, pores and cracks of a pristine cathode, none of which touches another.

Differences of attenuation must not overlap, also not after the particles have grown: the radii given here are those of
the largest state.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

MAX_ROUNDS = 500
MAX_TRIES_PER_CRACK = 20_000
CLEARANCE_UM = 1.0
CRACK_SPACING_UM = 3.0


class PhantomError(ValueError):
    """A cathode that cannot be filled as asked."""


@dataclass(frozen=True)
class Discs:
    """Flat cracks at their widest opening: centres (num, 3), radii and full thicknesses (num,), all in um."""

    centres_um: NDArray[np.float64]
    radii_um: NDArray[np.float64]
    thicknesses_um: NDArray[np.float64]

    def clear_of(self, centres_um: NDArray[np.float64], radii_um: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which spheres touch no disc, shape (sphere,)."""
        clear = np.ones(len(radii_um), bool)
        for centre, radius, thickness in zip(self.centres_um, self.radii_um, self.thicknesses_um, strict=True):
            apart = centres_um - centre
            near = np.hypot(apart[:, 0], apart[:, 1]) < radius + radii_um + CLEARANCE_UM
            clear &= ~(near & (np.abs(apart[:, 2]) < thickness / 2 + radii_um + CLEARANCE_UM))
        return clear


@dataclass(frozen=True)
class Spheres:
    """Spheres: centres (num, 3) and radii (num,), in um."""

    centres_um: NDArray[np.float64]
    radii_um: NDArray[np.float64]


def placed_spheres(
    radii_um: NDArray[np.float64],
    draw: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    discs: Discs,
    others: Spheres,
) -> NDArray[np.float64]:
    """Return centres, shape (num, 3), at which spheres touch neither one another nor discs nor other spheres.

    Parameters
    ----------
    radii_um
        Shape (num,).
    draw
        Draws candidate centres, shape (n, 3), for spheres of n radii.

    Raises
    ------
    PhantomError
        If some find no place.
    """
    centres_um = np.empty((len(radii_um), 3))
    is_placed = np.zeros(len(radii_um), bool)
    for _ in range(MAX_ROUNDS):
        waiting = np.flatnonzero(~is_placed)
        if not waiting.size:
            return centres_um
        candidates_um = draw(radii_um[waiting])
        free = discs.clear_of(candidates_um, radii_um[waiting])
        fixed = np.concatenate([others.centres_um, centres_um[is_placed]])
        fixed_radii_um = np.concatenate([others.radii_um, radii_um[is_placed]])
        free &= _free_of_earlier(fixed, fixed_radii_um, candidates_um, radii_um[waiting])
        centres_um[waiting[free]] = candidates_um[free]
        is_placed[waiting[free]] = True
    raise PhantomError(
        f"{np.count_nonzero(~is_placed)} of {len(radii_um)} spheres find no place in the cathode after "
        f"{MAX_ROUNDS} rounds: ask for less active mass, fewer cracks or fewer pores in the cell file."
    )


def _free_of_earlier(
    fixed_um: NDArray[np.float64],
    fixed_radii_um: NDArray[np.float64],
    candidates_um: NDArray[np.float64],
    radii_um: NDArray[np.float64],
) -> NDArray[np.bool_]:
    all_um, all_radii_um = np.concatenate([fixed_um, candidates_um]), np.concatenate([fixed_radii_um, radii_um])
    # The first of a touching pair is fixed or drawn earlier, the second is a candidate and gives way.
    reach_um = float(all_radii_um.max() + radii_um.max()) + CLEARANCE_UM
    pairs = cKDTree(all_um).query_pairs(reach_um, output_type="ndarray")
    first, second = pairs.min(axis=1), pairs.max(axis=1)
    apart_um = np.linalg.norm(all_um[first] - all_um[second], axis=1)
    touching = apart_um < all_radii_um[first] + all_radii_um[second] + CLEARANCE_UM
    free = np.ones(len(all_um), bool)
    free[second[touching]] = False
    return free[len(fixed_um) :]


def placed_discs(
    rng: np.random.Generator,
    radii_um: NDArray[np.float64],
    thicknesses_um: NDArray[np.float64],
    *,
    width_um: float,
    draw_z: Callable[[int, float], float],
) -> Discs:
    """Return flat discs inside a square of ``width_um`` around the axis that do not touch one another.

    ``draw_z`` draws a height for the disc of an index and thickness.

    Raises
    ------
    PhantomError
        If one finds no place.
    """
    centres_um = np.empty((len(radii_um), 3))
    for index, (radius, thickness) in enumerate(zip(radii_um, thicknesses_um, strict=True)):
        for _ in range(MAX_TRIES_PER_CRACK):
            x, y = rng.uniform(-1, 1, 2) * (width_um / 2 - radius)
            centre = np.array([x, y, draw_z(index, thickness)])
            apart = centres_um[:index] - centre
            lateral = np.hypot(apart[:, 0], apart[:, 1]) < radii_um[:index] + radius + CRACK_SPACING_UM
            vertical = np.abs(apart[:, 2]) < (thicknesses_um[:index] + thickness) / 2 + CRACK_SPACING_UM
            if not np.any(lateral & vertical):
                centres_um[index] = centre
                break
        else:
            raise PhantomError(
                f"crack {index + 1} of {len(radii_um)} finds no place in a square of {width_um:g} um: ask for fewer or "
                "smaller cracks in the cell file."
            )
    return Discs(centres_um, radii_um, thicknesses_um)
