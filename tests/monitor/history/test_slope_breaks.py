import numpy as np
import pytest

from operando.monitor.history.charge_unit import ChargeUnit, specific_charge
from operando.monitor.history.slope_breaks import SlopeBreakStory, place_breaks
from operando.monitor.history.table_history import TableHistory
from operando.monitor.history.trace import Trace
from operando.monitor.reading.run_view import Quantity

START_S = 1_700_000_000.0
UNIT = specific_charge(2.0)  # mg: 500 mAh/g for a mAh


def result(
    value: float, *, uid: str = "a", replaces: str | None = None, name: str = "pressure_slope_break", **more: object
) -> object:
    data = {"tomogram": "discharge", "name": name, "value": value, "uncertainty": 5.0, "time": START_S + 2000.0}
    return ["event", {"uid": uid, "data": {**data, "replaces": replaces, **more}}]


def begun(time_s: float, name: str = "discharge") -> dict[str, object]:
    return {"time": START_S + time_s, "event": "intent", "entry": "step", "name": name}


def charge(num: int = 2001, begin: int = 1000) -> Trace:
    """Return a discharge of 1 mAh (500 mAh/g) from the 1000th to the 2000th second, after a charge of 0.3 mAh."""
    history = TableHistory(["charge_mah"])
    values = 0.3 - np.clip((np.arange(num) - begin) / 1000.0, 0.0, 1.0)
    history.append(START_S + np.arange(num, dtype=np.float64), values.astype(np.float32)[:, np.newaxis])
    return history.trace("charge_mah")


def story(*results: object) -> SlopeBreakStory:
    told = SlopeBreakStory()
    told.add_schedule_line(begun(0.0))  # begun again later
    told.add_schedule_line(begun(1000.0))
    told.add_schedule_line(begun(3000.0))  # a later one of the same name
    for line in results:
        told.add_result(line)
    return told


def test_a_break_lies_where_its_charge_had_passed_since_the_step_began() -> None:
    told = story(result(300.0))
    (placed,) = place_breaks(told.found, told.begun_s, charge(), UNIT)
    assert placed.found.quantity is Quantity.PRESSURE
    assert placed.step_begin_s == START_S + 1000.0
    assert (placed.begin_s, placed.time_s, placed.end_s) == pytest.approx(
        (START_S + 1590.0, START_S + 1600.0, START_S + 1610.0), abs=0.01
    )
    assert "300.0 ± 5.0 mAh/g of discharge" in placed.found.text


def test_lesser_breaks_of_the_same_step_are_placed_and_told_apart() -> None:
    breaks = [{"place": 300.0, "uncertainty": 5.0}, {"place": 100.0, "uncertainty": 1.0}]
    told = story(result(300.0, details={"all_breaks": breaks}), result(310.0, uid="b", name="voltage_step"))
    placed = place_breaks(told.found, told.begun_s, charge(), UNIT)
    assert [(entry.found.quantity, entry.found.is_main, round(entry.time_s - START_S)) for entry in placed] == [
        (Quantity.PRESSURE, True, 1600),
        (Quantity.PRESSURE, False, 1200),
        (Quantity.VOLTAGE, True, 1620),
    ]
    assert "not the largest" in placed[1].found.text


def test_a_measurement_that_replaces_another_is_the_only_one() -> None:
    told = story(result(300.0), result(200.0, uid="b", replaces="a"))
    assert [entry.place for entry in told.found] == [200.0]


@pytest.mark.parametrize(
    ("unit", "value", "num"), [(ChargeUnit(), 300.0, 2001), (UNIT, 600.0, 2001), (UNIT, 300.0, 0), (UNIT, 300.0, 900)]
)
def test_without_mass_charge_or_samples_of_the_step_none_is_placed(unit: ChargeUnit, value: float, num: int) -> None:
    told = story(result(value))
    assert place_breaks(told.found, told.begun_s, charge(num), unit) == ()


def test_a_break_at_the_very_end_has_its_uncertainty_cut_off_there() -> None:
    told = story(result(499.0))
    (placed,) = place_breaks(told.found, told.begun_s, charge(), UNIT)
    assert placed.end_s == pytest.approx(START_S + 2000.0)


@pytest.mark.parametrize(
    "line", [None, 5, [], ["event"], ["event", {}], ["event", {"data": {"name": "voltage_step"}}], {}]
)
def test_lines_of_another_kind_are_left_out(line: object) -> None:
    told = story()
    told.add_result(line)
    told.add_schedule_line(line)
    told.add_result(result(float("nan")))
    assert told.found == ()
