"""Counts follow photon statistics and repeat."""

import numpy as np
import pytest

from operando.model.geometry import ImagingGeometry
from simulators.cell_parameters import Beam, Value
from simulators.detector import Detector

GEOMETRY = ImagingGeometry(num_columns=320, num_rows=112, pixel_size_um=3.52)
PHOTONS = 4e4
GAIN, OFFSET, READ_NOISE = 0.5, 100.0, 3.0


def number(value: float, unit: str) -> Value:
    return Value(value=value, unit=unit, source="test")


def detector(seed: int = 1, *, blur_um: float = 2.6, structure: float = 0.08) -> Detector:
    beam = Beam(
        energy=number(35.0, "keV"),
        flat_structure=number(structure, "1"),
        blur_fwhm=number(blur_um, "um"),
        counts_per_photon=number(GAIN, "1"),
        dark_offset=number(OFFSET, "1"),
        read_noise=number(READ_NOISE, "1"),
        axis_offset=number(0.0, "um"),
    )
    return Detector(GEOMETRY, beam, PHOTONS, seed)


@pytest.mark.parametrize("photons", [0.5, 5.0, 50.0, 8000.0])
def test_mean_and_variance_are_those_of_photons(photons: float) -> None:
    attenuated = np.full(GEOMETRY.frame_shape, -np.log(photons / PHOTONS), np.float32)
    counts = detector(structure=0.0).counts(attenuated, shutter_open=True, frame_number=7).astype(float)
    variance = GAIN**2 * photons + READ_NOISE**2 + 1 / 12  # rounding to whole counts
    # 36,000 pixels: mean to 4 standard errors, variance to 4 sqrt(2/n)
    assert counts.mean() == pytest.approx(OFFSET + GAIN * photons, abs=4 * np.sqrt(variance / counts.size))
    assert counts.var() == pytest.approx(variance, rel=4 * np.sqrt(2 / counts.size))


def test_a_dark_has_offset_and_read_noise_only() -> None:
    dark = detector().counts(None, shutter_open=False, frame_number=3).astype(float)
    assert dark.mean() == pytest.approx(OFFSET, abs=0.1)
    assert dark.std() == pytest.approx(READ_NOISE, rel=0.03)


def test_frames_repeat_by_seed_and_frame_number() -> None:
    first = detector().counts(None, shutter_open=True, frame_number=5)
    assert np.array_equal(first, detector().counts(None, shutter_open=True, frame_number=5))
    assert not np.array_equal(first, detector().counts(None, shutter_open=True, frame_number=6))
    assert not np.array_equal(first, detector(seed=2).counts(None, shutter_open=True, frame_number=5))


def test_the_flat_has_the_declared_structure_and_mean() -> None:
    flat = (detector().counts(None, shutter_open=True, frame_number=1) - OFFSET) / (GAIN * PHOTONS)
    assert flat.mean() == pytest.approx(1.0, abs=1e-3)
    # photon noise of 0.5 % adds in quadrature
    assert flat.std() == pytest.approx(0.08, rel=0.02)


def test_the_blur_has_the_declared_width() -> None:
    transmission = np.full(GEOMETRY.frame_shape, 1e-6)
    transmission[:, 160] = 1.0
    made = detector(structure=0.0, blur_um=8.0)
    counts = made.counts(-np.log(transmission).astype(np.float32), shutter_open=True, frame_number=1)
    line = np.maximum(counts.mean(axis=0) - OFFSET, 0)[140:181]
    position_um = np.arange(-20, 21) * GEOMETRY.pixel_size_um
    keep = np.abs(position_um) < 20
    sigma_um = np.sqrt((line[keep] * position_um[keep] ** 2).sum() / line[keep].sum())
    assert sigma_um == pytest.approx(8.0 / 2.3548, rel=0.03)


def test_beam_intensity_scales_the_photons() -> None:
    half = detector().counts(None, shutter_open=True, frame_number=1, beam_intensity=0.5) - OFFSET
    assert half.mean() == pytest.approx(GAIN * PHOTONS / 2, rel=1e-3)
