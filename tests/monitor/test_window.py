import json
import shutil
from collections.abc import Callable
from math import nan
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
from PySide6 import QtGui

from operando.model.cell_log import CellLogWriter
from operando.model.frames import FrameKind
from operando.model.run_directory import RunDirectory
from operando.monitor.history import history_reading
from operando.monitor.main import Picture, run_monitor
from operando.monitor.reading import run_reader
from operando.monitor.reading.run_view import Quantity
from tests.monitor.conftest import OpenMonitor
from tests.support.run_directories import START_S, FakedRun

OpenOn = Callable[[RunDirectory], OpenMonitor]


def test_a_finished_run_shows_all_samples_and_says_rehearsal_in_title_and_window(
    open_monitor: OpenOn, finished: RunDirectory
) -> None:
    monitor = open_monitor(finished)
    view = monitor.until(lambda view: len(view.measurements) == 25 and view.history_is_complete)
    assert all(len(trace) == 11_000 for trace in view.traces.values())
    assert view.ended == "success"
    assert [entry.exit_status for entry in view.tomograms] == ["success", "fail", "success", "success", "success"]
    assert "REHEARSAL" in monitor.window.windowTitle()
    assert "REHEARSAL" in monitor.texts


def test_figures_are_shown_with_unit_and_age(open_monitor: OpenOn, growing: FakedRun) -> None:
    growing.sample(3)
    monitor = open_monitor(growing.run)
    monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 3)
    shown = monitor.texts
    assert all(unit in shown for unit in (" V<", " µA<", " mAh<", " MPa<", " °C<", " d ago"))


def test_growth_of_every_file_shows_up(open_monitor: OpenOn, growing: FakedRun) -> None:
    monitor = open_monitor(growing.run)
    monitor.until(lambda view: view.rehearsal is True)
    growing.step("rest", "RUNNING")
    growing.sample(10)
    view = monitor.until(lambda view: len(view.traces[Quantity.PRESSURE]) == 10)
    assert (view.state, view.step) == ("RUNNING", "rest")
    growing.begin_tomogram("OCV", 1, num_projections=8)
    growing.expose(5)
    monitor.until(lambda view: view.running_tomogram is not None and view.running_tomogram.num_acquired == 5)
    assert "projections 5 of 8" in monitor.texts
    growing.expose(3)
    monitor.until(lambda view: view.running_tomogram is not None and view.running_tomogram.num_acquired == 8)
    growing.end_tomogram(1)
    growing.draw_preview("OCV", 1)
    replaced = growing.measure("OCV", "high_attenuation_volume", 5e3, "um3", 4e3)
    growing.measure("OCV", "high_attenuation_volume", 1e3, "um3", 5e2, replaces=replaced)
    growing.event("trip", "The voltage is 0.64 V, below min_voltage 0.65 V.")
    view = monitor.until(lambda view: view.trip != "" and len(view.measurements) == 1)
    assert view.measurements[0].text == "1000 ± 500"
    assert view.state == "TRIPPED"
    monitor.window.show_page("Inside")
    monitor.until(lambda view: "Preview · OCV" in monitor.texts)


def test_a_live_run_that_begins_after_the_window_was_opened_is_followed(open_monitor: OpenOn, tmp_path: Path) -> None:
    folder = tmp_path / "later"
    folder.mkdir()
    monitor = open_monitor(RunDirectory(folder))
    view = monitor.until(lambda view: True)
    assert view.rehearsal is None  # nothing says it yet, so neither word is claimed
    assert "REHEARSAL" not in monitor.window.windowTitle()
    faked = FakedRun(folder)
    faked.sample(2)
    monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 2 and view.rehearsal is True)
    faked.close()


def test_broken_files_are_named_and_the_rest_is_shown(open_monitor: OpenOn, growing: FakedRun) -> None:
    growing.sample(4)
    with growing.run.documents.open("a") as file:
        file.write('{"torn\n[1, 2, 3]\n["start", {"kind": "tomogram"}]\n"text"\n["start", 5]\n')
    growing.run.results.write_bytes(b'\xff\xfe{"\n["event", {"uid": "x", "data": {"value": "much"}}]\n')
    growing.run.schedule.write_text("5\n")
    growing.run.frames_file(1, FrameKind.PROJECTION).write_bytes(b"no HDF5")
    growing.document("start", uid="t", kind="tomogram", tomogram="OCV", attempt=1, num_projections=4)
    (growing.run.report / "0001_OCV.png").write_bytes(b"\x89PNG no picture")
    (growing.run.volume(1)).mkdir()
    (growing.run.volume(1) / "region.h5").write_bytes(b"\x89HDF no volume")
    monitor = open_monitor(growing.run)
    view = monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 4 and len(view.tomograms) == 1)
    assert any("documents.jsonl: 1 damaged" in problem for problem in view.problems)
    assert any("not understood" in problem for problem in view.problems)
    assert view.running_tomogram is not None
    assert view.running_tomogram.num_acquired == 0


