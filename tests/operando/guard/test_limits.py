from dataclasses import replace
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.guard.limits import CellReading, Severity, violations
from operando.guard.pressure import stack_pressure_mpa
from operando.model.experiment import Limits

LIMITS = Limits.model_validate(
    {
        "min_voltage": "0.65 V",
        "max_voltage": "3.1 V",
        "max_current": "100 uA",
        "min_stack_pressure": "5 MPa",
        "max_stack_pressure": "35 MPa",
        "min_temperature": "10 degC",
        "max_temperature": "45 degC",
    }
)
GOOD = CellReading(voltage_v=2.0, current_a=-1e-5, pressure_mpa=26.0, temperature_c=25.0)
DANGER, FAULT = Severity.CELL_DANGER, Severity.INSTRUMENT_FAULT


@pytest.mark.parametrize(
    ("change", "quantity", "severity"),
    [
        ({"voltage_v": 3.11}, "voltage", DANGER),
        ({"voltage_v": 0.64}, "voltage", DANGER),
        ({"voltage_v": nan}, "voltage", DANGER),
        ({"voltage_v": inf}, "voltage", DANGER),
        ({"current_a": 1.01e-4}, "current", DANGER),
        ({"current_a": -1.01e-4}, "current", DANGER),
        ({"current_a": nan}, "current", DANGER),
        ({"pressure_mpa": 35.1}, "stack pressure", DANGER),
        ({"pressure_mpa": 4.9}, "stack pressure", DANGER),
        ({"pressure_mpa": nan}, "stack pressure", DANGER),
        ({"temperature_c": 45.1}, "temperature", DANGER),
        ({"temperature_c": nan}, "temperature", DANGER),
        ({"voltage_v": None, "current_a": None, "potentiostat_silent_s": 5.1}, "potentiostat", DANGER),
        ({"pressure_mpa": None, "force_silent_s": 30.1}, "load cell", DANGER),
        ({"temperature_c": None, "temperature_silent_s": 120.1}, "thermometer", FAULT),
        ({"force_over_range": True}, "force", DANGER),
    ],
)
def test_each_limit_is_found_with_its_class(change: dict[str, Any], quantity: str, severity: Severity) -> None:
    (found,) = violations(replace(GOOD, **change), LIMITS)
    assert (found.quantity, found.severity) == (quantity, severity)
    assert found.reason.endswith(".")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"voltage_v": 3.1, "current_a": 9.99e-5, "pressure_mpa": 35.0, "temperature_c": 10.0},
        {"voltage_v": None, "current_a": None, "potentiostat_silent_s": 5.0},
        {"pressure_mpa": None, "force_silent_s": 30.0},
        {"temperature_c": None, "temperature_silent_s": 120.0},
    ],
    ids=["in the middle", "at the limits", "potentiostat not yet stale", "force not yet stale", "thermometer not yet"],
)
def test_what_is_within_its_limits_passes(change: dict[str, Any]) -> None:
    assert violations(replace(GOOD, **change), LIMITS) == []


def test_cell_danger_comes_first() -> None:
    found = violations(replace(GOOD, temperature_c=None, temperature_silent_s=200.0, voltage_v=9.0), LIMITS)
    assert [violation.severity for violation in found] == [DANGER, FAULT]


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_voltage_passes_only_inside(voltage_v: float) -> None:
    assert bool(violations(replace(GOOD, voltage_v=voltage_v), LIMITS)) is not (0.65 <= voltage_v <= 3.1)


def test_pressure_is_force_over_area() -> None:
    assert stack_pressure_mpa(10_000.0, 78.54) == pytest.approx(127.3, abs=0.1)  # 10 kN on 10 mm diameter
