import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_analysis.reconstruction.integral_variance import Counting, NoiseError, counting_of, integral_variances


@settings(max_examples=10, deadline=None)
@given(st.floats(0.05, 3), st.floats(1, 8), st.integers(0, 100))
def test_photons_per_count_are_measured_on_flats_whose_beam_flickers(photons: float, read: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pattern = 2000 * (1 + 0.4 * np.sin(np.arange(3600).reshape(60, 60) / 9))
    flicker = rng.uniform(0.9, 1.1, (12, 1, 1))
    flats = rng.poisson(pattern * flicker * photons) / photons + rng.normal(100, read, (12, 60, 60))
    darks = rng.normal(100, read, (12, 60, 60))
    found = counting_of(np.rint(flats).astype(np.uint16), np.rint(darks).astype(np.uint16))
    assert found.photons_per_count == pytest.approx(photons, rel=0.05)
    assert found.dark_variance == pytest.approx(read**2 + 1 / 12, rel=0.05)  # a count is rounded
    assert (found.num_flats, found.num_darks) == (12, 12)


def test_hits_and_a_beam_that_moves_do_not_count_as_photon_noise() -> None:
    rng = np.random.default_rng(4)
    moves = rng.normal(0, 3, (10, 1, 1))
    beam = 4000 * (1 + 0.05 * np.sin((np.arange(200) + moves) / 15)) * np.ones((40, 1))
    flats = rng.poisson(beam).astype(np.float64) + rng.normal(100, 2, beam.shape)
    flats[rng.random(flats.shape) < 1e-4] += 20_000
    darks = np.rint(rng.normal(100, 2, (10, 40, 200))).astype(np.uint16)
    found = counting_of(np.rint(flats).astype(np.uint16), darks)
    # the beam's movement alone has the variance of 5000 photons
    assert found.photons_per_count == pytest.approx(1, rel=0.05)


def test_variances_are_those_of_repeated_exposures() -> None:
    rng = np.random.default_rng(2)
    counting = Counting(0.5, 9.0, 10, 10)
    num, transmission = 4000, np.array([1.0, 0.3, 0.1])
    counts = rng.poisson(2000 * transmission * 0.5, (num, 1, 3)) / 0.5 + rng.normal(100, 3, (num, 1, 3))
    flat, dark = np.full((1, 3), 2100, np.float32), np.full((1, 3), 100, np.float32)
    found = -np.log((counts - 100) / 2000)
    foretold = integral_variances(counts.astype(np.uint16), flat, dark, counting)
    np.testing.assert_allclose(foretold.of_each.mean(axis=0)[0], found.var(axis=0)[0], rtol=0.08)
    # Ten flats: a tenth of the variance of one, for each column alike.
    assert foretold.shared[0, 0] == pytest.approx((2000 / 0.5 + 9) / 10 / 2000**2, rel=1e-3)
    assert foretold.shared[0, 2] > foretold.shared[0, 0]


def test_a_pixel_without_signal_is_very_uncertain_and_not_infinitely() -> None:
    flat, dark = np.full((1, 2), 1000, np.float32), np.full((1, 2), 100, np.float32)
    found = integral_variances(np.array([[[90, 500]]], np.uint16), flat, dark, Counting(1.0, 0.0, 10, 10))
    assert found.of_each[0, 0].tolist() == pytest.approx([1.0, 1 / 400])


def test_too_few_or_noiseless_flats_and_impossible_numbers_are_refused() -> None:
    frames = np.full((3, 4, 4), 1000, np.uint16)
    with pytest.raises(NoiseError, match="at least two"):
        counting_of(frames[:1], frames)
    with pytest.raises(NoiseError, match="no photon noise"):
        counting_of(frames, frames // 10)
    with pytest.raises(NoiseError, match="above"):
        Counting(0.0, 1.0, 1, 1)
