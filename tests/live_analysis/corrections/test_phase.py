"""Phase retrieval against free-space propagation of a sphere and a wedge by the angular spectrum, in float64."""

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from live_analysis.corrections.phase import PhaseError, PhaseFilter, filter_length_um
from operando.model.materials import attenuation_per_cm, refraction
from operando.model.phase_retrieval import PhaseRetrieval

ENERGY_KEV, DISTANCE_MM, PIXEL_UM, PARTS = 20.0, 60.0, 2.0, 4
WAVELENGTH_UM = 12.39841984 / ENERGY_KEV * 1e-4
MATERIAL = "PEEK"
MU_PER_UM = attenuation_per_cm(MATERIAL, ENERGY_KEV) * 1e-4
NUM = 192  # pixels a side


def propagated(thickness_um: NDArray[np.float64]) -> NDArray[np.float32]:
    """Intensity behind a thin object of one material, at sub-pixels, averaged over pixels."""
    delta, _ = refraction(MATERIAL, ENERGY_KEV)
    wave = np.exp(-(MU_PER_UM / 2 + 2j * np.pi / WAVELENGTH_UM * delta) * thickness_um)
    frequency = [np.fft.fftfreq(num, PIXEL_UM / PARTS) for num in thickness_um.shape]
    squared = frequency[0][:, None] ** 2 + frequency[1][None, :] ** 2
    spectrum = np.fft.fft2(wave) * np.exp(-1j * np.pi * WAVELENGTH_UM * DISTANCE_MM * 1e3 * squared)
    return averaged(np.abs(np.fft.ifft2(spectrum)) ** 2)


def averaged(fine: NDArray[np.float64]) -> NDArray[np.float32]:
    rows, columns = (num // PARTS for num in fine.shape)
    return np.asarray(fine.reshape(rows, PARTS, columns, PARTS).mean(axis=(1, 3))[None], np.float32)


def sphere_um(radius_um: float) -> NDArray[np.float64]:
    side = (np.arange(NUM * PARTS) + 0.5) * PIXEL_UM / PARTS - NUM * PIXEL_UM / 2
    return np.asarray(2 * np.sqrt(np.maximum(radius_um**2 - side[:, None] ** 2 - side[None, :] ** 2, 0)))


def phase_filter() -> PhaseFilter:
    settings = PhaseRetrieval.model_validate({"distance": f"{DISTANCE_MM} mm", "material": MATERIAL})
    return PhaseFilter(filter_length_um(settings, ENERGY_KEV), PIXEL_UM)


def test_the_thickness_of_a_propagated_sphere_is_retrieved() -> None:
    thickness = sphere_um(120.0)
    intensity, contact = propagated(thickness), averaged(np.exp(-MU_PER_UM * thickness))
    with_fringes = np.abs(-np.log(intensity) + np.log(contact)).max()
    retrieved = -np.log(phase_filter().contact_transmission(intensity))[0] / MU_PER_UM
    truth = -np.log(contact)[0] / MU_PER_UM
    wrong_um = retrieved - truth
    assert with_fringes / MU_PER_UM > 100, "um: fringes pass for as much material as half the sphere"
    rows, columns = np.indices(truth.shape) - (NUM - 1) / 2
    radius_um = np.hypot(rows, columns) * PIXEL_UM
    # The transport-of-intensity approximation blurs over sqrt(wavelength x distance) = 2 um; the edge is steep there.
    assert np.abs(wrong_um[radius_um < 105]).max() < 0.01 * 240
    assert np.abs(wrong_um[radius_um > 135]).max() < 0.01 * 240
    assert np.sqrt((wrong_um**2).mean()) < 0.005 * 240
    assert retrieved.sum() == pytest.approx(truth.sum(), rel=2e-3), "the amount of material is kept"


def test_the_slope_of_a_wedge_stays_where_it_was() -> None:
    u = np.arange(NUM * PARTS) / (NUM * PARTS)
    line = 200 * np.minimum(np.minimum(np.maximum(u - 0.2, 0), np.maximum(0.8 - u, 0)), 0.2) / 0.2
    thickness = np.broadcast_to(line, (NUM * PARTS, NUM * PARTS)).astype(np.float64)
    retrieved = -np.log(phase_filter().contact_transmission(propagated(thickness)))[0] / MU_PER_UM
    truth = averaged(thickness)[0]
    assert np.abs(retrieved - truth).max() < 1.0, "um of 200"


def test_a_slab_with_its_margin_is_filtered_as_the_whole_frame() -> None:
    intensity = propagated(sphere_um(120.0))
    found = PhaseFilter(6.0, PIXEL_UM)
    whole, margin = found.contact_transmission(intensity), found.margin
    slab = found.contact_transmission(intensity[:, 90 - margin : 100 + margin])
    np.testing.assert_allclose(slab[:, margin : margin + 10], whole[:, 90:100], atol=2e-4)


def test_open_beam_stays_one_also_at_the_edges_of_the_view() -> None:
    np.testing.assert_allclose(phase_filter().contact_transmission(np.ones((3, 20, 31), np.float32)), 1, atol=1e-5)


def test_ratio_and_material_say_the_same() -> None:
    delta, beta = refraction(MATERIAL, ENERGY_KEV)
    assert 4 * np.pi * beta / WAVELENGTH_UM == pytest.approx(MU_PER_UM, rel=1e-6)
    given = PhaseRetrieval(distance="60 mm", delta_over_beta=delta / beta)  # type: ignore[arg-type]
    named = PhaseRetrieval(distance="60 mm", material=MATERIAL)  # type: ignore[arg-type]
    assert filter_length_um(given, ENERGY_KEV) == pytest.approx(filter_length_um(named, ENERGY_KEV), rel=1e-9)
    # By hand: sqrt(60,000 um x delta / mu).
    assert filter_length_um(given, ENERGY_KEV) == pytest.approx(np.sqrt(6e4 * delta / MU_PER_UM), rel=1e-6)


def test_what_cannot_be_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValidationError, match="either delta_over_beta"):
        PhaseRetrieval.model_validate({"distance": "60 mm"})
    with pytest.raises(ValidationError, match="not both"):
        PhaseRetrieval.model_validate({"distance": "60 mm", "delta_over_beta": 200.0, "material": "PEEK"})
    with pytest.raises(ValidationError, match="unit"):
        PhaseRetrieval.model_validate({"distance": 60, "delta_over_beta": 200.0})
    with pytest.raises(ValidationError, match="'kryptonite' is no known material"):
        PhaseRetrieval.model_validate({"distance": "6 mm", "material": "kryptonite"})
    with pytest.raises(PhaseError, match="positive"):
        PhaseFilter(0.0, 2.0)
    frames = np.ones((2, 30, 30), np.float32)
    frames[1, 3, 3] = np.nan
    with pytest.raises(PhaseError, match="repair the pixels first"):
        phase_filter().contact_transmission(frames)
