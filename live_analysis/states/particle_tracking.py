"""Particles of the pristine state found again in a later one, by where they must be and what attenuation they hold.

A reacting particle changes its size, its grey value and, where copper gathers in it, its looks. What stays is its
centre and, within a few per cent, the attenuation that it adds to the matrix: no atom of the metal leaves it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled_serial
from live_analysis.states.placed_volume import PlacedVolume
from live_analysis.states.pristine_particles import PristineParticles
from live_analysis.states.row_noise import row_noise_per_cm

Floats = NDArray[np.float64]

WINDOW = 1.3  # of the pristine radius: CuS that has reacted completely has 1.20 of it
NEIGHBOURS_WITHIN = 3.0  # of the sum of radii
HELD_LEAST, HELD_MOST = 0.8, 1.2  # of the attenuation that the particle added in the pristine state
NUM_STEPS, SETTLED_VOXELS = 30, 0.01
NUM_GUIDES = 5  # tracked particles nearby whose motion a particle's search starts from
FARTHEST_FROM_GUIDES_UM = 6.0
# Beside the noise of voxels: streaks and neighbours move a centre by this part of a voxel, as one standard deviation
# and for each of the two states (simulated cells of three kinds, voxels of 1.76 and 3.52 um).
STREAKS_VOXELS = 0.015
# Across, the rotation axis that each reconstruction assumed comes on top: it moves all particles together.
AXIS_VOXELS = 0.1


@dataclass(frozen=True)
class TrackedParticles:
    """How far each pristine particle has moved, shape (n, 3) in um: x, y and up; NaN where it was lost.

    ``uncertainty_um`` is one standard deviation of each component, ``held`` the attenuation that the particle adds
    over that in the pristine state. ``cut`` marks particles whose surroundings the box does not hold whole; they are
    neither found nor lost.
    """

    centre_um: Floats
    radius_um: Floats
    displacement_um: Floats
    uncertainty_um: Floats
    held: Floats
    cut: NDArray[np.bool_]

    @property
    def found(self) -> NDArray[np.bool_]:
        """Which were found."""
        return np.isfinite(self.displacement_um[:, 2])

    def motion_um(self, one: int) -> Floats:
        """How far a particle has moved, shape (3,); if it was not found, as those around it have."""
        return self.displacement_um[one] if self.found[one] else _guided(self.centre_um, self.displacement_um, one)

    @property
    def num_lost(self) -> int:
        """How many were neither found nor cut."""
        return int((~self.found & ~self.cut).sum())


def track_particles(
    pristine: PlacedVolume,
    particles: PristineParticles,
    later: PlacedVolume,
    matrix_per_cm: float,
    start_um: Floats | None = None,
) -> TrackedParticles:
    """Find the particles again, from the collector upwards: each search starts from how those beside it have moved.

    Parameters
    ----------
    pristine, particles
        The pristine state and what was found in it.
    later
        The state to look in; its box may differ.
    matrix_per_cm
        Attenuation of the matrix in the later state.
    start_um
        Displacements to start from, shape (n, 3), of a displacement field or of the state before; NaN where unknown.
    """
    noise_per_cm, noise_before_per_cm = row_noise_per_cm(later), row_noise_per_cm(pristine)
    seen_um, before, spread_before, cut = _centred(
        pristine, particles.matrix.per_cm, particles.centre_um, np.zeros_like(particles.centre_um), particles
    )
    cut |= ~particles.whole
    moved = np.full_like(seen_um, np.nan)
    held, noise = np.full(particles.num, np.nan), np.full(particles.num, np.nan)
    order = np.argsort(particles.centre_um[:, 2])
    for attempt in range(2):  # the second finds those whose neighbours were found only after them
        for one in order[~cut[order] & ~np.isfinite(moved[order, 2])]:
            guess = _guided(particles.centre_um, moved, one)
            if attempt == 0 and start_um is not None and np.isfinite(start_um[one]).all():
                guess = start_um[one]
            here_um, mass, spread, outside = _centred(later, matrix_per_cm, seen_um, guess[None], particles, one)
            if outside[0]:
                cut[one] = True
                continue
            step_um, ratio = here_um[0] - seen_um[one], mass[0] / before[one]
            near = np.linalg.norm(step_um - guess) < FARTHEST_FROM_GUIDES_UM
            if near and HELD_LEAST < ratio < HELD_MOST:
                moved[one], held[one] = step_um, ratio
                noise[one] = np.hypot(spread[0] * noise_per_cm, spread_before[one] * noise_before_per_cm)
    own_um = np.hypot(noise, np.sqrt(2) * STREAKS_VOXELS * later.voxel_size_um)
    across_um = np.hypot(own_um, np.sqrt(2) * AXIS_VOXELS * later.voxel_size_um)
    uncertainty_um = np.where(np.isfinite(moved), np.column_stack([across_um, across_um, own_um]), np.nan)
    return TrackedParticles(seen_um, particles.radius_um, moved, uncertainty_um, held, cut)


def _guided(centre_um: Floats, moved: Floats, one: int) -> Floats:
    known = np.flatnonzero(np.isfinite(moved[:, 2]))
    if not known.size:
        return np.zeros(3)
    nearest = known[np.argsort(np.linalg.norm(centre_um[known] - centre_um[one], axis=1))[:NUM_GUIDES]]
    return np.asarray(np.median(moved[nearest], axis=0))


def _centred(
    volume: PlacedVolume,
    matrix_per_cm: float,
    centre_um: Floats,
    shift_um: Floats,
    particles: PristineParticles,
    only: int | None = None,
) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """Return centres, what each adds, noise of centres for voxels of 1 /cm (um), which are cut; of all or one."""
    chosen = np.arange(particles.num) if only is None else np.array([only])
    index = volume.index_of(centre_um)
    start = volume.index_of(centre_um[chosen] + shift_um)
    radius = particles.radius_um / volume.voxel_size_um
    found, mass, spread, cut = _settle(volume.values_per_cm, matrix_per_cm, index, radius, start, chosen)
    return volume.positions_um(found), mass, spread * volume.voxel_size_um, cut


@compiled_serial
def _settle(
    values: NDArray[np.float32],
    matrix_per_cm: float,
    index: NDArray[np.float64],
    radius: NDArray[np.float64],
    start: NDArray[np.float64],
    chosen: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Move a window about each chosen particle until it is centred on what it holds; neighbours move with it."""
    num = len(chosen)
    centre, mass, spread, cut = start.copy(), np.zeros(num), np.zeros(num), np.zeros(num, np.bool_)
    for k in range(num):
        one = chosen[k]
        reach = WINDOW * radius[one]
        apart = np.sqrt(((index - index[one]) ** 2).sum(axis=1))
        beside = np.flatnonzero((apart < NEIGHBOURS_WITHIN * (radius + radius[one])) & (apart > 0))
        for _ in range(NUM_STEPS):
            c0, c1, c2 = centre[k, 0], centre[k, 1], centre[k, 2]
            low0, low1, low2 = int(np.ceil(c0 - reach)), int(np.ceil(c1 - reach)), int(np.ceil(c2 - reach))
            top0, top1, top2 = int(np.floor(c0 + reach)), int(np.floor(c1 + reach)), int(np.floor(c2 + reach))
            if low0 < 0 or low1 < 0 or low2 < 0:
                cut[k] = True
            if top0 >= values.shape[0] or top1 >= values.shape[1] or top2 >= values.shape[2]:
                cut[k] = True
            if cut[k]:
                break
            total, m0, m1, m2, square = 0.0, 0.0, 0.0, 0.0, 0.0
            for z in range(low0, top0 + 1):
                for y in range(low1, top1 + 1):
                    for x in range(low2, top2 + 1):
                        own = ((z - c0) ** 2 + (y - c1) ** 2 + (x - c2) ** 2) / radius[one] ** 2
                        if own > WINDOW**2 or not np.isfinite(values[z, y, x]):
                            continue
                        mine = True
                        for j in beside:
                            d0 = z - c0 - (index[j, 0] - index[one, 0])
                            d1 = y - c1 - (index[j, 1] - index[one, 1])
                            d2 = x - c2 - (index[j, 2] - index[one, 2])
                            if (d0 * d0 + d1 * d1 + d2 * d2) / radius[j] ** 2 < own:
                                mine = False
                                break
                        if mine:
                            excess = values[z, y, x] - matrix_per_cm
                            total += excess
                            m0 += excess * (z - c0)
                            m1 += excess * (y - c1)
                            m2 += excess * (x - c2)
                            square += own * radius[one] ** 2 / 3
            mass[k] = total
            if total <= 0:
                break
            spread[k] = np.sqrt(square) / total
            centre[k, 0] += m0 / total
            centre[k, 1] += m1 / total
            centre[k, 2] += m2 / total
            if abs(m0) + abs(m1) + abs(m2) < SETTLED_VOXELS * total:
                break
    return centre, mass, spread, cut
