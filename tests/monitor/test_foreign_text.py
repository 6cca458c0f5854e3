"""Names, reasons and notes that nobody foresaw: as long, as strange and as wicked as a file can hold."""

from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from typing import Any

import pytest
from PySide6 import QtCore, QtWidgets
from rich.console import Console

from operando.model.run_directory import RunDirectory
from operando.monitor.reading.shown_text import shown_name, shown_text
from operando.monitor.tool_tip import plain_tip
from operando.monitor.watch import essentials
from tests.monitor.conftest import OpenMonitor
from tests.support.run_directories import FakedRun

OpenOn = Callable[[RunDirectory], OpenMonitor]
SMALLEST_PX = 1366, 768
FOREIGN = {
    "a word of 10 kB": "x" * 10_000,
    "10 kB of words": "abc de " * 1400,
    "markup": '<img src="x.png"><b>&amp;</b>[/red][bold]',
    "several lines": "one\ntwo\r\nthree\u2028four" * 5,
    "turned round": "\u202eabc \u2067\u0627\u0644\u0639",
    "half characters and a terminal's commands": "\ud800\x1b[2J\x00\x07",
}


def written_everywhere(run: FakedRun, text: str) -> None:
    """Write a text wherever the run has room for one, but into the guard's log only what SQLite takes."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    run.document("start", uid="outer 2", kind="experiment", name=text, rehearsal=True)
    run.document("start", uid="t", kind="tomogram", tomogram=f"A{text}", attempt=1, num_projections=10)
    run.document("descriptor", uid="d", run_start="t", name="outcome")
    costs = {"dead_time_phases": [text], "dead_time_clock_s": [1.0], "dead_time_software_s": [0.5]}
    camera = {"camera_clock_behind_s": 0.1}
    run.document("event", uid="e", descriptor="d", data={"outcome": text, **costs, **camera})
    run.document("stop", uid="s", run_start="t", exit_status=text, reason=text)
    run.step(text, whole)
    for kind in ("limit", "trip", "note", whole):
        run.event(kind, whole)
    run.sample(3, quality=whole)
    flags: Any = [text]
    for tomogram in ("A", "B"):
        data = {"tomogram": tomogram + text, "name": "voltage", "value": 1.0, "unit": "V", "flags": flags}
        run.results.append(["event", {"uid": tomogram, "descriptor": "d", "data": data}], durable=False)
    run.results.append(["event", {"uid": "C", "data": {**data, "name": text, "unit": text}}], durable=False)
    run.results.flush()


@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN)
def test_no_text_of_a_run_widens_the_window_hides_the_values_or_is_markup(
    open_monitor: OpenOn, growing: FakedRun, text: str
) -> None:
    written_everywhere(growing, text)
    monitor = open_monitor(growing.run)
    monitor.window.show()
    for page in monitor.window.pages:
        monitor.window.show_page(page.title)
        monitor.until(lambda view: len(view.measurements) == 3 and bool(view.trip))
        monitor.window.grab()
        needed = monitor.window.minimumSizeHint()
        assert (needed.width() <= SMALLEST_PX[0], needed.height() <= SMALLEST_PX[1]) == (True, True), page.title
        assert "cannot be drawn" not in monitor.window.statusBar().currentMessage()
    assert "REHEARSAL" in monitor.window._content._banner.text()
    for table in monitor.window.findChildren(QtWidgets.QTableWidget):
        assert all(table.columnWidth(column) <= 200 for column in range(table.columnCount() - 1))
    for label in monitor.window.findChildren(QtWidgets.QLabel):
        if label.textFormat() is not QtCore.Qt.TextFormat.PlainText:
            assert "<img" not in label.text()


@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN)
def test_a_terminal_shows_any_text_and_obeys_none(open_monitor: OpenOn, growing: FakedRun, text: str) -> None:
    written_everywhere(growing, text)
    view = open_monitor(growing.run).until(lambda view: len(view.measurements) == 3)
    written = BytesIO()
    with TextIOWrapper(written, encoding="utf-8") as file:
        Console(file=file, width=100, force_terminal=False).print(essentials(view, growing.wall_s))
        file.flush()
        shown = written.getvalue().decode()
    assert "voltage" in shown
    assert "\x1b" not in shown


def test_tool_tips_are_as_they_are_written() -> None:
    assert plain_tip("<b>a</b>\nb & c") == "<qt>&lt;b&gt;a&lt;/b&gt;<br>b &amp; c</qt>"
    assert plain_tip("") == ""


def test_texts_are_cut_and_what_is_no_sign_becomes_a_space() -> None:
    assert shown_text("5 µm: done") == "5 µm: done"
    assert shown_text("a\nb\u202ec\ud800") == "a b c "
    assert shown_name("x" * 64) == "x" * 64
    assert shown_name("x" * 65) == "x" * 63 + "…"
