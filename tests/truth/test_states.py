"""A simulated cell, pristine and discharged: what particles and copper have become, and where the interface was."""

from dataclasses import dataclass

import numpy as np
import pytest

from live_analysis.displacement.collector_rise import NOT_CHECKED
from live_analysis.frame_reader import FrameReader
from live_analysis.quantity import Quantity
from live_analysis.region_quantities import anchored_scale
from live_analysis.region_volume import RegionVolume
from live_analysis.states.expected_volumes import PassedCharge, expected_quantities
from live_analysis.states.inclusion_tilt import inclusion_tilt, inclusion_tilt_quantities
from live_analysis.states.interface import Interface, find_interface, interface_quantities
from live_analysis.states.particle_layers import particle_displacement_quantities
from live_analysis.states.particle_mode import particle_mode_quantities
from live_analysis.states.particle_tracking import TrackedParticles, track_particles
from live_analysis.states.placed_volume import PlacedVolume
from live_analysis.states.pristine_particles import PristineParticles, find_pristine_particles
from live_analysis.tomogram_frames import TomogramFrames
from live_analysis.tomogram_volume import Reference, reconstruct_tomogram
from operando.model.frames import FrameKind
from operando.model.geometry import ImagingGeometry, Region
from operando.model.materials import attenuation_per_cm
from simulators.cell_parameters import load_cell
from simulators.cell_state import CellState
from tests.support.offline_run import CELL, QUICK, START_S, OfflineRun, View, discharge

SHIPPED = load_cell(CELL)
VOXEL_UM, ENERGY_KEV = QUICK.pixel_size_um, 35.0
NARROW = View(ImagingGeometry(280, QUICK.num_rows, VOXEL_UM))  # less to render and filter
CUS_PER_CM, CU_PER_CM = attenuation_per_cm("CuS", ENERGY_KEV), attenuation_per_cm("Cu", ENERGY_KEV)
ABOUT_FACE = Region(width_x_um=600.0, width_y_um=600.0, bottom_um=240.0, top_um=310.0)
SCAN_S = NARROW.num_projections * NARROW.exposure_s


@dataclass(frozen=True)
class Discharged:
    """Both states as measured, and the true later one; in so narrow a view only the pristine interface is judged."""

    run: OfflineRun
    state: CellState
    pristine: PlacedVolume
    particles: PristineParticles
    later: PlacedVolume
    tracked: TrackedParticles
    interface: Interface


def volumes(run: OfflineRun, attempt: int, about_face: Region | None) -> tuple[RegionVolume, RegionVolume | None]:
    """Reconstruct the analysis region and, if asked, that about the interface; on the scale of the separator."""
    kinds = (FrameKind.DARK, FrameKind.FLAT, FrameKind.PROJECTION)
    frames = TomogramFrames({kind: FrameReader(run.run.frames_file(attempt, kind)) for kind in kinds})
    frames.poll()
    analysis, cell = run.experiment.analysis, run.experiment.cell
    assert analysis is not None
    slab = analysis.grey_reference
    volume = reconstruct_tomogram(
        frames,
        VOXEL_UM,
        cell=cell.geometry,
        wall_per_cm=attenuation_per_cm("PEEK", ENERGY_KEV),
        region=analysis.region.region,
        reference=Reference(slab.bottom, slab.top, slab.radius),
        crack_region=about_face,
    )
    frames.close()
    scale = anchored_scale(analysis, volume)
    assert volume.region is not None
    return scale.region(volume.region), None if volume.crack_region is None else scale.region(volume.crack_region)


def placed(region: RegionVolume) -> PlacedVolume:
    return PlacedVolume.of_region(region, VOXEL_UM, QUICK.num_rows)


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Discharged:
    run = OfflineRun(tmp_path_factory.mktemp("states"), SHIPPED, 6, NARROW)
    run.expose("OCV", START_S)
    reached_s = discharge(run.twin, SHIPPED, 0.7)
    run.expose("D0.7V", reached_s)
    (region, wide), (later_region, _) = volumes(run, 1, ABOUT_FACE), volumes(run, 2, None)
    assert wide is not None
    pristine, later = placed(region), placed(later_region)
    particles = find_pristine_particles(pristine, CUS_PER_CM, region.inside)
    tracked = track_particles(pristine, particles, later, particles.matrix.per_cm)
    return Discharged(
        run, run.twin.state(reached_s + SCAN_S / 2), pristine, particles, later, tracked, find_interface(placed(wide))
    )


