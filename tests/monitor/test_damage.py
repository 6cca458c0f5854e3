import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PySide6 import QtCore, QtWidgets

from operando.model.cell_log import CellLogWriter
from operando.model.preview_slices import read_preview, write_preview
from operando.model.run_directory import RunDirectory
from operando.monitor.health.page import HealthPage
from operando.monitor.main import Picture, run_monitor
from operando.monitor.reading.run_view import Figure, Quantity, RunView, age_text
from operando.monitor.theme import Theme
from tests.monitor.conftest import OpenMonitor
from tests.monitor.inside.test_slices_view import GROWING
from tests.support.run_directories import FakedRun

OpenOn = Callable[[RunDirectory], OpenMonitor]
FILES = ("experiment.toml", "beamline.toml", "documents.jsonl", "schedule.jsonl", "results.jsonl", "cell.sqlite")


def test_a_pipe_in_the_place_of_any_file_keeps_nobody_waiting(open_monitor: OpenOn, tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    for folder in (run.processes, run.frames, run.volume(1), run.report):
        folder.mkdir(parents=True)
    beside = run.processes / "guard.pid", run.preview(1), run.report / "0001_OCV.png", run.volume(1) / "region.h5"
    for path in (*(run.path / name for name in FILES), *beside):
        os.mkfifo(path)
    monitor = open_monitor(run)
    for page in monitor.window.pages:
        monitor.window.show_page(page.title)
        monitor.until(lambda view: any("no ordinary file" in problem for problem in view.problems))


def test_one_impossible_pid_does_not_hide_the_run(open_monitor: OpenOn, growing: FakedRun) -> None:
    growing.sample(3)
    (growing.run.processes / "guard.pid").write_text('{"pid": Infinity, "create_time": 1}')
    (growing.run.processes / "analysis.pid").write_text(json.dumps({"pid": -5, "create_time": 1.0}))
    (growing.run.processes / "acquisition.pid").write_text(json.dumps({"pid": 2**22 + 1, "create_time": 1.0}))
    view = open_monitor(growing.run).until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 3)
    assert [process.role for process in view.processes] == ["acquisition"]


def test_an_impossible_number_in_a_document_is_left_out_and_the_rest_is_shown(
    open_monitor: OpenOn, growing: FakedRun
) -> None:
    growing.document("start", uid="odd", kind="tomogram", tomogram="odd", attempt=float("inf"), num_projections=1)
    growing.sample(3)
    view = open_monitor(growing.run).until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 3)
    assert any("not understood" in problem for problem in view.problems)


def test_a_disk_that_does_not_answer_is_told_and_figures_grow_old(
    open_monitor: OpenOn, growing: FakedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = open_monitor(growing.run)
    growing.wall_s = monitor.window._clock.now()
    growing.sample(1)
    view = monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 1)
    assert "SILENT" not in monitor.texts
    gate = threading.Event()
    monkeypatch.setattr(monitor.window._reader, "update", lambda: gate.wait() and view)
    later_s = monitor.window._clock.now() + 1000.0
    monitor.until(lambda _: monitor.window._run_reading.busy_s(later_s) > 900.0)
    monkeypatch.setattr(monitor.window._clock, "now", lambda: later_s)
    monitor.window._tick()
    try:
        assert "nothing newer is known" in monitor.window.statusBar().currentMessage()
        assert "SILENT" in monitor.texts
    finally:
        gate.set()


