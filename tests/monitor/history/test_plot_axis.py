import numpy as np
import pytest

from operando.monitor.history.half_cycles import find_half_cycles
from operando.monitor.history.plot_axis import charge_axis, time_axis
from operando.monitor.history.table_history import TableHistory
from operando.monitor.history.trace import Trace

START_S = 1_700_000_000.0


def table(current_a: object) -> tuple[Trace, Trace]:
    """Return current and charge, a sample each hour."""
    current = np.asarray(current_a, np.float64)
    charge = np.append(0.0, np.cumsum(current)[:-1]) * 1e3
    history = TableHistory(["current", "charge"])
    history.append(
        START_S + 3600.0 * np.arange(len(current), dtype=np.float64),
        np.column_stack((current, charge)).astype(np.float32),
    )
    return history.trace("current"), history.trace("charge")


@pytest.mark.parametrize(("length_s", "unit"), [(0.0, "[s]"), (3600.0, "[min]"), (1e6, "[h]"), (float("nan"), "[s]")])
def test_time_is_told_in_the_unit_that_suits_the_run(length_s: float, unit: str) -> None:
    axis = time_axis(START_S, length_s, rehearsal=True)
    assert axis.label == f"time since start of run on the rehearsal's clock {unit}"
    assert axis.times_s(axis.places(np.array([START_S + 7.0]))) == pytest.approx(START_S + 7.0)


def test_charge_that_passed_grows_in_both_directions_and_stands_still_at_rest() -> None:
    current, charge = table([0, 0, *[-1e-3] * 10, 0, 0, 0, *[1e-3] * 5, 0, 0])
    half_cycles = find_half_cycles(charge.times_s, current.values, charge.values)
    axis = charge_axis(charge, half_cycles, factor=2.0, unit="mAh/g")
    assert axis is not None
    hours = np.array([0, 2, 7, 11, 13, 15, 19, 21])
    assert axis.places(START_S + 3600.0 * hours) == pytest.approx([0, 0, 10, 18, 18, 18, 26, 26])
    assert axis.times_s(np.array([10.0])) == pytest.approx(START_S + 3600.0 * 7)
    assert axis.times_s(np.array([-5.0, 99.0])) == pytest.approx([START_S, START_S + 3600.0 * 21])  # beyond the ends
    assert "[mAh/g]" in axis.label


def test_there_is_no_such_axis_before_any_charge_has_passed() -> None:
    _, charge = table([0, 0, 0])
    assert charge_axis(charge, (), factor=1.0, unit="mAh") is None