def within_two(quantity: Quantity, true_value: float) -> bool:
    return abs(quantity.value - true_value) < 2 * quantity.uncertainty


def test_the_interface_is_found_within_a_voxel(cell: Discharged) -> None:
    (height,) = interface_quantities(cell.interface)
    true_um = SHIPPED.layers.cathode_thickness.value
    assert abs(height.value - true_um) < VOXEL_UM
    assert within_two(height, true_um)
    assert height.flags == ()


def test_particles_have_risen_as_the_cathode_did(cell: Discharged) -> None:
    tracked, found = cell.tracked, cell.tracked.found
    assert tracked.num_lost == 0
    assert found.sum() > 20
    true_um = cell.run.phantom.displacement_um(cell.state, cell.particles.centre_um[found, 2])
    error_um = tracked.displacement_um[found, 2] - true_um
    assert np.abs(error_um).mean() < 0.15  # um; other cells came within 0.05 to 0.09
    assert (np.abs(error_um) < 2 * tracked.uncertainty_um[found, 2]).mean() > 0.85
    across_um = np.abs(tracked.displacement_um[found, :2])
    assert (across_um < 2 * tracked.uncertainty_um[found, :2]).mean() > 0.85
    for quantity in particle_displacement_quantities(tracked, 20.0, 270.0, NOT_CHECKED):
        assert quantity.value > 5.0


def test_the_particles_have_become_residue_beside_copper(cell: Discharged) -> None:
    mode, shift = particle_mode_quantities(cell.pristine, cell.particles, cell.later, cell.tracked, CU_PER_CM)
    true_per_cm = cell.run.phantom.mixture(cell.state).residue_per_cm
    assert mode.value == pytest.approx(true_per_cm, abs=0.6)  # 4.7 /cm; the blur of copper makes it brighter
    assert within_two(mode, true_per_cm)
    assert within_two(shift, true_per_cm - CUS_PER_CM)


def test_copper_lies_across_the_stack(cell: Discharged) -> None:
    (tilt,) = inclusion_tilt_quantities(inclusion_tilt(cell.later, CU_PER_CM))
    assert tilt.value == pytest.approx(7.5, abs=2.5)  # drawn evenly from 0 to 15 degrees; asked for are 5
    inclusions = cell.run.phantom.scene(cell.state).inclusions
    found = inclusion_tilt(cell.later, CU_PER_CM)
    nearest = np.linalg.norm(inclusions.centre_um[None] - found.centre_um[:, None], axis=2).argmin(axis=1)
    tilts_deg = np.degrees(np.arccos(np.abs(inclusions.axis[nearest, 2])))
    assert within_two(tilt, float(np.average(tilts_deg, weights=inclusions.volume_um3[nearest])))
    assert list(inclusion_tilt_quantities(inclusion_tilt(cell.pristine, CU_PER_CM))) == []


def test_the_charge_asks_for_the_copper_that_is_there(cell: Discharged) -> None:
    passed = PassedCharge(cell.state.charge_mah, 1e-3, SHIPPED.particles.active_mass.value, 6.0, 4.5)
    expected = {entry.name: entry for entry in expected_quantities(passed, cell.particles)}
    truth = cell.run.truths["D0.7V"]
    copper_um3 = truth["high_attenuation_volume"] + truth["dispersed_copper_volume"]
    assert expected["expected_copper_volume"].value == pytest.approx(copper_um3, rel=0.04)  # particles at faces moved
    assert cell.particles.volume_um3 == pytest.approx(cell.run.truths["OCV"]["particle_volume"], rel=0.02)
    assert within_two(expected["expected_cathode_expansion"], cell.state.expansion_um)
    assert within_two(expected["expected_stack_change"], cell.state.expansion_um - cell.state.lithium_loss_um)
