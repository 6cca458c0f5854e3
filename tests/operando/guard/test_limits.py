"""The limit engine: every kind of limit, with its delay, its class and what follows."""

from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.potentiostat_reading import ChannelState, Snapshot
from operando.guard.limit_reading import CellReading
from operando.guard.limits import LimitEngine, Verdict, Violation
from operando.guard.state import Step
from operando.model.limit_rules import LimitAction, LimitKind, Quantity
from operando.model.limits_table import Limits

POLL_S = 1.0
LIMITS: dict[str, Any] = {
    "min_voltage": "0.65 V",
    "max_voltage": "3.1 V",
    "max_current": "100 uA",
    "min_stack_pressure": "5 MPa",
    "max_stack_pressure": "35 MPa",
    "min_temperature": "10 degC",
    "max_temperature": "45 degC",
}
STEP = Step("discharge", holds=False, max_duration_s=3600.0, started_elapsed_s=0.0, current_a=-1e-5)
VOLTAGE, CURRENT, CHARGE = Quantity.VOLTAGE, Quantity.CURRENT, Quantity.CHARGE
PRESSURE, TEMPERATURE = Quantity.STACK_PRESSURE, Quantity.TEMPERATURE
POTENTIOSTAT, LOAD_CELL, THERMOMETER = Quantity.POTENTIOSTAT, Quantity.LOAD_CELL, Quantity.THERMOMETER


def engine(*rules: dict[str, Any], **changed: Any) -> LimitEngine:
    limits = Limits.model_validate(LIMITS | {"delay": "0 s"} | changed | {"rule": list(rules)})
    return LimitEngine(limits.rules, poll_s=POLL_S, largest_current_a=limits.max_current)


def reading(time_s: float = 0.0, *, current_a: float = -1e-5, **values: Any) -> CellReading:
    """Return a healthy cell at 2 V and 26 MPa that is discharged, but for ``values``."""
    snapshot = Snapshot(2.0, current_a, time_s, ChannelState.RUN, 0, False, None, time_s)
    good: dict[Quantity, float | None] = {VOLTAGE: 2.0, CURRENT: current_a, PRESSURE: 26.0, TEMPERATURE: 25.0}
    told: dict[str, Any] = {"time_s": time_s, "snapshot": snapshot, "step": STEP} | values
    return CellReading(**told | {"values": good | dict(told.get("values", {}))})


def quantities(violations: tuple[Violation, ...]) -> list[Quantity]:
    return [violation.rule.quantity for violation in violations]


@pytest.mark.parametrize(
    ("change", "quantity", "trips"),
    [
        ({"values": {VOLTAGE: 3.11}}, VOLTAGE, True),
        ({"values": {VOLTAGE: 0.64}}, VOLTAGE, True),
        ({"values": {VOLTAGE: nan}}, VOLTAGE, True),
        ({"values": {VOLTAGE: -inf}}, VOLTAGE, True),
        ({"values": {CURRENT: 1.01e-4}}, CURRENT, True),
        ({"values": {CURRENT: -1.01e-4}}, CURRENT, True),
        ({"values": {CURRENT: nan}}, CURRENT, True),
        ({"values": {PRESSURE: 35.1}}, PRESSURE, True),
        ({"values": {PRESSURE: 4.9}}, PRESSURE, True),
        ({"values": {PRESSURE: nan}}, PRESSURE, True),
        ({"over_range": True}, PRESSURE, True),
        ({"values": {TEMPERATURE: 45.1}}, TEMPERATURE, True),
        ({"values": {TEMPERATURE: nan}}, TEMPERATURE, False),
        ({"values": {VOLTAGE: None, CURRENT: None}, "silent_s": {POTENTIOSTAT: 5.1}}, POTENTIOSTAT, True),
        ({"values": {PRESSURE: None}, "silent_s": {LOAD_CELL: 30.1}}, LOAD_CELL, True),
        ({"values": {TEMPERATURE: None}, "silent_s": {THERMOMETER: 120.1}}, THERMOMETER, False),
    ],
)
def test_each_usual_limit_is_found_with_its_class(change: dict[str, Any], quantity: Quantity, trips: bool) -> None:
    verdict = engine().check(reading(**change))
    assert quantities(verdict.began) == [quantity]
    assert quantities(verdict.dangers) == ([quantity] if trips else [])
    assert verdict.began[0].reason.endswith(".")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"values": {VOLTAGE: 3.1, CURRENT: 9.99e-5, PRESSURE: 35.0, TEMPERATURE: 10.0}},
        {"values": {VOLTAGE: None, CURRENT: None}, "silent_s": {POTENTIOSTAT: 5.0}},
        {"values": {PRESSURE: None}, "silent_s": {LOAD_CELL: 30.0}},
        {"values": {TEMPERATURE: None}, "silent_s": {THERMOMETER: 120.0}},
    ],
    ids=["in the middle", "at the limits", "potentiostat not yet stale", "force not yet stale", "thermometer not yet"],
)
def test_what_is_within_its_limits_passes(change: dict[str, Any]) -> None:
    assert engine().check(reading(**change)) == Verdict()


