"""Two counts of one charge agree whenever they are of one current, however it is sampled."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.potentiostat_reading import ChannelState, Snapshot
from operando.guard.charge_agreement import Agreement, ChargeAgreement
from operando.guard.limit_reading import CellReading

LARGEST_A = 1e-4
CURRENTS = st.floats(-1e-4, 1e-4)


def reading(elapsed_s: float, current_a: float, charge_mah: float | None, index: int = 0) -> CellReading:
    snapshot = Snapshot(2.0, current_a, elapsed_s, ChannelState.RUN, index, False, charge_mah, 0.0)
    return CellReading(elapsed_s, snapshot=snapshot)


def comparison(over_s: float = 3600.0) -> ChargeAgreement:
    return ChargeAgreement(over_s, poll_s=1.0, largest_current_a=LARGEST_A)


def last(agreement: ChargeAgreement, readings: list[CellReading]) -> Agreement | None:
    found = None
    for each in readings:
        found = agreement.look(each)
    return found


@given(st.lists(st.tuples(st.sampled_from([0.2, 1.0, 30.0, 300.0]), CURRENTS), min_size=3, max_size=30))
def test_a_current_that_rises_and_falls_between_readings_explains_itself(steps: list[tuple[float, float]]) -> None:
    # Between two readings the current keeps one of the two values for an unknown part of the time.
    elapsed_s, charge, before_a, readings = 0.0, 0.0, steps[0][1], []
    for number, (interval_s, current_a) in enumerate(steps):
        elapsed_s += interval_s
        charge += interval_s * (before_a if number % 2 else current_a)
        before_a = current_a
        readings.append(reading(elapsed_s, current_a, charge / 3.6))
    found = last(comparison(), readings)
    assert found is not None
    assert abs(found.difference_mah) <= found.uncertain_mah + 1e-9  # mAh, of 15 digits


@given(st.sampled_from([1.0, 30.0, 300.0]), st.floats(1e-6, 1e-4), st.floats(1.02, 2.0))
def test_a_factor_between_them_is_measured(interval_s: float, current_a: float, factor: float) -> None:
    readings = [
        reading(number * interval_s, current_a, factor * current_a * number * interval_s / 3.6) for number in range(200)
    ]
    found = last(comparison(), readings)
    assert found is not None
    assert found.difference_mah / found.passed_mah == pytest.approx(factor - 1, rel=1e-6)
    assert found.uncertain_mah == pytest.approx(2 * current_a / 3.6)  # two polls of 1 s


def test_only_the_last_hour_is_summed() -> None:
    good = [reading(10.0 * number, 1e-5, 1e-5 * 10 * number / 3.6) for number in range(1000)]
    found = last(comparison(3600.0), good)
    assert found is not None
    assert found.passed_mah == pytest.approx(1e-5 * 3600 / 3.6, rel=0.03)  # kept in stretches of a 64th of the hour


def test_a_switch_of_the_technique_is_left_out() -> None:
    before = [reading(number, 1e-5, number * 1e-5 / 3.6) for number in range(10)]
    jump = [reading(10 + number, 1e-5, 5.0 + number * 1e-5 / 3.6, index=1) for number in range(10)]
    found = last(comparison(), before + jump)
    assert found is not None
    assert abs(found.difference_mah) < 1e-12


@pytest.mark.parametrize("broken", [nan, inf, -inf])
def test_what_is_no_number_is_left_out_and_what_follows_counts_again(broken: float) -> None:
    agreement = comparison()
    readings = [reading(number, 1e-5, number * 1e-5 / 3.6) for number in range(10)]
    assert last(agreement, readings) is not None
    assert agreement.look(reading(10.0, broken, 0.0)) is None
    assert agreement.look(reading(11.0, 1e-5, broken)) is None
    later = [reading(12 + number, 1e-5, (12 + number) * 1e-5 / 3.6) for number in range(10)]
    found = last(agreement, later)
    assert found is not None
    assert abs(found.difference_mah) < 1e-12


def test_an_instrument_that_counts_no_charge_is_not_judged() -> None:
    assert last(comparison(), [reading(number, 1e-5, None) for number in range(5)]) is None


def test_memory_does_not_grow_with_the_sampling() -> None:
    agreement = comparison(10.0)
    for number in range(5000):
        agreement.look(reading(0.01 * number, 1e-5, 0.01 * number * 1e-5 / 3.6))
    assert len(agreement._stretches) <= 70
