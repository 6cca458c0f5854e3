import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.shot import MAX_COUNTS, shot_quality

DARK, FLAT, SHAPE = 100.0, 20_100.0, (60, 80)


def frames(mean: float, num: int = 8) -> NDArray[np.uint16]:
    return np.random.default_rng(1).poisson(mean, (num, *SHAPE)).astype(np.uint16)


def flat(mean: float) -> NDArray[np.float32]:
    return np.full(SHAPE, mean, np.float32)


def test_counts_noise_and_transmission_are_those_of_the_frames() -> None:
    found = shot_quality(frames(DARK + 4000), flat(FLAT), flat(DARK))
    assert found.num_frames == 8
    assert found.mean_counts == pytest.approx(4100, rel=1e-3)
    assert found.transmission == pytest.approx(0.2, rel=0.01)
    assert found.noise == pytest.approx(4100**0.5 / 4000, rel=0.1)  # Poisson, of 8 frames
    assert found.low_counts == pytest.approx(4100 - 2.33 * 64, abs=10)  # 1 % of a normal distribution
    assert found.high_counts == pytest.approx(4100 + 2.33 * 64, abs=10)
    assert found.saturated == 0


def test_saturated_pixels_are_counted_at_the_cameras_own_limit() -> None:
    shot = frames(FLAT)
    shot[:, :6] = MAX_COUNTS
    assert shot_quality(shot).saturated == pytest.approx(0.1)
    assert shot_quality(np.full((2, *SHAPE), 4095, np.uint16), max_counts=4095).saturated == 1


def test_what_cannot_be_told_is_nan() -> None:
    dark = shot_quality(frames(DARK))
    assert np.isnan(dark.transmission)
    assert np.isnan(dark.noise)
    assert np.isnan(shot_quality(frames(FLAT, 1), None, flat(DARK)).noise), "of one frame"
    assert np.isnan(shot_quality(frames(50.0), None, flat(DARK)).noise), "nothing above the dark"