def test_a_log_that_is_no_database_is_named(open_monitor: OpenOn, tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.cell_log.write_text("this is not a database, it is only long enough to look like one " * 20)
    run.documents.mkdir()
    view = open_monitor(run).until(lambda view: len(view.problems) == 2)
    assert any(problem.startswith("cell.sqlite: cannot be read") for problem in view.problems)


def test_a_log_that_disappears_is_told_and_what_was_read_stays(open_monitor: OpenOn, growing: FakedRun) -> None:
    growing.sample(30)
    monitor = open_monitor(growing.run)
    monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 30)
    growing.log.close()
    growing.run.cell_log.rename(growing.run.path / "moved.sqlite")
    view = monitor.until(lambda view: any("cell.sqlite: is gone" in problem for problem in view.problems))
    assert len(view.traces[Quantity.VOLTAGE]) == 30
    (growing.run.path / "moved.sqlite").rename(growing.run.cell_log)
    growing.log = CellLogWriter(growing.run.cell_log)
    growing.sample(5)
    view = monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 35)
    assert view.problems == ()
    assert [event.text for event in view.events] == ["Started."]


def test_another_log_in_the_place_of_the_first_is_shown_instead(open_monitor: OpenOn, growing: FakedRun) -> None:
    growing.sample(30)
    monitor = open_monitor(growing.run)
    monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 30)
    growing.log.close()
    growing.run.cell_log.unlink()
    growing.log = CellLogWriter(growing.run.cell_log)
    growing.event("guard", "Another guard.")
    growing.sample(7)
    view = monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 7)
    assert [event.text for event in view.events] == ["Another guard."]


def test_missing_values_leave_a_gap_and_a_dash(open_monitor: OpenOn, growing: FakedRun) -> None:
    growing.sample(2)
    growing.sample(1, voltage_v=nan, quality="NAN")
    monitor = open_monitor(growing.run)
    view = monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 3)
    assert np.isnan(view.traces[Quantity.VOLTAGE].values[-1])
    assert "–" in monitor.texts
    assert "NOT A NUMBER" in monitor.texts


def test_reading_again_takes_only_what_is_new(open_monitor: OpenOn, growing: FakedRun) -> None:
    growing.sample(3)
    monitor = open_monitor(growing.run)
    first = monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 3)
    growing.sample(2)
    second = monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 5)
    assert len(first.traces[Quantity.VOLTAGE]) == 3  # a snapshot does not change under the one who draws it
    assert np.array_equal(second.traces[Quantity.VOLTAGE].times_s[:3], first.traces[Quantity.VOLTAGE].times_s)


