import numpy as np
import pytest

from live_analysis.corrections.stripes import remove_stripes
from live_analysis.final_volume.stripe_noise import left_of_shared
from live_analysis.reconstruction.point_weights import coefficient_response

NUM, ROWS, COLUMNS = 64, 100, 128
CYCLES = np.arange(COLUMNS // 2 + 1, dtype=np.float64) / COLUMNS
# As on the axis, where half of the interpolations take nothing away.
RAMP = coefficient_response(CYCLES) * np.sinc(CYCLES) ** 4 * np.sinc(CYCLES / 2) ** 2


@pytest.mark.parametrize("shared", [0.0, 4.0, 30.0])
def test_what_is_left_of_noise_that_stripes_hold_is_what_the_ramp_sees_of_them(shared: float) -> None:
    """Shared noise in units of the variance of the mean of the projections' own."""
    rng = np.random.default_rng(3)
    integrals = rng.standard_normal((NUM, ROWS, COLUMNS), np.float32)
    integrals += rng.normal(0, np.sqrt(shared / NUM), (ROWS, COLUMNS)).astype(np.float32)
    errors = np.empty((ROWS, COLUMNS), np.float32)

    def power() -> float:
        return float((np.abs(np.fft.rfft(integrals.mean(axis=0), axis=1) * RAMP) ** 2).mean())

    before = power()
    remove_stripes(integrals, np.arange(NUM) * 180 / NUM, 60.3, errors=errors)
    own = np.full((ROWS, COLUMNS), 1 / NUM, np.float32)
    left = left_of_shared(own * np.float32(shared), own, errors)
    # In standard deviations of what is left, with the projections' own: the bar for voxels is 10 %, and others add.
    foretold = np.sqrt(float((left + own).mean()) / ((1 + shared) / NUM))
    assert foretold == pytest.approx(np.sqrt(power() / before), rel=0.1)


def test_without_a_judgement_nothing_is_taken_off() -> None:
    shared, own = np.full((1, 40), 2.0, np.float32), np.full((1, 40), 1.0, np.float32)
    errors = np.empty((1, 40), np.float32)
    remove_stripes(np.zeros((8, 1, 40), np.float32), np.arange(8.0), 20.0, errors=errors)
    np.testing.assert_allclose(left_of_shared(shared, own, errors), shared, rtol=1e-3)
