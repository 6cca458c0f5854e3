import numpy as np
import pytest

from operando.monitor.history.half_cycle_curves import differential_curve, half_cycle_curve
from operando.monitor.history.half_cycles import find_half_cycles
from operando.monitor.history.table_history import TableHistory

START_S = 1_700_000_000.0
NUM = 10_000


def test_a_quantity_of_another_table_is_drawn_against_the_charge_since_the_half_cycle_began() -> None:
    times_s = START_S + np.arange(2 * NUM, dtype=np.float64)
    current = np.where(np.arange(2 * NUM) < NUM, 0.0, -3.6e-3)  # 1e-3 mAh per second
    charge = np.cumsum(current) / 3.6 + 7.0
    electrical, press = TableHistory(["voltage", "current", "charge"]), TableHistory(["pressure"])
    voltage = 3.0 + (charge - 7.0) / 10
    electrical.append(times_s, np.column_stack((voltage, current, charge)).astype(np.float32))
    press.append(times_s[::3] + 0.5, (20.0 + (times_s[::3] - START_S - NUM) * 1e-4).astype(np.float32)[:, np.newaxis])
    traces = [electrical.trace(name) for name in ("voltage", "charge", "current")]
    (half_cycle,) = find_half_cycles(times_s, traces[2].values, traces[1].values)
    curve = half_cycle_curve(half_cycle, press.trace("pressure"), traces[1], 200)
    assert 300 < len(curve.values) <= 400
    assert curve.values == pytest.approx(20.0 + curve.passed_mah / 1e-3 * 1e-4, abs=0.01)  # a group's height
    assert curve.elapsed_s == pytest.approx(curve.passed_mah / 1e-3, abs=1.0)
    assert (curve.passed_mah.min(), curve.passed_mah.max()) == pytest.approx((0.0, 10.0), abs=0.1)
    slopes = differential_curve(half_cycle, *traces)
    assert slopes.slopes_mah_v == pytest.approx(-10.0, rel=0.01)
    assert (slopes.voltages_v.min(), slopes.voltages_v.max()) == pytest.approx((2.0, 3.0), abs=0.01)


def test_missing_values_break_the_line_and_a_table_without_samples_has_none() -> None:
    times_s = START_S + np.arange(100, dtype=np.float64)
    values = np.column_stack((np.full(100, -1e-3), -np.arange(100.0))).astype(np.float32)
    history = TableHistory(["current", "charge"])
    history.append(times_s, values)
    current, charge = history.trace("current"), history.trace("charge")
    (half_cycle,) = find_half_cycles(times_s, current.values, charge.values)
    other = TableHistory(["pressure"])
    assert len(half_cycle_curve(half_cycle, other.trace("pressure"), charge, 50).values) == 0
    gap = np.where((np.arange(100) > 40) & (np.arange(100) < 60), np.nan, 1.0).astype(np.float32)
    other.append(times_s, gap[:, np.newaxis])
    drawn = half_cycle_curve(half_cycle, other.trace("pressure"), charge, 50)
    assert 0 < np.isnan(drawn.values).sum() < len(drawn.values)