def test_the_picture_of_the_window_is_drawn_without_a_display(
    finished: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    png = tmp_path / "monitor.png"
    assert run_monitor(finished, Picture(png)) == 0
    image = QtGui.QImage(str(png))
    assert (image.width(), image.height()) == (1366, 768)
    banner = image.pixelColor(30, 20)
    assert banner.red() > 200 > banner.blue()  # the yellow of a rehearsal


def test_a_picture_that_cannot_be_saved_is_a_failure(
    finished: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert run_monitor(finished, Picture(tmp_path / "missing" / "monitor.png")) == 1


def test_a_run_of_which_there_is_more_to_read_is_not_settled(
    open_monitor: OpenOn, finished: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_reader, "LINES_BUDGET_S", 0.0)  # one line of each file at a time
    monitor = open_monitor(finished)
    early = monitor.until(lambda view: not view.lines_are_read)
    monitor.window.refresh()
    assert not monitor.window.is_settled
    assert "Still reading" in monitor.window.statusBar().currentMessage()
    last = monitor.until(lambda _: monitor.window.is_settled)
    assert len(early.tomograms) < len(last.tomograms)
    assert last.lines_are_read


def test_the_history_is_not_settled_while_there_is_more_of_the_results(
    open_monitor: OpenOn, finished: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = open_monitor(finished).until(lambda view: view.history_is_complete and view.lines_are_read)
    monkeypatch.setattr(history_reading, "LINES_BUDGET_S", 0.0)
    reading = history_reading.HistoryReading(finished)
    settled: list[bool] = []
    while not any(settled):
        settled.append(reading.read(view, history_reading.Wanted()).settled)
    assert len(settled) > len(view.measurements) > 0


def test_a_replay_is_named_as_one_and_never_as_a_simulated_cell(open_monitor: OpenOn, growing: FakedRun) -> None:
    growing.document("start", uid="o2", kind="experiment", name="replay", rehearsal=True, experiment={"schedule": []})
    monitor = open_monitor(growing.run)
    monitor.until(lambda view: view.recorded)
    assert "REHEARSAL (REPLAY)" in monitor.window.windowTitle()
    assert "replay of a recorded scan" in monitor.texts
    assert "simulated" not in monitor.texts


def test_tomograms_stand_where_the_schedule_says_because_documents_are_stamped_by_the_host(
    open_monitor: OpenOn, growing: FakedRun
) -> None:
    growing.step("rest", "RUNNING")
    growing.sample(100)
    tomogram = {"entry": "tomogram", "name": "OCV", "attempt": 1}
    growing.schedule.append({"time": growing.time_s - 60.0, "event": "intent", **tomogram})
    growing.schedule.append({"time": growing.time_s - 10.0, "event": "outcome", "outcome": "complete", **tomogram})
    growing.document("start", uid="t", kind="tomogram", tomogram="OCV", attempt=1, num_projections=4, time=START_S + 5)
    growing.document("stop", uid="s", run_start="t", exit_status="success", reason="", time=START_S + 9)
    monitor = open_monitor(growing.run)
    (shown,) = monitor.until(lambda view: bool(view.tomograms) and len(view.events) > 0).tomograms
    assert (shown.start_s, shown.stop_s) == (growing.time_s - 60.0, growing.time_s - 10.0)


def test_a_silent_guard_is_marked_until_the_run_has_ended(open_monitor: OpenOn, growing: FakedRun) -> None:
    growing.sample(1)  # stamped years ago by the host's clock
    monitor = open_monitor(growing.run)
    monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 1)
    assert "SILENT" in monitor.texts
    growing.document("stop", uid="outer stop", run_start="outer", exit_status="success", reason="")
    monitor.until(lambda view: view.ended == "success")
    assert "SILENT" not in monitor.texts


def test_a_run_directory_that_disappears_leaves_the_window_with_what_it_had(
    open_monitor: OpenOn, tmp_path: Path
) -> None:
    growing = FakedRun(tmp_path / "short lived")
    growing.sample(20)
    monitor = open_monitor(growing.run)
    monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 20)
    growing.close()
    shutil.rmtree(growing.run.path)
    for page in monitor.window.pages:
        monitor.window.show_page(page.title)
        monitor.until(lambda view: any("is gone" in problem for problem in view.problems))
    assert len(monitor.until(lambda view: True).traces[Quantity.VOLTAGE]) == 20


def test_a_run_copied_from_another_computer_opens_the_same_way(
    open_monitor: OpenOn, finished: RunDirectory, tmp_path: Path
) -> None:
    copy = RunDirectory(tmp_path / "brought home")
    shutil.copytree(finished.path, copy.path)
    copy.processes.mkdir(exist_ok=True)
    (copy.processes / "guard.pid").write_text('{"role": "guard", "pid": 1, "create_time": 5.0, "host": "hutch-2"}')
    monitor = open_monitor(copy)
    view = monitor.until(lambda view: len(view.measurements) == 25 and view.history_is_complete)
    assert view.ended == "success"
    assert "DIED" not in monitor.texts


def test_a_journal_of_a_million_lines_does_not_delay_the_first_figures(open_monitor: OpenOn, growing: FakedRun) -> None:
    growing.sample(3)
    frame = json.dumps(["stream_datum", {"uid": "x", "indices": {"start": 0, "stop": 1}, "descriptor": "d" * 200}])
    note = json.dumps(["event", {"descriptor": "none", "data": {"step": "rest"}}])
    with growing.run.documents.open("a") as file:
        file.write((f"{frame}\n" * 3 + f"{note}\n") * 50_000)
    growing.document("start", uid="t", kind="tomogram", tomogram="last", attempt=1, num_projections=4)
    begin_s = monotonic()
    monitor = open_monitor(growing.run)
    monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 3)
    assert monotonic() - begin_s < 3.0
    view = monitor.until(lambda view: bool(view.tomograms))
    assert view.tomograms[0].name == "last"
