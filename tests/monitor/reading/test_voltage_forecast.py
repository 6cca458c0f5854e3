from math import isnan

import numpy as np
import pytest
from numpy.typing import NDArray

from operando.monitor.reading.voltage_forecast import Bend, forecast

TIMES_S = np.arange(0.0, 3600.0, 1.0)


def falling(rate_v_h: float) -> NDArray[np.float64]:
    return 2.0 - rate_v_h / 3600 * TIMES_S


def test_a_straight_line_reaches_its_target_when_it_does() -> None:
    assert forecast(TIMES_S, falling(0.1), 1.85).after_s == pytest.approx(1801.0, abs=0.1)


def test_noise_of_a_tenth_of_a_millivolt_moves_it_by_a_few_percent() -> None:
    noisy = falling(0.1) + np.random.default_rng(1).normal(0.0, 1e-4, len(TIMES_S))
    assert forecast(TIMES_S, noisy, 1.85).after_s == pytest.approx(1801.0, rel=0.1)


def test_the_slope_of_now_counts_and_not_the_one_before_a_bend() -> None:
    bent = np.where(TIMES_S < 2400, 2.0 - 1e-6 * TIMES_S, 1.9976 - 1e-4 * (TIMES_S - 2400))
    assert forecast(TIMES_S, bent, 1.85).after_s == pytest.approx((bent[-1] - 1.85) / 1e-4, rel=1e-3)


def test_a_bend_says_that_it_may_be_sooner_or_later() -> None:
    since_s = np.maximum(TIMES_S - 3530.0, 0.0)  # of a bend, about a minute ago
    assert forecast(TIMES_S, falling(0.1) - 3e-5 * since_s, 1.85).bend is Bend.STEEPER
    assert forecast(TIMES_S, falling(0.1) + 2e-5 * since_s, 1.9).bend is Bend.FLATTER
    assert forecast(TIMES_S, falling(0.1), 1.85).bend is Bend.STRAIGHT


def test_a_flat_voltage_has_no_time() -> None:
    flat = 2.0 + np.random.default_rng(1).normal(0.0, 1e-4, len(TIMES_S))
    assert isnan(forecast(TIMES_S, flat, 1.99).after_s)
    assert isnan(forecast(TIMES_S, np.full(len(TIMES_S), 2.0), 1.9).after_s)


def test_a_voltage_that_goes_the_other_way_has_no_time() -> None:
    assert isnan(forecast(TIMES_S, falling(0.1), 2.5).after_s)


def test_a_target_further_ahead_than_the_samples_reach_back_has_no_time() -> None:
    assert isnan(forecast(TIMES_S, falling(0.1), 1.7).after_s)


@pytest.mark.parametrize("num", [0, 1, 7])
def test_few_samples_tell_no_time(num: int) -> None:
    assert isnan(forecast(TIMES_S[:num], falling(1.0)[:num], 1.99).after_s)


def test_missing_voltages_are_left_out() -> None:
    gaps = falling(0.1)
    gaps[::3] = np.nan
    assert forecast(TIMES_S, gaps, 1.85).after_s == pytest.approx(1801.0, abs=0.1)
    assert isnan(forecast(TIMES_S, np.full(len(TIMES_S), np.nan), 1.85).after_s)
