"""The fall of the pressure at rest is the one that the samples were made with."""

import numpy as np
import pytest

from live_analysis.cycling.pressure_relaxation import RelaxationError, fit_relaxation

DAY_S = 86400.0
SCATTER_MPA = 0.01


@pytest.mark.parametrize(("fall_mpa", "tau_s", "exponent"), [(4.0, 36000.0, 0.5), (3.6, 9000.0, 0.8), (0.0, 9e3, 0.8)])
def test_the_fall_is_found_within_its_uncertainty_and_that_is_no_larger_than_it_must_be(
    fall_mpa: float, tau_s: float, exponent: float
) -> None:
    time_s = np.sort(np.random.default_rng(1).uniform(0, DAY_S, 3000))
    time_s[[0, -1]] = 0.0, DAY_S

    def law(at_s: np.ndarray) -> np.ndarray:
        return 1 - np.exp(-((at_s / tau_s) ** exponent))

    pressure_mpa = 26.0 - fall_mpa * law(time_s) / law(np.array(DAY_S))
    errors, uncertainties = [], []
    for seed in range(8):
        noise = np.random.default_rng(seed).normal(0, SCATTER_MPA, len(time_s))
        found = fit_relaxation(1e9 + time_s, pressure_mpa + noise)
        errors.append(found.fall_mpa - fall_mpa)
        uncertainties.append(found.fall_uncertainty_mpa)
        assert found.scatter_mpa == pytest.approx(SCATTER_MPA, rel=0.1)
    assert np.abs(errors).max() < 4 * np.mean(uncertainties)  # of eight, four standard deviations once in 2000
    assert np.mean(uncertainties) < 0.6 * SCATTER_MPA  # the steep beginning, which few samples show, costs most


def test_a_rest_of_a_few_samples_is_refused_with_their_number() -> None:
    with pytest.raises(RelaxationError, match="3 samples"):
        fit_relaxation(np.arange(3.0), np.ones(3))
