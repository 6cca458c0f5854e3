"""Particles found in the pristine state, and again when they have moved, grown and become something else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from live_analysis.displacement.collector_rise import NOT_CHECKED
from live_analysis.states.grey_mode import grey_mode
from live_analysis.states.particle_layers import particle_displacement_quantities
from live_analysis.states.particle_mode import particle_mode_quantities
from live_analysis.states.particle_tracking import track_particles
from live_analysis.states.placed_volume import PlacedVolume, StateError
from live_analysis.states.pristine_particles import PristineParticles, find_pristine_particles

VOXEL_UM = 3.52
SHAPE = (60, 64, 64)
CORE = (slice(4, 56), slice(6, 58), slice(6, 58))
MATRIX_PER_CM, CUS_PER_CM, CU_PER_CM, RESIDUE_PER_CM, NOISE_PER_CM = 1.96, 24.6, 63.4, 11.5, 1.0
CENTRE_UM = np.array([[-50.0, -40, 50], [45, -50, 60], [-45, 50, 105], [5, 5, 100], [50, 48, 150], [-40, -30, 155]])
RADIUS_UM = np.array([20.0, 14.0, 25.0, 18.0, 22.0, 16.0])


def box(*spheres: tuple[NDArray[np.float64], NDArray[np.float64], float], seed: int) -> PlacedVolume:
    """A box with spheres of another attenuation, the later ones inside the earlier."""
    place = PlacedVolume(np.zeros(SHAPE, np.float32), VOXEL_UM, 0, SHAPE[0], CORE)
    values = np.full(SHAPE, MATRIX_PER_CM) + np.random.default_rng(seed).normal(0, NOISE_PER_CM, SHAPE)
    index = np.argwhere(np.ones(SHAPE, bool)).astype(float)
    at_um = place.positions_um(index).reshape(*SHAPE, 3)
    level = np.full(SHAPE, MATRIX_PER_CM)
    for centres_um, radii_um, per_cm in spheres:
        for centre_um, radius_um in zip(centres_um, radii_um, strict=True):
            depth = (radius_um - np.linalg.norm(at_um - centre_um, axis=3)) / VOXEL_UM
            part = np.clip(depth + 0.5, 0, 1)
            values += part * (per_cm - level)
            level += part * (per_cm - level)
    return PlacedVolume(values.astype(np.float32), VOXEL_UM, 0, SHAPE[0], CORE)


@pytest.fixture(scope="module")
def pristine() -> tuple[PlacedVolume, PristineParticles]:
    volume = box((CENTRE_UM, RADIUS_UM, CUS_PER_CM), seed=1)
    return volume, find_pristine_particles(volume, CUS_PER_CM)


def matched(found_um: NDArray[np.float64]) -> NDArray[np.intp]:
    """Which of the true particles each found one is."""
    return np.asarray(np.linalg.norm(CENTRE_UM[None] - found_um[:, None], axis=2).argmin(axis=1))


def test_particles_are_found_with_their_volume_and_the_threshold_hardly_matters(
    pristine: tuple[PlacedVolume, PristineParticles],
) -> None:
    _, particles = pristine
    assert particles.num == len(RADIUS_UM)
    assert particles.threshold_per_cm == pytest.approx((MATRIX_PER_CM + CUS_PER_CM) / 2, abs=0.3)  # half-way
    which = matched(particles.centre_um)
    assert np.abs(particles.centre_um - CENTRE_UM[which]).max() < 0.1 * VOXEL_UM
    inside_um3 = (4 / 3 * np.pi * RADIUS_UM**3).sum()  # all lie in the region
    assert particles.volume_um3 == pytest.approx(inside_um3, rel=0.02)
    assert abs(particles.volume_um3 - inside_um3) < 2 * particles.volume_uncertainty_um3
    lower, higher = particles.mask_changes
    assert 0 < lower < 0.3 * particles.mask_fraction
    assert -0.3 * particles.mask_fraction < higher < 0


def test_particles_that_touch_are_told_apart() -> None:
    centre_um = np.array([[-17.0, 0, 100], [17.0, 3, 102]])
    volume = box((centre_um, np.array([18.0, 16.0]), CUS_PER_CM), seed=3)
    assert find_pristine_particles(volume, CUS_PER_CM).num == 2


def test_a_state_without_particles_is_refused() -> None:
    with pytest.raises(StateError, match="no particle thicker than"):
        find_pristine_particles(box(seed=2), CUS_PER_CM)


def test_moved_and_reacted_particles_are_followed_to_a_twentieth_of_a_voxel(
    pristine: tuple[PlacedVolume, PristineParticles],
) -> None:
    volume, particles = pristine
    rise_um = 9.0 * CENTRE_UM[:, 2] / 155
    moved_um = CENTRE_UM + np.column_stack([np.zeros((6, 2)), rise_um])
    # Growth and copper that keep what a particle adds to the matrix.
    grown, copper = (
        1.15,
        (CUS_PER_CM - MATRIX_PER_CM - 1.15**3 * (RESIDUE_PER_CM - MATRIX_PER_CM)) / (CU_PER_CM - RESIDUE_PER_CM),
    )
    later = box(
        (moved_um, grown * RADIUS_UM, RESIDUE_PER_CM), (moved_um, np.cbrt(copper) * RADIUS_UM, CU_PER_CM), seed=4
    )
    tracked = track_particles(volume, particles, later, MATRIX_PER_CM)
    which = matched(particles.centre_um)
    assert tracked.num_lost == 0
    assert tracked.found.sum() >= 5
    error_um = tracked.displacement_um[tracked.found, 2] - rise_um[which][tracked.found]
    assert np.abs(error_um).max() < 0.05 * VOXEL_UM
    assert (np.abs(error_um) < 2 * tracked.uncertainty_um[tracked.found, 2]).mean() >= 0.8
    assert np.abs(tracked.held[tracked.found] - 1).max() < 0.05
    (rise,) = particle_displacement_quantities(tracked, 20.0, 175.0, NOT_CHECKED)
    top = rise.details["layers"][0]
    assert rise.value == pytest.approx(9.0 * top["mean_height_um"] / 155, abs=0.2)
    mode, shift = particle_mode_quantities(volume, particles, later, tracked, CU_PER_CM)
    assert abs(mode.value - RESIDUE_PER_CM) < max(2 * mode.uncertainty, 0.3)
    assert shift.value == pytest.approx(RESIDUE_PER_CM - CUS_PER_CM, abs=0.4)


def test_a_particle_that_is_gone_is_said_to_be_lost(pristine: tuple[PlacedVolume, PristineParticles]) -> None:
    volume, particles = pristine
    tracked = track_particles(volume, particles, box((CENTRE_UM[1:], RADIUS_UM[1:], CUS_PER_CM), seed=5), MATRIX_PER_CM)
    gone = int(np.flatnonzero(matched(particles.centre_um) == 0)[0])
    assert tracked.num_lost == 1
    assert np.isnan(tracked.displacement_um[gone]).all()
    assert np.abs(np.delete(tracked.displacement_um, gone, axis=0)[:, 2]).max() < 0.2


@given(st.floats(-5, 60), st.floats(0.3, 2.0))
def test_the_mode_is_the_middle_of_a_symmetric_peak(level_per_cm: float, spread_per_cm: float) -> None:
    values = np.random.default_rng(1).normal(level_per_cm, spread_per_cm, 30_000).astype(np.float32)
    found = grey_mode(values)
    assert abs(found.per_cm - level_per_cm) < 0.1 * spread_per_cm + 0.02  # bins are 0.1 wide
    assert abs(found.per_cm - level_per_cm) < 4 * found.uncertainty_per_cm + 0.02


@given(st.tuples(st.floats(-100, 100), st.floats(-100, 100), st.floats(0, 200)))
def test_places_and_indices_are_two_names_of_one_point(position_um: tuple[float, float, float]) -> None:
    volume = PlacedVolume(np.zeros(SHAPE, np.float32), VOXEL_UM, 7, 90, CORE)
    index = volume.index_of(np.array([position_um]))
    assert volume.positions_um(index)[0] == pytest.approx(position_um, abs=1e-9)
    assert volume.heights_um[0] == pytest.approx((90 - 7 - 0.5) * VOXEL_UM)