def test_a_page_that_cannot_be_drawn_says_so_and_the_banner_goes_on(
    open_monitor: OpenOn, growing: FakedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = open_monitor(growing.run)

    def fail(*_: object) -> None:
        raise OverflowError("too large")

    monkeypatch.setattr(monitor.window.page, "show_run", fail)
    monitor.until(lambda view: view.rehearsal is True)
    assert "Now cannot be drawn (OverflowError: too large)" in monitor.window.statusBar().currentMessage()
    assert "REHEARSAL" in monitor.texts


def test_markup_in_names_and_reasons_is_shown_as_it_is_written(open_monitor: OpenOn, growing: FakedRun) -> None:
    wicked = '<img src="x.png"><h1>big</h1>'
    growing.document("start", uid="outer 2", kind="experiment", name=wicked, rehearsal=True)
    growing.begin_tomogram(wicked, 1)
    growing.end_tomogram(1, exit_status="fail", reason=wicked)
    growing.measure(wicked, "voltage", 1.0, wicked, 0.1)
    growing.event("trip", wicked)
    monitor = open_monitor(growing.run)
    for page in monitor.window.pages:
        monitor.window.show_page(page.title)
        monitor.until(lambda view: bool(view.measurements) and bool(view.trip))
        shown = [label for label in page.findChildren(QtWidgets.QLabel) if wicked in label.text()]
        assert all(label.textFormat() is QtCore.Qt.TextFormat.PlainText for label in shown)
    told = [label for label in monitor.window.findChildren(QtWidgets.QLabel) if wicked in label.text()]
    assert told  # the banner
    assert all(label.textFormat() is QtCore.Qt.TextFormat.PlainText for label in told)


def test_another_run_in_the_same_folder_is_shown_as_if_the_first_had_never_been(
    open_monitor: OpenOn, growing: FakedRun, tmp_path: Path
) -> None:
    growing.begin_tomogram("OCV", 1)
    growing.end_tomogram(1)
    growing.sample(3)
    growing.event("trip", "The voltage is 0.64 V.")
    monitor = open_monitor(growing.run)
    monitor.until(lambda view: bool(view.trip) and len(view.tomograms) == 1)
    growing.run.path.rename(tmp_path / "elsewhere")
    monitor.until(lambda view: sum("is gone" in problem for problem in view.problems) >= 2)
    other = FakedRun(growing.run.path)
    other.document("start", uid="outer", kind="experiment", name="another", rehearsal=False)
    other.sample(1)
    view = monitor.until(lambda view: view.name == "another" and len(view.traces[Quantity.VOLTAGE]) == 1)
    assert (view.trip, view.state, view.tomograms, view.situation.alarms) == ("", "STARTING", (), ())
    assert (view.rehearsal, view.problems) == (False, ())
    other.close()


@pytest.mark.parametrize("file", ["documents.jsonl", "schedule.jsonl", "results.jsonl"])
def test_a_file_that_was_cut_off_is_read_from_its_beginning(open_monitor: OpenOn, growing: FakedRun, file: str) -> None:
    growing.begin_tomogram("OCV", 1)
    growing.step("rest", "RUNNING")
    growing.measure("OCV", "voltage", 1.0, "V", 0.1)

    def is_whole(view: RunView) -> bool:
        step = view.situation.step
        return bool(view.measurements and view.tomograms and step and isfinite(step.begun_s))

    monitor = open_monitor(growing.run)
    monitor.until(is_whole)
    os.truncate(growing.run.path / file, 0)
    monitor.until(lambda view: not is_whole(view))


def test_a_log_that_somebody_holds_alone_keeps_nothing_else_from_being_seen(
    open_monitor: OpenOn, growing: FakedRun
) -> None:
    growing.sample(3)
    growing.log.close()
    held = sqlite3.connect(growing.run.cell_log, isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")
    growing.document("start", uid="t", kind="tomogram", tomogram="OCV", attempt=1, num_projections=1)
    monitor = open_monitor(growing.run)
    view = monitor.until(lambda view: len(view.tomograms) == 1, timeout_s=2.0)
    assert any("locked" in problem for problem in view.problems)
    held.execute("ROLLBACK")
    held.close()
    growing.log = CellLogWriter(growing.run.cell_log)
    monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 3 and view.problems == ())


def test_what_the_guard_wrote_before_and_after_a_damaged_character_is_shown(
    open_monitor: OpenOn, growing: FakedRun
) -> None:
    growing.event("note", "a DAMAGED note")
    growing.event("trip", "The voltage is 0.64 V.")
    growing.log._database.execute("UPDATE events SET text = CAST(x'61ff62' AS TEXT) WHERE kind = 'note'")
    view = open_monitor(growing.run).until(lambda view: bool(view.trip))
    assert [event.text for event in view.events if event.kind == "note"] == ["a\ufffdb"]


def test_a_line_without_end_delays_nothing(open_monitor: OpenOn, growing: FakedRun) -> None:
    for path in (growing.run.documents, growing.run.schedule, growing.run.results):
        with path.open("ab") as file:
            file.truncate(file.tell() + 2 * 10**9)  # takes no room on the disk
    monitor = open_monitor(growing.run)
    growing.sample(1)
    monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 1, timeout_s=5.0)
    growing.sample(1)
    monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 2, timeout_s=5.0)
    assert "damaged" in monitor.window.statusBar().currentMessage()