@given(st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([VOLTAGE, CURRENT, PRESSURE]))
def test_a_value_passes_only_inside_whatever_an_instrument_says(value: float, quantity: Quantity) -> None:
    low, high = {VOLTAGE: (0.65, 3.1), CURRENT: (-1e-4, 1e-4), PRESSURE: (5.0, 35.0)}[quantity]
    assert bool(engine().check(reading(values={quantity: value})).dangers) is not (low <= value <= high)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=6), st.data())
def test_no_reading_makes_the_engine_fail(values: list[float], data: st.DataObject) -> None:
    anything = st.one_of(st.none(), st.floats())
    kept = engine(
        {"quantity": "voltage", "kind": "rate", "limit": "1 mV/s", "over": "2 s", "class": "instrument_fault"},
        {"quantity": "charge", "kind": "absolute", "max": "1 mAh", "class": "cell_danger"},
    )
    for time_s, value in enumerate(values):
        numbers = {quantity: data.draw(anything) for quantity in (VOLTAGE, CURRENT, CHARGE, PRESSURE, TEMPERATURE)}
        snapshot = Snapshot(
            value, data.draw(st.floats()), data.draw(st.floats()), ChannelState.RUN, 0, False, data.draw(anything),
            0.0,
        )  # fmt: skip
        kept.check(CellReading(float(time_s), values=numbers, snapshot=snapshot, step=STEP))


def test_by_default_one_reading_alone_trips_nothing_and_two_polls_of_them_do() -> None:
    kept = engine(delay="1.5 s")
    assert not kept.check(reading(0.0, values={VOLTAGE: 9.0})).dangers
    assert kept.pending
    assert kept.check(reading(1.0)) == Verdict()
    passed = kept.check(reading(3.0))
    assert (quantities(passed.passed), kept.pending) == ([VOLTAGE], False)
    kept.check(reading(4.0, values={VOLTAGE: nan}))
    kept.check(reading(5.0, values={VOLTAGE: nan}))
    assert quantities(kept.check(reading(6.0, values={VOLTAGE: nan})).dangers) == [VOLTAGE]


def test_a_trip_needs_a_reading_that_is_outside_now() -> None:
    kept = engine()
    assert kept.check(reading(0.0, values={VOLTAGE: 9.0})).dangers
    assert not kept.check(reading(1.0)).dangers, "it counts for 10 s more, but would not trip a cell that was cleared"
    assert not kept.still_dangerous


def test_a_fast_change_warns_and_a_new_technique_may_jump() -> None:
    kept = engine(
        {"quantity": "voltage", "kind": "rate", "limit": "5 mV/s", "over": "10 s", "class": "instrument_fault"}
    )
    for time_s in range(30):
        assert kept.check(reading(time_s, values={VOLTAGE: 2.0 - 0.004 * time_s})) == Verdict()
    begun = Step("charge", holds=False, max_duration_s=60.0, started_elapsed_s=30.0, current_a=-1e-5)
    for time_s in range(30, 60):
        assert kept.check(reading(time_s, values={VOLTAGE: 2.8 + 0.001 * time_s}, step=begun)) == Verdict()
    found = [
        kept.check(reading(time_s, values={VOLTAGE: 2.86 - 0.006 * (time_s - 60)}, step=begun))
        for time_s in range(60, 75)
    ]
    assert [quantities(verdict.began) for verdict in found if verdict.began] == [[VOLTAGE]]
    assert not any(verdict.dangers for verdict in found)


