"""Volumes of metallic Cu lenses in particles, from projections with blur and photon noise to um3."""

import numpy as np
import pytest

from live_analysis.high_attenuation_volume import NEAR_RESOLUTION, HighAttenuationVolume, high_attenuation_volume
from live_analysis.reconstruction.filtered_scan import filter_scan
from live_analysis.reconstruction.lattice import Lattice
from operando.model.materials import attenuation_per_cm
from tests.live_analysis.phantoms import Detector, Spheroid, cylinder, expose

ENERGY_KEV = 35.0
PIXEL_UM, FWHM_UM = 3.52, 2.6
MATRIX_PER_CM, CUS_PER_CM = 2.1, 24.6
PARTICLE_RADIUS_UM = 22.0
NUM_PARTICLES = 8
# A narrow cylinder stands for the bore, so that 160 columns see all of it; the beam is as weak as behind 6 mm.
DETECTOR = Detector(np.arange(360) / 2, 56, 160, PIXEL_UM, 79.2)
PHOTONS = 9_000.0


def measure(
    lens_thickness_um: float, residue_per_cm: float, *, lenses: bool = True
) -> tuple[HighAttenuationVolume, float]:
    """Scan particles with one lens of aspect 3 each; return what was measured and the exact volume in um3."""
    copper = attenuation_per_cm("Cu", ENERGY_KEV)
    rng = np.random.default_rng(7)
    parts = 2
    integrals = np.repeat(cylinder(DETECTOR, 260, MATRIX_PER_CM, parts=parts), DETECTOR.num_rows, axis=1)
    truth_um3 = 0.0
    for index in range(NUM_PARTICLES):
        angle = 2 * np.pi * index / NUM_PARTICLES
        x, y = 90 * (1 + index % 2) * np.cos(angle), 90 * (1 + index % 2) * np.sin(angle)
        z = rng.uniform(40, DETECTOR.num_rows * PIXEL_UM - 40)
        inside = residue_per_cm - MATRIX_PER_CM
        Spheroid(x, y, z, PARTICLE_RADIUS_UM, PARTICLE_RADIUS_UM, inside).add_to(integrals, DETECTOR, parts)
        if lenses:
            half = lens_thickness_um / 2 * rng.uniform(0.85, 1.15)
            lens = Spheroid(x, y, z, 3 * half, half, copper - residue_per_cm)
            lens.add_to(integrals, DETECTOR, parts)
            truth_um3 += lens.volume_um3
    noisy = expose(integrals, PHOTONS, PIXEL_UM, FWHM_UM, seed=8, parts=parts)
    scan = filter_scan(noisy, DETECTOR.angles_deg, DETECTOR.axis_column, PIXEL_UM)
    volume = scan.reconstruct(Lattice.square(130))
    return high_attenuation_volume(volume, PIXEL_UM, copper, resolution_fwhm_um=FWHM_UM), truth_um3


@pytest.mark.parametrize(
    ("state", "thickness_um", "residue_per_cm", "tolerance"),
    [
        ("end of discharge", 12.5, 4.7, 0.05),
        ("half of the Cu", 9.7, 11.5, 0.15),  # the ring lies partly outside the particle: reads high
        ("first Cu, lenses near the resolution", 5.0, 16.7, 0.15),
    ],
)
def test_the_volume_of_copper_is_right(
    state: str, thickness_um: float, residue_per_cm: float, tolerance: float
) -> None:
    found, truth_um3 = measure(thickness_um, residue_per_cm)
    assert found.volume_um3 == pytest.approx(truth_um3, rel=tolerance), state
    assert abs(found.volume_um3 - truth_um3) < 2 * found.uncertainty_um3, state
    assert found.num_components == NUM_PARTICLES


def test_thin_lenses_are_flagged_and_their_thickness_is_not_given_as_a_number() -> None:
    found, _ = measure(5.0, 16.7)
    assert NEAR_RESOLUTION in found.flags
    assert not found.median_thickness_um > 2 * FWHM_UM


def test_particles_of_cus_hold_no_copper() -> None:
    found, _ = measure(0.0, CUS_PER_CM, lenses=False)
    assert found.volume_um3 == 0
    assert found.uncertainty_um3 == NUM_PARTICLES / 2 * found.detection_limit_um3  # each may hide some