def test_huge_files_in_the_place_of_small_ones_are_not_read(open_monitor: OpenOn, growing: FakedRun) -> None:
    (growing.run.processes / "guard.pid").touch()
    growing.run.documents.unlink()
    for path in (growing.run.processes / "guard.pid", growing.run.beamline, growing.run.experiment):
        os.truncate(path, 10**12)
    growing.sample(1)
    monitor = open_monitor(growing.run)
    view = monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 1)
    assert any("allowed are" in problem for problem in view.problems)
    assert view.processes == ()


def test_slices_with_an_impossible_voxel_size_are_not_drawn(open_monitor: OpenOn, growing: FakedRun) -> None:
    growing.begin_tomogram("OCV", 1)
    growing.run.volume(1).mkdir()
    write_preview(growing.run.preview(1), GROWING)
    with h5py.File(growing.run.preview(1), "r+") as file:
        file.attrs["voxel_size_um"] = np.inf
    with pytest.raises(ValueError, match="voxel size of inf"):
        read_preview(growing.run.preview(1))
    monitor = open_monitor(growing.run)
    monitor.window.show_page("inside")
    monitor.until(lambda view: view.running_tomogram is not None and view.rehearsal is True)
    monitor.window.grab()
    assert "cannot be drawn" not in monitor.window.statusBar().currentMessage()


def test_samples_whose_age_nobody_knows_are_not_fresh(open_monitor: OpenOn, growing: FakedRun) -> None:
    view = open_monitor(growing.run).until(lambda view: view.rehearsal is True)
    assert not view.is_stale(Figure(1.0, wall_s=1000.0, period_s=1.0), 1001.0)
    assert view.is_stale(Figure(1.0, wall_s=9000.0, period_s=1.0), 1000.0)  # a clock was set back
    assert view.is_stale(Figure(1.0, period_s=1.0), 1000.0)
    assert age_text(-300.0) == "5 min ahead of this clock"


def test_a_picture_that_cannot_be_written_says_which(
    finished: RunDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str], qapp: QtWidgets.QApplication
) -> None:
    del qapp
    assert run_monitor(finished, Picture(tmp_path / "nowhere" / "a.png")) == 1
    assert "a.png could not be written" in capsys.readouterr().err


