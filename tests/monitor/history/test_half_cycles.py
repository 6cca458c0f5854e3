from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.monitor.history.half_cycles import MOST_SAMPLES, Values, find_half_cycles
from operando.monitor.history.trace import Times

CURRENT_A = 11.52e-6
COULOMB_PER_MAH = 3.6


def cell(*parts: tuple[float, int], noise_a: float = 0.0, period_s: float = 10.0) -> tuple[Times, Values, Values]:
    """Return times, current and charge of stretches of (part of the current, samples)."""
    current = np.concatenate([np.full(num, share * CURRENT_A) for share, num in parts])
    charge = np.cumsum(current) * period_s / COULOMB_PER_MAH
    times_s = 1.7e9 + period_s * np.arange(len(current), dtype=np.float64)
    noise = np.random.default_rng(1).normal(0.0, noise_a, len(current)) if noise_a else 0.0
    return times_s, (current + noise).astype(np.float32), charge.astype(np.float32)


def test_a_rest_is_none_and_discharge_and_charge_make_a_cycle() -> None:
    times_s, current_a, charge_mah = cell((0, 100), (-1, 200), (0, 50), (1, 150), (-1, 100))
    first, second, third = find_half_cycles(times_s, current_a, charge_mah)
    assert [entry.name for entry in (first, second, third)] == [
        "cycle 1 discharge",
        "cycle 1 charge",
        "cycle 2 discharge",
    ]
    assert (first.start, first.stop, second.start, second.stop) == (100, 300, 350, 500)
    assert (first.begin_s, second.end_s) == (times_s[100], times_s[499])
    per_sample_mah = CURRENT_A * 10.0 / COULOMB_PER_MAH
    assert first.charge_mah == pytest.approx(-199 * per_sample_mah, rel=1e-5)  # since the first sample under current
    assert first.begin_mah == pytest.approx(-per_sample_mah, rel=1e-5)


def test_a_pause_a_hold_and_pulses_of_one_sign_are_one_half_cycle() -> None:
    parts = [(-1.0, 50), (0.0, 30), (-1.0, 50), (-0.1, 30), (-1.0, 50)]
    (only,) = find_half_cycles(*cell(*parts, (0.0, 20)))
    assert (only.start, only.stop, only.is_charge) == (0, 210, False)


def test_a_cell_that_is_charged_first_has_cycles_that_begin_with_charge() -> None:
    found = find_half_cycles(*cell((1, 90), (-1, 80), (1, 70), (-1, 60)))
    assert [entry.name for entry in found] == [
        "cycle 1 charge",
        "cycle 1 discharge",
        "cycle 2 charge",
        "cycle 2 discharge",
    ]


def test_noise_around_no_current_a_spike_and_missing_samples_make_no_half_cycles() -> None:
    times_s, current_a, charge_mah = cell((0, 500), (-1, 2000), (0, 500), (1, 1500), noise_a=0.03 * CURRENT_A)
    current_a[100] = 1.0
    current_a[1000:1010] = np.nan
    charge_mah[1500:1510] = np.nan
    found = find_half_cycles(times_s, current_a, charge_mah)
    assert [entry.is_charge for entry in found] == [False, True]
    assert found[0].charge_mah == pytest.approx(-2000 * CURRENT_A * 10 / COULOMB_PER_MAH, rel=0.01)


@pytest.mark.parametrize("num", [0, 1, 5])
def test_without_current_or_without_any_value_there_is_none(num: int) -> None:
    for current in (np.zeros(num, np.float32), np.full(num, np.nan, np.float32)):
        assert find_half_cycles(np.arange(num, dtype=np.float64), current, np.zeros(num, np.float32)) == ()


def test_in_a_long_log_ends_are_as_exact_as_in_a_short_one() -> None:
    num = 5 * MOST_SAMPLES
    times_s, current_a, charge_mah = cell((0, 1003), (-1, num), (0, 77), (1, num - 501), (0, 40), period_s=0.1)
    first, second = find_half_cycles(times_s, current_a, charge_mah)
    assert (first.start, first.stop) == (1003, 1003 + num)
    assert (second.start, second.stop) == (1080 + num, 1080 + 2 * num - 501)


@given(st.lists(st.tuples(st.sampled_from([-1.0, 0.0, 1.0]), st.integers(5, 60)), min_size=1, max_size=12))
def test_half_cycles_follow_each_other_with_turning_sign_and_pass_what_the_log_says(
    parts: list[tuple[float, int]],
) -> None:
    times_s, current_a, charge_mah = cell(*parts)
    found = find_half_cycles(times_s, current_a, charge_mah)
    for entry in found:
        passed = float(charge_mah[entry.stop - 1]) - float(charge_mah[entry.start])
        assert entry.charge_mah == pytest.approx(passed)
        assert np.sign(current_a[entry.start]) == np.sign(current_a[entry.stop - 1]) == np.sign(entry.charge_mah)
    for before, after in pairwise(found):
        assert before.stop <= after.start
        assert before.is_charge is not after.is_charge
        assert after.cycle - before.cycle == (after.is_charge is found[0].is_charge)
