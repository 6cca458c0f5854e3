import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.potentiostat_reading import ChannelState, Snapshot
from operando.guard.charge import charge_point, next_charge

RUN = Snapshot(
    voltage_v=2.0,
    current_a=-36e-6,
    elapsed_s=0.0,
    state=ChannelState.RUN,
    technique_index=0,
    overflow=False,
    charge_mah=None,
    time_s=0.0,
)
LARGEST_A = 1e-4


def test_36_microamperes_for_100_seconds_are_a_microampere_hour() -> None:
    after = next_charge(charge_point(RUN, 0.0, 0.0), replace(RUN, elapsed_s=100.0), 100.0, largest_current_a=LARGEST_A)
    assert after.charge_mah == pytest.approx(-1e-3, abs=1e-12)


@given(st.lists(st.floats(0.1, 100.0), min_size=1, max_size=20))
def test_how_often_a_constant_current_is_read_does_not_matter(steps_s: list[float]) -> None:
    point, elapsed_s = charge_point(RUN, 0.0, 0.0), 0.0
    for step_s in steps_s:
        elapsed_s += step_s
        point = next_charge(point, replace(RUN, elapsed_s=elapsed_s), elapsed_s, largest_current_a=LARGEST_A)
    assert point.charge_mah == pytest.approx(-36e-6 * elapsed_s / 3.6, rel=1e-9)


def test_where_the_technique_changed_the_instruments_count_is_used() -> None:
    before = charge_point(replace(RUN, charge_mah=5.0), 0.0, 0.0)
    stopped = replace(RUN, elapsed_s=30.0, state=ChannelState.STOP, current_a=0.0, charge_mah=5.0 - 2.5e-4)
    assert next_charge(before, stopped, 30.0, largest_current_a=LARGEST_A).charge_mah == pytest.approx(-2.5e-4)


def test_a_count_that_began_anew_is_not_believed() -> None:
    before = charge_point(replace(RUN, charge_mah=5.0), 0.0, 0.0)
    began_anew = replace(RUN, elapsed_s=30.0, technique_index=1, charge_mah=0.0)
    found = next_charge(before, began_anew, 30.0, largest_current_a=LARGEST_A)
    assert found.charge_mah == pytest.approx(-36e-6 * 30 / 3.6)


def test_an_instrument_that_was_restarted_is_integrated_by_the_runs_clock() -> None:
    before = charge_point(replace(RUN, elapsed_s=1000.0), 0.0, 0.0)
    found = next_charge(before, replace(RUN, elapsed_s=1.0), 10.0, largest_current_a=LARGEST_A)
    assert found.charge_mah == pytest.approx(-36e-6 * 10 / 3.6)


def test_a_current_that_is_no_number_adds_nothing() -> None:
    before = charge_point(RUN, 0.0, 1.0)
    found = next_charge(before, replace(RUN, elapsed_s=1.0, current_a=float("nan")), 1.0, largest_current_a=LARGEST_A)
    assert found.charge_mah == 1.0


def test_a_reading_with_the_new_current_and_the_old_technique_does_not_halve_the_last_interval() -> None:
    before = charge_point(replace(RUN, charge_mah=0.0), 0.0, 0.0)
    flowed_mah = -36e-6 * 30 / 3.6
    torn = next_charge(
        before, replace(RUN, elapsed_s=30.0, current_a=0.0, charge_mah=flowed_mah), 30.0, largest_current_a=LARGEST_A
    )
    assert torn.charge_mah == pytest.approx(flowed_mah)
    whole = replace(RUN, elapsed_s=31.0, current_a=0.0, state=ChannelState.STOP, charge_mah=flowed_mah)
    assert next_charge(torn, whole, 31.0, largest_current_a=LARGEST_A).charge_mah == pytest.approx(flowed_mah)


def test_a_reading_with_the_new_technique_and_the_old_charge_loses_nothing_in_the_end() -> None:
    rest = replace(RUN, state=ChannelState.STOP, current_a=0.0, charge_mah=1.0)
    torn = next_charge(charge_point(rest, 0.0, 0.0), replace(RUN, elapsed_s=30.0, charge_mah=1.0), 30.0,
                       largest_current_a=LARGEST_A)  # fmt: skip
    flowed_mah = -36e-6 * 45 / 3.6  # it began in the middle of the first interval
    whole = replace(RUN, elapsed_s=60.0, charge_mah=1.0 + flowed_mah)
    assert next_charge(torn, whole, 60.0, largest_current_a=LARGEST_A).charge_mah == pytest.approx(flowed_mah)


def test_an_instrument_whose_clock_jumps_is_integrated_by_the_runs_clock() -> None:
    before = charge_point(RUN, 0.0, 0.0)
    found = next_charge(before, replace(RUN, elapsed_s=11.0), 1.0, largest_current_a=LARGEST_A)
    assert found.charge_mah == pytest.approx(-36e-6 * 1 / 3.6)


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0])
def test_a_host_whose_clock_is_set_is_no_reason_to_count_another_charge(step_s: float) -> None:
    before = charge_point(RUN, 10_000.0, 0.0)
    found = next_charge(before, replace(RUN, elapsed_s=1.0), 10_001.0 + step_s, largest_current_a=LARGEST_A)
    assert found.charge_mah == pytest.approx(-36e-6 * 1 / 3.6)


def test_an_instrument_that_began_anew_while_the_host_was_set_back_takes_no_charge_away() -> None:
    before = charge_point(replace(RUN, elapsed_s=100.0), 10_000.0, 0.0)
    found = next_charge(before, RUN, 6401.0, largest_current_a=LARGEST_A)
    assert found.charge_mah == 0.0


def test_what_flowed_while_the_readings_stood_still_is_counted_when_they_go_on() -> None:
    point = charge_point(RUN, 0.0, 0.0)
    for time_s in range(1, 20):
        point = next_charge(point, RUN, time_s, largest_current_a=LARGEST_A)
    point = next_charge(point, replace(RUN, elapsed_s=20.0), 20.0, largest_current_a=LARGEST_A)
    assert point.charge_mah == pytest.approx(-36e-6 * 20 / 3.6)


@given(st.lists(st.tuples(st.floats(), st.floats(), st.one_of(st.none(), st.floats())), max_size=10))
def test_no_reading_makes_the_charge_anything_but_a_number(readings: list[tuple[float, float, float | None]]) -> None:
    point = charge_point(RUN, 0.0, 0.0)
    for number, (elapsed_s, current_a, counted_mah) in enumerate(readings):
        reading = replace(RUN, elapsed_s=elapsed_s, current_a=current_a, charge_mah=counted_mah)
        point = next_charge(point, reading, float(number), largest_current_a=LARGEST_A)
        assert math.isfinite(point.charge_mah) or max(abs(value) for value in (elapsed_s, current_a)) > 1e100
