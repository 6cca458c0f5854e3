"""What the pristine particles have become: the most common grey value inside their mask, carried along with them."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from live_analysis.quantity import Quantity
from live_analysis.states.grey_mode import grey_mode
from live_analysis.states.particle_tracking import TrackedParticles
from live_analysis.states.placed_volume import PlacedVolume
from live_analysis.states.pristine_particles import PristineParticles

INCLUSION_BLUR_UM = 3.5  # around an inclusion: what its blur makes brighter, and a voxel more, of which it has a part
LEAST_LEFT = 0.03  # of the mask beside inclusions
# Parts, as one standard deviation, of what rims and inclusions would change that the mode may still be off.
OF_THE_RIM, OF_THE_INCLUSIONS = 0.5, 0.5
LEAST_BIAS_PER_CM = 0.05  # simulated cells of three kinds came out 0.02 to 0.1 high without inclusions


def particle_mode_quantities(
    pristine: PlacedVolume,
    particles: PristineParticles,
    later: PlacedVolume,
    tracked: TrackedParticles | None,
    phase_per_cm: float,
    *,
    scale_uncertainty: float = 0.0,
) -> Iterator[Quantity]:
    """Measure the mode inside the pristine particle mask and how far it has shifted since the pristine state.

    Nothing is told where not even half of the particles were found again: the mask would lie on something else. Voxels
    of inclusions, and those that their blur reaches, are left out as the rims of the particles are.

    Parameters
    ----------
    pristine, particles
        The pristine state and its particles.
    later
        The state asked for, on the same scale; the pristine one itself is allowed, and has no shift.
    tracked
        How the particles have moved; None leaves the mask where it was.
    phase_per_cm
        Attenuation of the phase that may have gathered in inclusions, for Cu 63.4 /cm at 35 keV.
    scale_uncertainty
        Relative standard deviation of the grey scale of one state.
    """
    if tracked is not None and tracked.found.sum() <= tracked.num_lost:
        return
    index, label, inner = _carried(pristine, particles, later, tracked)
    values = later.values_per_cm[index]
    level_per_cm = (particles.particle.per_cm + phase_per_cm) / 2
    reach = round(INCLUSION_BLUR_UM / later.voxel_size_um) + 1
    plain = inner & ~ndimage.binary_dilation(later.values_per_cm > level_per_cm, iterations=reach)[index]
    if plain.sum() < LEAST_LEFT * inner.sum():
        plain = inner
    now, all_inner, with_rim = (grey_mode(values[kept], label[kept]) for kept in (plain, inner, np.ones_like(inner)))
    parts = (
        now.uncertainty_per_cm,
        OF_THE_RIM * (all_inner.per_cm - with_rim.per_cm),
        OF_THE_INCLUSIONS * (all_inner.per_cm - now.per_cm),
        scale_uncertainty * now.per_cm,
        LEAST_BIAS_PER_CM,
    )
    details = {
        "num_particles": particles.num,
        "num_voxels": now.num_voxels,
        "threshold_per_cm": particles.threshold_per_cm,
        "mask_fraction": particles.mask_fraction,
        "mask_changes_with_threshold": list(particles.mask_changes),
        "with_rims_per_cm": with_rim.per_cm,
        "with_inclusions_per_cm": all_inner.per_cm,
        "mean_per_cm": float(np.nanmean(values[inner])),
        "whole_region_mode_per_cm": grey_mode(later.values_per_cm[later.core]).per_cm,
    }
    flags = () if tracked is not None or later is pristine else ("mask_not_moved",)
    uncertainty = float(np.linalg.norm(parts))
    yield Quantity("particle_mode", now.per_cm, "1/cm", uncertainty, flags, details)
    if later is not pristine:
        before = particles.particle
        before_uncertainty = np.hypot(before.uncertainty_per_cm, scale_uncertainty * before.per_cm)
        shift_uncertainty = float(np.hypot(uncertainty, before_uncertainty))
        yield Quantity("particle_mode_shift", now.per_cm - before.per_cm, "1/cm", shift_uncertainty, flags)


def _carried(
    pristine: PlacedVolume, particles: PristineParticles, later: PlacedVolume, tracked: TrackedParticles | None
) -> tuple[tuple[NDArray[np.int64], ...], NDArray[np.int64], NDArray[np.bool_]]:
    """Return which voxels the mask covers once each particle has moved, whose they are and whether below its rim."""
    index = np.argwhere(particles.labels > 0)
    label = particles.labels[tuple(index.T)].astype(np.int64)
    inner = particles.inner[tuple(index.T)]
    offset = later.index_of(pristine.positions_um(np.zeros((1, 3))))
    if tracked is not None:
        moved_um = np.array([tracked.motion_um(one) for one in range(particles.num)])
        offset = offset + moved_um[:, [2, 1, 0]] * np.array([-1, 1, 1]) / later.voxel_size_um
    steps = np.broadcast_to(np.rint(offset).astype(np.int64), (particles.num, 3))
    there = index + steps[label - 1]
    seen = ((there >= 0) & (there < np.array(later.shape))).all(axis=1)
    z, y, x = there[seen].T
    return (z, y, x), label[seen], inner[seen]
