"""The guard's charge and stack pressure, from readings with the instruments' noise, are those of the simulated cell."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from devices.force_calibration import force_calibration
from devices.potentiostat_reading import ChannelState, Snapshot
from operando.guard.charge import ChargePoint, charge_point, next_charge
from operando.guard.pressure import stack_pressure_mpa
from simulators.cell_parameters import load_cell
from simulators.cell_twin import CellTwin
from simulators.conductor import Conductor
from simulators.load_cell import FULL_SCALE_N, LoadCell, calibration
from simulators.noise import keyed_normal
from simulators.potentiostat import CURRENT_NOISE_A
from tests.support.offline_run import CELL, START_S

SHIPPED = load_cell(CELL)
PERIOD_S = 30.0
DAY_S = 86400.0
HOLD_S = 252.0  # 360 projections of 0.7 s
LARGEST_A = 1e-4
CURRENT_A = -11.52e-6


def snapshot(twin: CellTwin, time_s: float, technique_index: int) -> Snapshot:
    """What the potentiostat says; it has no count of its own, so that the integral alone is judged."""
    found = twin.reading(time_s)
    noise_a = CURRENT_NOISE_A * keyed_normal(1, "current", round(time_s - START_S))
    return Snapshot(
        found.voltage_v, found.current_a + noise_a, time_s - START_S, ChannelState.RUN, technique_index, False, None,
        time_s,
    )  # fmt: skip


def test_the_guards_capacity_is_the_twins_charge() -> None:
    twin = CellTwin(SHIPPED, START_S)
    point: ChargePoint = charge_point(snapshot(twin, START_S, 0), START_S, 0.0)
    now_s = START_S

    def integrate(until_s: float, period_s: float, technique_index: int) -> None:
        nonlocal now_s, point
        while now_s < until_s:
            now_s = min(now_s + period_s, until_s)
            point = next_charge(point, snapshot(twin, now_s, technique_index), now_s, largest_current_a=LARGEST_A)

    for voltage_v in (1.7, 1.2, 0.7):
        twin.constant_current(now_s, CURRENT_A)
        reached_s = twin.next_crossing(voltage_v, rising=False, before_s=now_s + 5 * DAY_S)
        assert reached_s is not None
        integrate(reached_s, PERIOD_S, 0)
        twin.constant_voltage(reached_s, voltage_v)
        integrate(reached_s + HOLD_S, 1.0, 1)
        true_mah = twin.reading(now_s).charge_mah
        assert point.charge_mah == pytest.approx(true_mah, rel=0.002)  # asked for; 30 s of a jump are 0.02 %


def test_samples_every_five_minutes_lose_no_charge_of_a_half_cycle() -> None:
    """As a rehearsal samples its many cycles: the technique ends between two samples, the instrument counts itself."""
    twin, now_s, period_s = CellTwin(SHIPPED, START_S), START_S, 300.0
    point: ChargePoint = charge_point(replace(snapshot(twin, now_s, 0), charge_mah=0.0), now_s, 0.0)

    def sample(state: ChannelState) -> None:
        nonlocal point
        counted_mah = round(twin.reading(now_s).charge_mah, 9)
        said = replace(snapshot(twin, now_s, 0), state=state, charge_mah=counted_mah)
        point = next_charge(point, said, now_s, largest_current_a=LARGEST_A)

    for voltage_v, current_a in ((0.7, 5 * CURRENT_A), (3.0, -5 * CURRENT_A)) * 3:
        before_mah, true_before_mah = point.charge_mah, twin.reading(now_s).charge_mah
        twin.constant_current(now_s, current_a)
        sample(ChannelState.RUN)
        reached_s = twin.next_crossing(voltage_v, rising=current_a > 0, before_s=now_s + 5 * DAY_S)
        assert reached_s is not None
        while now_s + period_s < reached_s:
            now_s += period_s
            sample(ChannelState.RUN)
        twin.open_circuit(reached_s)
        for _ in range(2):
            now_s += period_s
            sample(ChannelState.STOP)
        passed_mah = twin.reading(now_s).charge_mah - true_before_mah
        assert point.charge_mah - before_mah == pytest.approx(passed_mah, rel=0.002)  # asked for


def test_a_day_of_rest_costs_four_megapascal_on_the_load_cell(tmp_path: Path) -> None:
    twin = CellTwin(SHIPPED, START_S)
    clock = cast(Conductor, SimpleNamespace(now=lambda: START_S))
    sensor = LoadCell(tmp_path / "port", clock, twin.force_n, seed=1)
    line = force_calibration(calibration(), FULL_SCALE_N)

    def pressure_mpa(elapsed_s: float) -> float:
        return stack_pressure_mpa(line.force_n(sensor.counts_at(START_S + elapsed_s)), twin.bore_area_mm2)

    assert pressure_mpa(0.0) - pressure_mpa(DAY_S) == pytest.approx(4.0, abs=0.2)  # A-12; noise of two readings is 0.05
