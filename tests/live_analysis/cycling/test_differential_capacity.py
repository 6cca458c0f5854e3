"""The step between two plateaus is where the voltage is steepest, and only there."""

import numpy as np
import pytest

from live_analysis.cycling.differential_capacity import differential_capacity, voltage_step


def two_plateaus(capacity: np.ndarray) -> np.ndarray:
    """2.0 V and 1.2 V, with a step at 280 mAh/g and steep ends."""
    return 1.6 - 0.4 * np.tanh((capacity - 280) / 12) + 0.3 * np.exp(-capacity / 3) - 0.5 * np.exp((capacity - 500) / 3)


def test_the_step_is_found_between_the_plateaus_and_not_at_the_ends() -> None:
    capacity = np.linspace(0, 500, 6000)
    noisy_v = two_plateaus(capacity) + np.random.default_rng(0).normal(0, 2e-4, len(capacity))
    current_a = np.full(len(capacity), -1e-5)
    curve = differential_capacity(capacity, noisy_v, current_a)
    assert curve is not None
    step = voltage_step(curve)
    assert step is not None
    assert step.capacity_mah_per_g == pytest.approx(280, abs=2.5)  # a bin
    assert step.half_width_mah_per_g == pytest.approx(10.6, abs=4)  # of the square of a hyperbolic secant, smoothed
    assert step.voltage_v == pytest.approx(1.6, abs=0.1)
    held = np.abs(curve.mah_per_g_v[np.argmin(np.abs(curve.capacity_mah_per_g - 280))])
    assert held == pytest.approx(12 / 0.4, rel=0.2)  # dq/dV there; bins of 2.5 mAh/g smooth it


def test_a_voltage_that_is_held_is_left_out_and_a_plain_slope_has_no_step() -> None:
    capacity = np.linspace(0, 500, 3000)
    voltage_v = np.where(capacity < 250, 2 - 0.001 * capacity, 1.0)
    current_a = np.where((capacity > 200) & (capacity < 250), -1e-7, -1e-5)
    curve = differential_capacity(capacity, np.where(current_a == -1e-7, 9.9, voltage_v), current_a)
    assert curve is not None
    assert np.max(curve.voltage_v) < 2.01
    plain = differential_capacity(capacity, 2 - 0.001 * capacity, np.full(len(capacity), -1e-5))
    assert plain is not None
    assert voltage_step(plain) is None
    assert differential_capacity(np.array([]), np.array([]), np.array([])) is None


def test_a_step_that_the_log_missed_may_lie_anywhere_in_the_gap() -> None:
    capacity = np.linspace(0, 500, 3000)
    capacity = capacity[(capacity < 240) | (capacity > 330)]
    curve = differential_capacity(capacity, two_plateaus(capacity), np.full(len(capacity), -1e-5))
    assert curve is not None
    step = voltage_step(curve)
    assert step is None or abs(step.capacity_mah_per_g - 280) < step.half_width_mah_per_g
