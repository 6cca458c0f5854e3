"""A technique that ends long before it should have is told; the schedule goes on, and no usual end is told."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from operando.model.outcome import Outcome
from plans.early_end import is_long_before, voltage_cut_short
from tests.support.laboratory import DISCHARGE, Laboratory, new_laboratory

ONE_TOMOGRAM = DISCHARGE.replace(', { name = "D0.7V", voltage = "0.7 V" }', "")
HOLD = """
[[schedule]]
step = "constant_voltage"
name = "hold"
voltage = "2.0 V"
duration = "1000 s"
tomograms = [{ name = "H", every = "400 s" }]
"""
LOOK = "Look at the instrument; the schedule goes on."


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    return new_laboratory(tmp_path)


def press_stop(laboratory: Laboratory, *, after_s: float) -> None:
    """Let somebody press Stop at the instrument."""
    cell = laboratory.cell

    def stop() -> None:
        cell.state.put("STEP_ENDED")
        cell.current.put(0.0)

    laboratory.clock.at(laboratory.clock.now() + after_s, stop)


def told_of(laboratory: Laboratory, schedule: str, sync: str = "firmware", **options: Any) -> list[str]:
    said: list[str] = []
    laboratory.run(schedule, sync, tell=said.append, **options)
    return [text for text in said if LOOK in text]


def reasons(laboratory: Laboratory) -> dict[str, str]:
    """What the journal and the documents say of each step; both say the same."""
    lines = [line for line in laboratory.journal() if line["event"] == "outcome" and line["entry"] == "step"]
    found = {line["name"]: line["reason"] for line in lines}
    assert {line["outcome"] for line in lines} == {"complete"}
    assert found == {event["step"]: event["reason"] for event in laboratory.events("steps")}
    return found


@pytest.mark.parametrize("sync", ["firmware", "software", "free"])
def test_a_current_that_is_stopped_on_its_way_is_told_and_the_schedule_goes_on(
    laboratory: Laboratory, sync: str
) -> None:
    laboratory.cell.slope = 0.002  # 0.2 mV a second
    press_stop(laboratory, after_s=10_000.0)  # on the way from 1.7 V to 0.7 V
    schedule = ONE_TOMOGRAM.replace('"5000 s"', '"50000 s"')
    (text,) = told_of(laboratory, schedule + HOLD, sync)
    assert text.startswith("Step discharge ended at 1.")
    assert text.endswith(f"after its start, long before 0.7 V. {LOOK}")
    assert reasons(laboratory) == {"rest": "", "discharge": text, "hold": ""}
    assert [command for command, _ in laboratory.cell.commands][-1] == "open_circuit"
    assert "H_002" in laboratory.runs()


@pytest.mark.parametrize(("after_s", "step", "at"), [(300.0, "rest", "3.0000 V"), (1600.0, "hold", "2.0000 V")])
def test_a_rest_or_hold_that_is_stopped_is_told_once(
    laboratory: Laboratory, after_s: float, step: str, at: str
) -> None:
    press_stop(laboratory, after_s=after_s)
    rest = DISCHARGE.split('[[schedule]]\nstep = "constant_current"', maxsplit=1)[0]
    (text,) = told_of(laboratory, rest + HOLD)
    assert text.startswith(f"Step {step} ended at {at}, ")
    assert text.endswith(f" after its start, long before its 16 min 40 s were over. {LOOK}")
    assert reasons(laboratory) == {"rest": "", "hold": "", step: text}


@pytest.mark.parametrize("sync", ["firmware", "software", "free"])
@pytest.mark.parametrize("max_duration_s", [5000, 1500])
def test_no_usual_end_is_told(laboratory: Laboratory, sync: str, max_duration_s: int) -> None:
    schedule = ONE_TOMOGRAM.replace('"5000 s"', f'"{max_duration_s} s"') + HOLD
    assert told_of(laboratory, schedule, sync) == []
    assert set(reasons(laboratory).values()) == {""}


@pytest.mark.parametrize("sync", ["firmware", "software", "free"])
def test_a_cell_that_has_relaxed_after_the_end_of_its_step_was_not_stopped(laboratory: Laboratory, sync: str) -> None:
    cell = laboratory.cell
    put = cell.state.put

    def relaxing(state: str) -> None:
        put(state)
        if state == "STEP_ENDED":
            cell.voltage.put(cell.voltage.get() + 0.4)

    cell.state.put = relaxing
    assert told_of(laboratory, ONE_TOMOGRAM, sync) == []
    assert cell.voltage.get() > 1.0


def test_a_technique_that_ends_some_polls_early_was_not_stopped(laboratory: Laboratory) -> None:
    press_stop(laboratory, after_s=992.0)
    rest = DISCHARGE.split('[[schedule]]\nstep = "constant_current"', maxsplit=1)[0]
    assert told_of(laboratory, rest) == []


def test_a_step_that_is_resumed_after_its_technique_is_begun_anew_and_not_told(laboratory: Laboratory) -> None:
    assert laboratory.run_until_killed(laboratory.clock.now() + 300.0, schedule=HOLD)
    press_stop(laboratory, after_s=10.0)
    laboratory.clock.timer(laboratory.clock.now() + 20.0)
    laboratory.clear_up()
    assert told_of(laboratory, HOLD) == []
    assert [command for command, _ in laboratory.cell.commands].count("constant_voltage") == 2


def test_what_was_told_of_a_leg_is_known_to_whoever_resumes_the_run(laboratory: Laboratory) -> None:
    press_stop(laboratory, after_s=500.0)
    schedule = ONE_TOMOGRAM.split("[[schedule]]", maxsplit=2)[2].replace(
        'name = "D1.7V", voltage = "1.7 V"', 'name = "E", at = "end"'
    )
    said: list[str] = []
    killed = laboratory.run_until_killed(
        laboratory.clock.now() + 505.0, schedule="[[schedule]]" + schedule, tell=said.append
    )
    assert killed
    laboratory.clear_up()
    assert told_of(laboratory, "[[schedule]]" + schedule) == []
    assert [reasons(laboratory)["discharge"]] == [text for text in said if LOOK in text]


def test_a_log_that_cannot_be_read_ends_no_schedule(laboratory: Laboratory) -> None:
    def unreadable(_row: int) -> Any:
        raise sqlite3.OperationalError("disk I/O error")

    laboratory.cell.newest_first = unreadable
    press_stop(laboratory, after_s=1500.0)
    end = laboratory.run(
        DISCHARGE.replace('{ name = "D1.7V", voltage = "1.7 V" }, { name = "D0.7V", voltage = "0.7 V" }', "")
    )
    assert end.outcome is Outcome.COMPLETE


def rows(*voltages_v: float, after_v: float, period_s: float = 1.0, current_a: float = -1e-5) -> list[dict[str, Any]]:
    """Samples under current, then one at open circuit, newest first."""
    samples = [(voltage_v, current_a) for voltage_v in voltages_v] + [(after_v, 1e-9 * current_a)]
    return [
        {"time_s": index * period_s, "elapsed_s": index, "voltage_v": voltage_v, "current_a": flows_a}
        for index, (voltage_v, flows_a) in enumerate(samples)
    ][::-1]


@pytest.mark.parametrize(
    ("samples", "stop_v"),
    [
        (rows(2.002, 2.001, 2.0, after_v=2.05), 2.0),  # stopped on a plateau
        (rows(0.732, 0.721, 0.71, after_v=1.1), None),  # came to its end and relaxed
        (rows(1.4, 1.3, 1.15, after_v=1.6), None),  # so steep that the end may have come between two samples
        (rows(2.002, 2.001, 2.0, after_v=1.6), None),  # went on where nobody saw it, then relaxed
        (rows(2.002, 2.001, 2.0, after_v=2.05, period_s=90.0), None),  # a rehearsal's rare samples show no end
        (rows(2.002, 2.001, 2.0, after_v=2.05, period_s=0.0), 2.0),  # at one moment of a clock that stood still
        (rows(2.0, after_v=2.05), None),  # ended at once
        (rows(2.002, 2.001, 2.0, after_v=2.05)[1:], None),  # nobody has seen it end
        ([], None),
    ],
)
def test_a_voltage_was_cut_short_only_where_its_samples_show_it(
    samples: list[dict[str, Any]], stop_v: float | None
) -> None:
    assert voltage_cut_short(samples, current_a=-1e-5, target_v=0.7) == stop_v


def test_a_sample_that_was_read_twice_or_holds_no_number_changes_nothing() -> None:
    once = rows(1.4, 1.3, 1.15, after_v=1.6)
    twice = [dict(row, time_s=row["time_s"] + late_s) for row in once for late_s in (0.5, 0.0)]
    empty = {"time_s": 9.0, "elapsed_s": 9.0, "voltage_v": None, "current_a": None}
    assert voltage_cut_short([empty, *twice], current_a=-1e-5, target_v=0.7) is None


@pytest.mark.parametrize(("now_s", "long_before"), [(985.0, True), (991.0, False), (1000.0, False), (1001.0, False)])
def test_an_end_within_some_polls_or_a_hundredth_of_its_time_is_no_early_one(
    now_s: float, *, long_before: bool
) -> None:
    assert is_long_before(now_s, 0.0, 1000.0) is long_before
    assert not is_long_before(99_500.0, 0.0, 100_000.0)
