"""Each step of the guard is bounded by the instrument itself: in time, in voltage, in current and in pressure."""

from typing import Any

import pytest

from devices.instrument_limit import InstrumentLimit
from devices.techniques import TechniqueError
from operando.guard.techniques import loaded_step
from operando.model.limits_table import Limits

LIMITS = Limits.model_validate(
    {
        "min_voltage": "0.65 V",
        "max_voltage": "3.1 V",
        "max_current": "100 uA",
        "max_stack_pressure": "35 MPa",
        "max_temperature": "45 degC",
    }
)
CHARGE: dict[str, Any] = {"step": "c", "current_a": 1e-5, "until_voltage_v": 2.9, "max_duration_s": 600.0}
DISCHARGE: dict[str, Any] = {"step": "d", "current_a": -1e-5, "until_voltage_v": 0.7, "max_duration_s": 600.0}
PRESSURE = InstrumentLimit.auxiliary(1, 5.0, at_least=True)


def instrument_limits(
    arguments: dict[str, Any], *, command: str = "constant_current", **options: Any
) -> list[dict[int, float]]:
    """Return word and value of each technique's active tests."""
    loaded = loaded_step(command, arguments, LIMITS, 2.0, **options)
    return [
        {
            int(parameters[f"TEST{number}CONF"]): parameters[f"TEST{number}VAL"]
            for number in (1, 2, 3)
            if parameters.get(f"TEST{number}CONF")
        }
        for parameters in (technique.parameters() for technique in loaded.techniques)
    ]


def test_a_current_stops_at_its_voltage_and_where_only_a_shorted_cell_could_go() -> None:
    assert instrument_limits(CHARGE) == [{5: 2.9, 1: 0.65}]
    assert instrument_limits(DISCHARGE) == [{1: 0.7, 5: 3.1}]


def test_a_hold_is_bounded_in_current_and_has_every_limit_that_leads_to_it() -> None:
    held = CHARGE | {"hold": "constant_voltage"}
    assert instrument_limits(held, pressure_limit=PRESSURE) == [
        {5: 2.9, 1: 0.65, 37: 5.0},
        {101: pytest.approx(1.2e-4), 1: 0.65, 37: 5.0},
    ]
    held = DISCHARGE | {"hold": "constant_voltage"}
    assert instrument_limits(held) == [{1: 0.7, 5: 3.1}, {97: pytest.approx(-1.2e-4), 5: 3.1}]


def test_a_constant_voltage_is_bounded_in_current_both_ways() -> None:
    asked = {"step": "v", "voltage_v": 2.5, "duration_s": 60.0}
    assert instrument_limits(asked, command="constant_voltage") == [
        {101: pytest.approx(1.2e-4), 97: pytest.approx(-1.2e-4)}
    ]


@pytest.mark.parametrize("value", [10**400, float("nan"), "1e999", [1.0], None])
def test_arguments_that_are_no_numbers_are_refused(value: object) -> None:
    with pytest.raises(TechniqueError, match="current_a"):
        loaded_step("constant_current", CHARGE | {"current_a": value}, LIMITS, 2.0)