def test_without_a_display_a_sentence_says_what_to_do(finished: RunDirectory) -> None:
    ended = _opened(finished, QT_QPA_PLATFORM="xcb").communicate(timeout=30)
    assert "operando watch" in ended[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_the_window_in_order(finished: RunDirectory, number: int) -> None:
    window = _opened(finished, QT_QPA_PLATFORM="offscreen", QT_LOGGING_RULES="*.warning=false")
    assert window.stdout is not None
    assert window.stdout.readline() == "open\n"
    window.send_signal(number)
    _, told = window.communicate(timeout=20)
    assert (window.returncode, told) == (0, "")


OPEN = """
import signal, sys
from pathlib import Path
from operando.model.run_directory import RunDirectory
from operando.monitor.main import run_monitor
from operando.monitor.window import MonitorWindow
class Told(MonitorWindow):
    def _take_view(self, view):
        super()._take_view(view)
        print("open", flush=True)
import operando.monitor.window
operando.monitor.window.MonitorWindow = Told
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(run_monitor(RunDirectory(Path(sys.argv[1]))))
"""


def _opened(run: RunDirectory, **environment: str) -> subprocess.Popen[str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.Popen(
        [sys.executable, "-c", OPEN, str(run.path)],
        env={**kept, "XDG_CONFIG_HOME": str(run.path.parent / "settings"), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_time_that_cannot_be_does_not_make_the_window_wider(open_monitor: OpenOn, growing: FakedRun) -> None:
    growing.sample(3)
    growing.event("limit", "The temperature is 46 degC.")
    for table in ("potentiostat", "load_cell", "temperature", "events"):
        growing.log._database.execute(
            f"UPDATE {table} SET time_s = 1e308, wall_s = -1e308 WHERE id = (SELECT max(id) FROM {table})"
        )
    monitor = open_monitor(growing.run)
    monitor.window.show()
    for page in monitor.window.pages:
        monitor.window.show_page(page.title)
        monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 3 and len(view.situation.alarms) == 1)
        monitor.window.grab()
        assert monitor.window.width() == 1366
    assert age_text(1e308) == "at an impossible time"


def test_a_number_after_which_no_file_can_be_named_is_no_attempt(open_monitor: OpenOn, growing: FakedRun) -> None:
    growing.document("start", uid="odd", kind="tomogram", tomogram="odd", attempt=10**300, num_projections=1)
    growing.begin_tomogram("OCV", 1)
    monitor = open_monitor(growing.run)
    view = monitor.until(lambda view: len(view.tomograms) > 0)
    assert [tomogram.name for tomogram in view.tomograms] == ["OCV"]
    monitor.window.toggle_theme()


def test_what_was_read_and_cannot_be_drawn_is_told_also_in_the_other_theme(
    open_monitor: OpenOn, growing: FakedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OverflowError("too large")

    monitor = open_monitor(growing.run)
    monitor.window.show_page("health")
    monitor.until(lambda view: view.rehearsal is True)
    for name in ("show_read", "choose_again"):
        monkeypatch.setattr(HealthPage, name, fail)
    monitor.window.toggle_theme()
    monitor.until(lambda _: "Health cannot be drawn (OverflowError" in monitor.window.statusBar().currentMessage())


def test_a_log_that_cannot_be_read_is_not_taken_for_an_empty_one(open_monitor: OpenOn, growing: FakedRun) -> None:
    growing.event("trip", "The voltage is 0.64 V.")
    growing.log.close()
    (root,) = sqlite3.connect(growing.run.cell_log).execute("SELECT rootpage FROM sqlite_master WHERE name = 'events'")
    with growing.run.cell_log.open("r+b") as file:
        file.seek((root[0] - 1) * 4096)
        file.write(b"\xa5" * 4096)
    monitor = open_monitor(growing.run)
    monitor.until(lambda view: any("malformed" in problem for problem in view.problems))
    assert "the guard's log cannot be read" in monitor.texts
    assert "nothing logged yet" not in monitor.texts
    growing.log = CellLogWriter(growing.run.path / "another.sqlite")


@pytest.mark.parametrize("theme", Theme)
def test_no_page_makes_qt_warn(open_monitor: OpenOn, finished: RunDirectory, qtlog: Any, theme: Theme) -> None:
    monitor = open_monitor(finished)
    if theme is Theme.LIGHT:
        monitor.window.toggle_theme()
    monitor.window.show()
    for page in monitor.window.pages:
        monitor.window.show_page(page.title)
        monitor.until(lambda view: view.history_is_complete and len(view.tomograms) == 5)
        monitor.window.grab()
    told = [record.message for record in qtlog.records if "propagateSizeHints" not in record.message]  # no display
    assert told == []


def test_a_run_that_is_a_link_to_itself_and_a_terminal_that_knows_few_signs_end_without_a_traceback(
    tmp_path: Path, finished: RunDirectory
) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (tmp_path / "loop", finished.path):
        watched = subprocess.run(
            [sys.executable, "-m", "operando.monitor", "watch", str(path), "--once"],
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (watched.returncode, watched.stderr) == (0, "")
        assert "voltage" in watched.stdout
