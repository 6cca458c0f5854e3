from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from math import isnan, nan
from pathlib import Path

import pytest
from PySide6 import QtWidgets

from operando.model.cell_log import CellLogWriter
from operando.model.clock_fit import ClockFit
from operando.model.frames import FrameKind
from operando.model.run_directory import RunDirectory
from operando.monitor.health import facts
from operando.monitor.health.fact_table import Fact, Tone
from operando.monitor.health.health_reader import HealthReader, Rate
from operando.monitor.reading.frame_counts import FrameCount
from operando.monitor.reading.run_ledger import PhaseCost, TomogramLedger
from operando.monitor.reading.run_processes import Life, ProcessView
from tests.monitor.conftest import OpenMonitor
from tests.support.fast_clock import FastClock
from tests.support.run_directories import FakedRun

OpenOn = Callable[[RunDirectory], OpenMonitor]
COMPLETE = TomogramLedger(
    1,
    "OCV",
    0.0,
    100.0,
    "complete",
    (FrameCount(FrameKind.PROJECTION, 45, 45, 0),),
    (PhaseCost("projections", 9.0, 0.1), PhaseCost("sample_out", 2.0, 0.0), PhaseCost("close", 0.5, 0.2)),
    quick_s=101.5,
    measured_s=130.0,
)


def texts(rows: list[list[Fact]]) -> list[list[str]]:
    return [[fact.text for fact in row] for row in rows]


def test_the_ledger_says_where_the_seconds_went_and_how_soon_values_came() -> None:
    (row,) = texts(facts.ledger_rows([COMPLETE]))
    assert row == ["OCV", "complete", "12 s", "9.0 s", "2.0 s", "0.30 s", "0", "1.50 s", "30.00 s"]


def test_lost_frames_and_slow_software_stand_out() -> None:
    bad = replace(
        COMPLETE,
        outcome="partial",
        frames=(FrameCount(FrameKind.PROJECTION, 45, 44, 1),),
        phases=(PhaseCost("projections", 9.0, 1.5),),
    )
    (row,) = facts.ledger_rows([bad])
    loud = {heading for heading, fact in zip(facts.LEDGER_HEADINGS, row, strict=True) if fact.tone is Tone.ALARM}
    assert loud == {"ended", "software", "lost"}


def test_a_tomogram_that_is_taken_has_no_account_yet() -> None:
    (row,) = texts(facts.ledger_rows([TomogramLedger(1, "OCV", 0.0)]))
    assert row[:3] == ["OCV", "is being taken", "–"]


def test_the_newest_tomogram_stands_first_and_old_ones_are_left_out() -> None:
    rows = texts(facts.ledger_rows([replace(COMPLETE, name=f"T{number}") for number in range(40)]))
    assert [row[0] for row in rows] == [f"T{number}" for number in range(39, 39 - facts.NUM_TOMOGRAMS, -1)]


def test_dead_processes_stand_out_and_those_elsewhere_name_their_computer() -> None:
    dead = ProcessView("guard", 5, Life.DIED, 90.0)
    far = ProcessView("analysis", 6, Life.ELSEWHERE, nan, host="hutch-2")
    rows = facts.process_rows([dead, far], None, 100.0)
    assert {fact.tone for fact in rows[0]} == {Tone.ALARM}
    assert rows[0][4].text == "10 s"
    assert [fact.text for fact in rows[1]] == ["analysis", "6", "on another computer hutch-2", "–", "–", "–", "–"]


def test_since_when_a_process_lives_has_a_date_if_that_was_not_today() -> None:
    noon_s = datetime(2026, 11, 22, 12).timestamp()
    process = ProcessView("guard", 5, Life.LIVES, noon_s)
    since = [facts.process_rows([process], None, wall_s)[0][3].text for wall_s in (noon_s + 3600.0, noon_s + 86_400.0)]
    assert since == ["12:00:00", "22 Nov 12:00:00"]


def test_a_rate_is_that_of_the_last_minute_and_begins_anew_with_another_file() -> None:
    rate = Rate()
    assert isnan(rate.add(0.0, 100))
    assert rate.add(10.0, 120) == pytest.approx(2.0)
    for second in range(20, 200, 10):
        latest = rate.add(float(second), 120 + 10 * (second - 10))
    assert latest == pytest.approx(10.0)
    assert isnan(rate.add(210.0, 3))


def test_rates_and_clock_are_read_from_the_guards_log(growing: FakedRun, open_monitor: OpenOn) -> None:
    growing.sample(10)
    fit = ClockFit(0.0, 0.0, 0.0, 50e-6, 1e-3, 2e-6, 0.0, 40)
    growing.log.clock_fit("potentiostat", fit, time_s=growing.time_s, wall_s=growing.wall_s)
    growing.log.commit()
    monitor = open_monitor(growing.run)
    view = monitor.until(lambda view: view.start_s > 0)
    clock = FastClock(1000.0)
    reader = HealthReader(growing.run, clock)
    reader.read(view)
    growing.sample(20)
    clock.sleep_until(1010.0)
    health = reader.read(view)
    assert health.rates_per_s["potentiostat"] == pytest.approx(2.0)
    assert health.clock is not None
    assert health.clock.drift_ppm == pytest.approx(50.0)
    assert texts(facts.clock_rows(view, health))[0][:3] == ["potentiostat", "+50.0 ± 2.0", "1.0 ms"]


def test_a_run_without_a_log_has_no_rates(tmp_path: Path, open_monitor: OpenOn) -> None:
    monitor = open_monitor(RunDirectory(tmp_path))
    view = monitor.until(lambda view: True)
    health = HealthReader(RunDirectory(tmp_path), FastClock(0.0)).read(view)
    assert health.clock is None
    assert all(isnan(rate) for rate in health.rates_per_s.values())


def test_the_page_shows_what_the_ledger_of_the_run_says(open_monitor: OpenOn, growing: FakedRun) -> None:
    growing.begin_tomogram("OCV", 1)
    growing.document("descriptor", uid="d", name="outcome", run_start="tomogram 1")
    outcome = {
        "outcome": "complete",
        "dead_time_phases": ["projections"],
        "dead_time_clock_s": [9.0],
        "dead_time_software_s": [0.25],
    }
    growing.document("event", descriptor="d", data=outcome)
    growing.end_tomogram(1)
    monitor = open_monitor(growing.run)
    monitor.window.show_page("Health")
    monitor.until(lambda view: len(view.ledger) == 1)
    shown = {
        item.text()
        for table in monitor.window.page.findChildren(QtWidgets.QTableWidget)
        for row in range(table.rowCount())
        for column in range(table.columnCount())
        if (item := table.item(row, column)) is not None
    }
    assert {"OCV", "complete", "0.25 s"} <= shown


def test_a_log_that_is_damaged_leaves_the_page_standing(tmp_path: Path, open_monitor: OpenOn) -> None:
    run = RunDirectory(tmp_path)
    CellLogWriter(run.cell_log).close()
    run.cell_log.write_bytes(b"no database" * 200)
    monitor = open_monitor(run)
    monitor.window.show_page("Health")
    monitor.until(lambda view: bool(view.problems))