def test_equal_readings_warn_and_never_trip() -> None:
    kept = engine({"quantity": "stack_pressure", "kind": "frozen", "delay": "60 s", "class": "instrument_fault"})
    found = [kept.check(reading(10.0 * number, values={VOLTAGE: 2 + number * 1e-4})) for number in range(10)]
    assert [quantities(verdict.began) for verdict in found] == [[]] * 6 + [[PRESSURE]] + [[]] * 3
    assert not any(verdict.dangers for verdict in found)


def test_a_lost_connection_has_its_own_delay() -> None:
    kept = engine({"quantity": "load_cell", "kind": "disconnect", "delay": "3 s", "class": "cell_danger"})
    silent: dict[str, Any] = {"values": {PRESSURE: None}, "silent_s": {LOAD_CELL: 4.0}}
    assert not kept.check(reading(**silent, gone_s={LOAD_CELL: 0.0})).dangers
    assert quantities(kept.check(reading(**silent, gone_s={LOAD_CELL: 3.5})).dangers) == [LOAD_CELL]


def test_charge_beyond_its_limit_may_only_go_back() -> None:
    kept = engine({"quantity": "charge", "kind": "absolute", "min": "-1 mAh", "class": "cell_danger"})
    assert quantities(kept.check(reading(values={CHARGE: -1.01})).dangers) == [CHARGE]
    assert not kept.check(reading(1.0, current_a=1e-5, values={CHARGE: -1.01})).dangers
    assert quantities(kept.check(reading(2.0, current_a=nan, values={CHARGE: -1.01, CURRENT: 0.0})).dangers) == [CHARGE]


def test_a_current_that_nobody_commanded_warns_after_ten_seconds() -> None:
    kept = engine()
    found = [kept.check(reading(time_s, current_a=-1.2e-5)) for time_s in range(20)]
    assert [time_s for time_s, verdict in enumerate(found) if verdict.began] == [12]  # settled after 2 s, then 10 s
    assert "commanded were -10 uA" in found[12].began[0].reason
    assert not any(verdict.dangers for verdict in found)


def test_a_charge_that_is_not_the_integral_of_the_current_warns() -> None:
    def began(factor: float) -> list[int]:
        kept = engine()
        found = []
        for time_s in range(0, 3600, 10):
            counted_mah = -1e-5 * factor * time_s / 3.6
            snapshot = Snapshot(2.0, -1e-5, time_s, ChannelState.RUN, 0, False, counted_mah, time_s)
            verdict = kept.check(reading(time_s, snapshot=snapshot, values={VOLTAGE: 2 + time_s * 1e-6}))
            found += [time_s] * (quantities(verdict.began) == [CHARGE])
        return found

    assert began(1.005) == []
    assert len(began(1.05)) == 1
    assert began(nan) == []


def test_a_rule_of_a_file_is_kept_as_it_says() -> None:
    kept = engine(
        {"quantity": "temperature", "kind": "absolute", "max": "40 degC", "class": "cell_danger", "action": "warn"},
        {"quantity": "load_cell", "kind": "stale", "delay": "60 s", "class": "instrument_fault"},
    )
    warm = kept.check(reading(values={TEMPERATURE: 41.0, PRESSURE: None}, silent_s={LOAD_CELL: 40.0}))
    assert (quantities(warm.began), warm.dangers) == ([TEMPERATURE], ())
    (began,) = kept.check(reading(1.0, silent_s={LOAD_CELL: 61.0}, values={TEMPERATURE: 41.0})).began
    assert (began.rule.kind, began.rule.action) == (LimitKind.STALE, LimitAction.WARN)
