"""A step is measured from the guard's log alone; what the log lacks is not invented."""

import math
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from live_analysis.cell_measurements import PRESSURE_ACCURACY_MPA
from live_analysis.run_follower import EndedStep
from live_analysis.step_analysis import measure_step
from operando.model.cell_log import CellLogWriter
from operando.model.experiment_file import load_experiment
from operando.model.measurement import Measurement
from operando.model.run_directory import RunDirectory

EXPERIMENT = load_experiment(Path(__file__).parents[2] / "experiments/cus_26mpa.toml")
DAY_S, PERIOD_S = 86400.0, 30.0
REST = EndedStep("outer", "rest", "rest", 0.0, DAY_S)
DISCHARGE = EndedStep("outer", "discharge", "constant_current", DAY_S, 2 * DAY_S)
CHARGE = EndedStep("outer", "charge", "constant_current", 2 * DAY_S, 2.5 * DAY_S)
CURRENT_A = 12e-6


def sample(log: CellLogWriter, table: str, time_s: float, values: tuple[float, ...], quality: str = "OK") -> None:
    log.sample(table, time_s=time_s, wall_s=time_s, period_s=PERIOD_S, quality=quality, values=values)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A day of rest, a day of discharge whose pressure falls and then rises, half a day of charge."""
    run = RunDirectory(tmp_path_factory.mktemp("run"))
    log = CellLogWriter(run.cell_log)
    charge_mah, random = 0.0, np.random.default_rng(0)
    for time_s in np.arange(0.0, CHARGE.end_s, PERIOD_S):
        current_a = 0.0 if time_s < DAY_S else -CURRENT_A if time_s < CHARGE.begin_s else CURRENT_A
        charge_mah += current_a * PERIOD_S / 3.6
        since_rest_s = max(time_s - DAY_S, 0.0)
        pressure_mpa = 26 - 4 * (1 - math.exp(-min(time_s, DAY_S) / 2e4)) / (1 - math.exp(-DAY_S / 2e4))
        pressure_mpa -= 1e-4 * since_rest_s / 6 - 2.5e-4 * max(since_rest_s - DAY_S / 2, 0.0) / 6
        values = (time_s, 2.0 - 0.1 * (time_s > DAY_S), current_a, charge_mah, charge_mah, 1.0, 0.0)
        sample(log, "potentiostat", time_s, values)
        sample(log, "load_cell", time_s, (0.0, 0.0, pressure_mpa + random.normal(0, 0.007)))
    sample(log, "load_cell", 5e4, (0.0, 0.0, 1e6), "BADCS")
    log.close()
    return run


def measured(run: RunDirectory, step: EndedStep, *earlier: EndedStep) -> dict[str, Measurement]:
    results = measure_step(run, EXPERIMENT, step, earlier)
    assert not results.failure
    return {entry.name: entry for entry in results.measurements}


def test_a_rest_tells_how_far_the_pressure_fell_and_bad_samples_count_for_nothing(run: RunDirectory) -> None:
    fall = measured(run, REST)["pressure_fall"]
    assert fall.value == pytest.approx(4.0, abs=0.01)  # of 2880 samples with 0.007 MPa of noise
    assert fall.uncertainty == pytest.approx(PRESSURE_ACCURACY_MPA / math.sqrt(3), rel=0.1)
    assert fall.details["part_of_initial"] == pytest.approx(4 / 26, rel=0.01)


def test_a_half_cycle_tells_capacity_and_where_the_pressure_turns(run: RunDirectory) -> None:
    found = measured(run, DISCHARGE, REST)
    capacity = CURRENT_A * DAY_S / 3.6 / EXPERIMENT.cell.active_mass * 1e3
    assert found["capacity"].value == pytest.approx(capacity, abs=2 * CURRENT_A * PERIOD_S / 3.6 * 1e3)
    # MPa: means of 14 samples at either end, which lie 7 samples inside: 0.004 MPa of slope each, and their noise.
    assert found["pressure_change"].value == pytest.approx(-1e-4 * DAY_S / 6 + 2.5e-4 * DAY_S / 12, abs=0.02)
    assert found["pressure_slope_break"].value == pytest.approx(capacity / 2, rel=0.01)  # four bins of 400
    assert "coulombic_efficiency" not in found
    # MPa, as above; the pressure where it turns is that of the lines beside it
    assert found["pressure_change_stage1"].value == pytest.approx(-1e-4 * DAY_S / 12, abs=0.03)
    assert found["pressure_change_stage2"].value == pytest.approx(1.5e-4 * DAY_S / 12, abs=0.03)


def test_the_largest_fall_counts_from_the_beginning_of_the_run(run: RunDirectory) -> None:
    assert measured(run, REST)["largest_pressure_fall"].value == pytest.approx(4.0, abs=0.02)
    lowest = measured(run, DISCHARGE, REST)["largest_pressure_fall"]
    assert lowest.value == pytest.approx(4.0 + 1e-4 * DAY_S / 12, abs=0.02)  # in the middle, where it turns


def test_the_second_half_of_a_cycle_is_compared_with_its_first(run: RunDirectory) -> None:
    assert measured(run, CHARGE, REST, DISCHARGE)["coulombic_efficiency"].value == pytest.approx(0.5, abs=0.001)
    assert "coulombic_efficiency" not in measured(run, CHARGE, REST)
    assert "coulombic_efficiency" not in measured(run, DISCHARGE, DISCHARGE, CHARGE)  # begins the next cycle
    noon_s = 1.5 * DAY_S
    morning, evening = replace(DISCHARGE, end_s=noon_s), replace(DISCHARGE, name="discharge2", begin_s=noon_s)
    efficiency = measured(run, CHARGE, REST, morning, evening)["coulombic_efficiency"]
    assert efficiency.value == pytest.approx(0.5, abs=0.001)  # a discharge in two steps is one


def test_a_gap_of_the_log_and_a_first_sample_that_is_none_cost_certainty_not_truth(
    run: RunDirectory, tmp_path: Path
) -> None:
    whole = measured(run, DISCHARGE, REST)
    shutil.copytree(run.path, tmp_path / "run")
    with sqlite3.connect(RunDirectory(tmp_path / "run").cell_log) as log:
        log.execute("DELETE FROM load_cell WHERE time_s BETWEEN ? AND ?", (1.4 * DAY_S, 1.6 * DAY_S))  # it turns at 1.5
        log.execute("UPDATE load_cell SET quality = 'BADCS', stack_pressure_mpa = 1e6 WHERE time_s = 0")
    log.close()
    torn = measured(RunDirectory(tmp_path / "run"), DISCHARGE, REST)
    for name in ("pressure_change_stage1", "pressure_change_stage2"):
        assert abs(torn[name].value - whole[name].value) < 2 * torn[name].uncertainty
    lowest_mpa = 1e-4 * 0.4 * DAY_S / 6  # when the gap begins
    assert torn["largest_pressure_fall"].value == pytest.approx(4.0 + lowest_mpa, abs=0.03)


def test_a_step_without_samples_tells_nothing_and_one_without_a_log_says_so(tmp_path: Path, run: RunDirectory) -> None:
    late = EndedStep("outer", "late", "constant_current", 1e9, 2e9)
    assert measured(run, late) == {}
    assert "cannot be measured" in measure_step(RunDirectory(tmp_path), EXPERIMENT, REST, ()).failure
