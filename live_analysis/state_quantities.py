"""What a tomogram tells beside the pristine state of its run: how matrix and particles moved, what these became."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from live_analysis.displacement.collector_rise import NOT_CHECKED, CollectorRise, collector_rise
from live_analysis.displacement.cuboid_grid import DisplacementError, cuboid_grid
from live_analysis.displacement.displacement_field import DisplacementField, measure_displacement
from live_analysis.displacement.displacement_file import FILE_NAME, Compared, write_displacement
from live_analysis.displacement.displacement_quantities import displacement_quantities
from live_analysis.displacement.prepared_state import prepare_state
from live_analysis.earlier_states import EarlierStates, PristineState
from live_analysis.quantity import Quantity
from live_analysis.region_file import RegionState
from live_analysis.states.common_rows import common_rows
from live_analysis.states.expected_volumes import PassedCharge, expected_quantities
from live_analysis.states.inclusion_tilt import inclusion_tilt, inclusion_tilt_quantities
from live_analysis.states.interface import Interface, interface_shift
from live_analysis.states.particle_layers import particle_displacement_quantities
from live_analysis.states.particle_mode import particle_mode_quantities
from live_analysis.states.particle_tracking import track_particles
from live_analysis.states.placed_volume import PlacedVolume, StateError
from live_analysis.states.pristine_particles import PristineParticles
from live_analysis.tomogram_context import TomogramContext
from operando.model.geometry import Region
from operando.model.materials import MaterialError, attenuation_per_cm

# Of the cuboids: where the two states do not show the same place, some are still found by chance (simulated cells: 0.3
# after a shift of 100 um, 0.7 to 1 of the same place).
LEAST_FOUND = 0.5
PRISTINE_LOST = "pristine_state_lost"
CHARGE_IS_OF = "CuS"  # the reaction whose volumes follow from charge


@dataclass(frozen=True)
class PresentState:
    """The state of a tomogram: its region, which of its voxels are cracked, and what 1 /cm on its scale is worth.

    ``interface`` is None where it was not found.
    """

    state: RegionState
    cracked: NDArray[np.bool_]
    scale_uncertainty: float
    readings: dict[str, Quantity]
    interface: Interface | None


def state_quantities(context: TomogramContext, present: PresentState, earlier: EarlierStates) -> Iterator[Quantity]:
    """Compare a tomogram with the pristine state of its run; it is that itself if no other came before.

    What cannot be compared, because the states do not show it or the pristine one is lost, is left out. The field of
    displacement is left in ``displacement.h5`` of the tomogram's volume.

    Raises
    ------
    MaterialError
        If the attenuation of the phase with high attenuation is not known.
    """
    assert context.analysis is not None
    energy_kev = context.said("energy_kev")
    phase_per_cm = attenuation_per_cm(context.analysis.high_attenuation_material, energy_kev)
    particle_per_cm = _particle_per_cm(context, energy_kev)
    now = PlacedVolume.of_state(present.state)
    with contextlib.suppress(StateError):
        yield from inclusion_tilt_quantities(inclusion_tilt(now, phase_per_cm))
    (context.run.volume(context.tomogram.attempt) / FILE_NAME).unlink(missing_ok=True)  # of an earlier analysis
    try:
        before = earlier.pristine(present.state, context.tomogram.attempt, particle_per_cm)
    except StateError:
        for quantity in _expected(context, present, None):
            yield replace(quantity, flags=(*quantity.flags, PRISTINE_LOST))
        return
    pristine = PristineState.of(present.state, particle_per_cm) if before is None else before
    yield from _expected(context, present, pristine.particles)
    field, view = None, NOT_CHECKED
    if before is not None:
        field = _displacement(context, present, before, earlier)
        if field is not None:
            view = collector_rise(field.layers)
            yield from _told(field, context)
        if present.interface is not None and before.state.face is not None:
            yield interface_shift(present.interface, before.state.face, view)
    with contextlib.suppress(StateError):
        yield from _of_particles(context, present, pristine, None if before is None else now, field, view, phase_per_cm)


def _particle_per_cm(context: TomogramContext, energy_kev: float) -> float | None:
    if context.experiment is None:
        return None
    try:
        return attenuation_per_cm(context.experiment.cell.active_material, energy_kev)
    except MaterialError:
        return None


def _expected(
    context: TomogramContext, present: PresentState, particles: PristineParticles | None
) -> Iterator[Quantity]:
    charge, current = present.readings.get("charge"), present.readings.get("current")
    if context.experiment is None or charge is None or context.experiment.cell.active_material != CHARGE_IS_OF:
        return
    cell = context.experiment.cell
    passed = PassedCharge(
        charge.value,
        charge.uncertainty,
        cell.active_mass,
        cell.bore_diameter,
        cell.lithium_diameter,
        charging=current is not None and current.value > 0,
    )
    yield from expected_quantities(passed, particles)


def _displacement(
    context: TomogramContext, present: PresentState, pristine: PristineState, earlier: EarlierStates
) -> DisplacementField | None:
    before, now = pristine.state, present.state
    region = _displacement_region(context)
    rows, rows_now, top_um = common_rows(before, now)
    try:
        reference = prepare_state(before.values_per_cm[rows], before.voxel_size_um)
        moved = prepare_state(now.values_per_cm[rows_now], now.voxel_size_um, present.cracked[rows_now], like=reference)
        z, y, x = reference.values_per_cm.shape
        grid = cuboid_grid(
            (z, y, x),
            before.voxel_size_um,
            top_um=top_um,
            heights_um=(region.bottom_um, region.top_um),
            width_um=min(region.width_x_um, region.width_y_um),
        )
        start = earlier.field_before(context.tomogram.attempt, before)
        field = measure_displacement(
            reference,
            moved,
            grid,
            top_um=top_um,
            start=start if start is not None and start.shape == grid.shape else None,
        )
    except DisplacementError:
        return None
    if field.found.mean() < LEAST_FOUND:
        return None
    compared = Compared(before.tomogram, before.run_uid, now.tomogram, now.run_uid)
    write_displacement(context.run.volume(context.tomogram.attempt), field, compared)
    return field


def _displacement_region(context: TomogramContext) -> Region:
    assert context.analysis is not None
    return (context.analysis.displacement_region or context.analysis.region).region


def _told(field: DisplacementField, context: TomogramContext) -> Iterator[Quantity]:
    """Tell the displacement, and flag it where rows that only one state shows have cost layers."""
    region = _displacement_region(context)
    cut = field.shape[0] < round((region.top_um - region.bottom_um) / field.cuboid_um)
    for quantity in displacement_quantities(field):
        yield replace(quantity, flags=(*(("region_cut",) if cut else ()), *quantity.flags))


def _of_particles(
    context: TomogramContext,
    present: PresentState,
    pristine: PristineState,
    now: PlacedVolume | None,
    field: DisplacementField | None,
    view: CollectorRise,
    phase_per_cm: float,
) -> Iterator[Quantity]:
    assert context.analysis is not None
    particles, tracked = pristine.particles, None
    if particles is None:
        return
    if now is None:
        now = pristine.volume
    else:
        start_um = None if field is None else _rise_at(field, particles.centre_um)
        tracked = track_particles(pristine.volume, particles, now, particles.matrix.per_cm, start_um)
        region = context.analysis.region
        yield from particle_displacement_quantities(tracked, region.bottom, region.top, view)
    yield from particle_mode_quantities(
        pristine.volume, particles, now, tracked, phase_per_cm, scale_uncertainty=present.scale_uncertainty
    )


def _rise_at(field: DisplacementField, centre_um: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean displacement of the layers at the heights of some places, shape (n, 3); NaN where unknown."""
    known = [layer for layer in field.layers if np.isfinite(layer.mean_um).all()]
    if not known:
        return np.full(centre_um.shape, np.nan)
    heights_um, means_um = np.array([layer.height_um for layer in known]), np.array([layer.mean_um for layer in known])
    order = np.argsort(heights_um)
    return np.stack([np.interp(centre_um[:, 2], heights_um[order], means_um[order, axis]) for axis in range(3)], axis=1)
