from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6 import QtCore, QtGui, QtTest, QtWidgets

from operando.model.run_directory import RunDirectory
from operando.monitor.history.page import HistoryPage
from operando.monitor.history.time_range import HOUR_S, RangeChoice
from operando.monitor.history.view_choice import AxisChoice, ViewChoice
from operando.monitor.reading.run_view import Quantity, RunView
from tests.monitor.conftest import OpenMonitor
from tests.support.run_directories import PERIOD_S, START_S, FakedRun

OpenOn = Callable[[RunDirectory], OpenMonitor]
EXPERIMENT = '[experiment]\nname = "cus_26mpa"\n[cell]\nactive_mass = "1.152 mg"\n'
DISCHARGE_BEGIN_S, CHARGE_BEGIN_S = START_S + 24 * HOUR_S, START_S + 74 * HOUR_S


class Shown:
    """A window turned to the history."""

    def __init__(self, monitor: OpenMonitor) -> None:
        self.monitor = monitor
        monitor.window.show()
        monitor.window.show_page("History")
        page = monitor.window.page
        assert isinstance(page, HistoryPage)
        self.page: Any = page

    def until(self, wanted: Callable[[RunView], bool]) -> None:
        """Wait for a view whose history is complete, and for what the page itself has read then."""
        self.monitor.until(lambda view: view.history_is_complete and wanted(view))

    @property
    def range_s(self) -> tuple[float, float]:
        """Since the run began."""
        begin_s, end_s = self.page._traces.range_s
        return begin_s - START_S, end_s - START_S

    def button(self, text: str) -> QtWidgets.QPushButton:
        buttons: list[QtWidgets.QPushButton] = self.page.findChildren(QtWidgets.QPushButton)
        return next(button for button in buttons if button.text() == text)

    def click(self, text: str) -> None:
        self.button(text).click()

    def curve(self, quantity: Quantity) -> tuple[Any, Any]:
        x, y = self.page._traces._curves[quantity]._samples.getData()
        return x, y


@pytest.fixture
def opened(open_monitor: OpenOn) -> Callable[[RunDirectory], Shown]:
    return lambda run: Shown(open_monitor(run))


@pytest.fixture
def done(opened: Callable[[RunDirectory], Shown], finished: RunDirectory) -> Shown:
    shown = opened(finished)
    shown.until(lambda view: len(shown.page._read.half_cycles) == 2)
    return shown


def test_voltage_current_and_pressure_are_shown_first_and_others_are_chosen(done: Shown) -> None:
    traces = done.page._traces
    assert traces.quantities == (Quantity.VOLTAGE, Quantity.CURRENT, Quantity.PRESSURE)
    done.click("Temperature")
    done.click("Current")
    assert traces.quantities == (Quantity.VOLTAGE, Quantity.PRESSURE, Quantity.TEMPERATURE)
    assert np.nanmax(done.curve(Quantity.TEMPERATURE)[1]) == pytest.approx(25.2, abs=0.01)
    for name in ("Voltage", "Pressure"):
        done.click(name)
    done.click("Temperature")  # the last one stays
    assert traces.quantities == (Quantity.TEMPERATURE,)
    assert done.button("Temperature").isChecked()


def test_plots_are_linked_and_labelled_with_units(done: Shown) -> None:
    traces = done.page._traces
    done.page._traces.set_range_s((START_S + 10 * HOUR_S, START_S + 20 * HOUR_S))
    done.monitor.window.grab()
    ranges = [traces._plots[quantity].getViewBox().viewRange()[0] for quantity in traces.quantities]
    ranges.append(traces._strip_plot.getViewBox().viewRange()[0])
    assert np.ptp(np.array(ranges), axis=0) == pytest.approx([0.0, 0.0], abs=1e-6)
    labels = [traces._plots[quantity].getAxis("left").labelText for quantity in traces.quantities]
    assert labels == ["voltage<br>[V]", "current<br>[µA]", "pressure<br>[MPa]"]
    last = traces._plots[Quantity.PRESSURE].getAxis("bottom")
    assert last.labelText == "time since start of run on the rehearsal's clock [h]"


def test_numbers_at_axes_are_those_of_the_plot_whatever_the_size_and_what_is_chosen(done: Shown) -> None:
    plots = done.page._traces
    done.page.choose_quantities(tuple(Quantity))
    for size_px in ((2732, 1536), (1366, 768)):
        done.monitor.window.resize(*size_px)
        done.monitor.window.grab()
        axes = [plots._plots[quantity].getAxis(name) for quantity in Quantity for name in ("left", "bottom")]
        assert {axis.autoSIPrefixScale for axis in axes} == {1.0}
    charge = plots._plots[Quantity.CHARGE].getAxis("left")
    low_mah, high_mah = charge.range
    assert low_mah == pytest.approx(-0.576, abs=0.1)
    shown = [float(text) for _, texts in _ticks(charge) for text in texts]
    assert all(low_mah <= number <= high_mah for number in shown)
    assert -0.4 in shown


def _ticks(axis: Any) -> list[tuple[float, list[str]]]:
    """Return the numbers at an axis as pyqtgraph writes them."""
    levels = axis.tickValues(*axis.range, 100)[:1]
    return [
        (spacing, axis.tickStrings(values, axis.autoSIPrefixScale * axis.scale, spacing)) for spacing, values in levels
    ]


def test_tomograms_have_bars_and_names_and_events_have_signs(done: Shown) -> None:
    strip = done.page._traces.strip
    done.monitor.window.grab()
    assert sorted(strip.names) == sorted(["OCV", "D1.7V", "D1.2V", "D0.7V", "C2.5V"])
    assert [mark.text for mark in done.page._read.marks] == [
        "step begun: rest",
        "step begun: discharge",
        "step begun: charge",
        "limit: The temperature is 45.3 degC, above max_temperature 45 degC.",
    ]
    near = strip.texts_near(START_S + 0.3625 * 11_000 * PERIOD_S, 1.0)
    assert near == ["tomogram D1.7V: partial (3 of 360 lost)"]


def test_a_tomogram_that_is_taken_has_a_bar_until_now(
    opened: Callable[[RunDirectory], Shown], growing: FakedRun
) -> None:
    growing.sample(10)
    growing.begin_tomogram("OCV", 1)
    shown = opened(growing.run)
    growing.sample(10)
    shown.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 20)
    bars = shown.page._traces.strip._bars.opts
    assert (bars["x1"][0] - bars["x0"][0]) * 60.0 == pytest.approx(10 * PERIOD_S)
    assert shown.page._traces.strip.texts_near(growing.time_s, 0.0) == ["tomogram OCV: being taken"]


def test_the_last_hour_follows_new_samples_until_somebody_moves_it(
    opened: Callable[[RunDirectory], Shown], growing: FakedRun
) -> None:
    growing.sample(200)
    shown = opened(growing.run)
    shown.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 200)
    shown.click("Last hour")
    assert shown.range_s == pytest.approx((200 * PERIOD_S - HOUR_S, 200 * PERIOD_S), abs=0.02 * HOUR_S)
    growing.sample(60)
    shown.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 260)
    assert shown.range_s == pytest.approx((260 * PERIOD_S - HOUR_S, 260 * PERIOD_S), abs=0.02 * HOUR_S)
    shown.page._move(pan=-0.5)
    held = shown.range_s
    assert not shown.button("Follow").isChecked()
    assert not shown.button("Last hour").isChecked()
    growing.sample(60)
    shown.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 320)
    assert shown.range_s == held
    shown.click("Follow")
    assert shown.range_s[1] == pytest.approx(320 * PERIOD_S)
    growing.sample(60)
    shown.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 380)
    assert shown.range_s[1] == pytest.approx(380 * PERIOD_S)
    assert shown.range_s[1] - shown.range_s[0] == pytest.approx(held[1] - held[0])


def test_a_cycle_is_chosen_from_a_list_that_grows(done: Shown) -> None:
    cycles = done.page.findChild(QtWidgets.QComboBox)
    assert [cycles.itemText(index) for index in range(cycles.count())] == ["Cycle ...", "Cycle 1"]
    cycles.setCurrentIndex(1)
    cycles.activated.emit(1)
    assert done.range_s[0] == pytest.approx(24 * HOUR_S, abs=HOUR_S)
    assert done.page._stretch.choice is RangeChoice.CYCLE
    done.click("Since start")
    assert cycles.currentIndex() == 0
    assert done.range_s[0] == pytest.approx(0.0, abs=HOUR_S)


def test_the_cursor_tells_all_samples_nearest_to_it_with_time_unit_and_what_lies_there(done: Shown) -> None:
    done.page._traces.pointed.emit(DISCHARGE_BEGIN_S + 25 * HOUR_S)
    values = done.page._notes.texts[0]
    for part in ("49.000 h", "on the rehearsal's clock", "1.5750 V", "-11.52 µA", "-0.2880 mAh", "20.50 MPa", "25."):
        assert part in values, values
    places = {cursor.marks[0].place for cursor in done.page._traces._cursors}
    assert list(places) == [pytest.approx(49.0)]
    done.page._traces.pointed.emit(START_S + 0.3625 * 11_000 * PERIOD_S)
    assert "tomogram D1.7V: partial (3 of 360 lost)" in done.page._notes.texts[1]
    done.page._traces.pointed.emit(float("nan"))
    assert done.page._notes.texts[0].strip() == ""
    assert all(cursor.marks == () for cursor in done.page._traces._cursors)


def test_the_mouse_over_any_plot_points_at_its_time(done: Shown) -> None:
    pointed: list[float] = []
    done.page._traces.pointed.connect(pointed.append)
    done.monitor.window.grab()
    box = done.page._traces._plots[Quantity.PRESSURE].getViewBox()
    done.page._traces._point(box.sceneBoundingRect().center())
    begin_s, end_s = done.page._traces.range_s
    assert pointed == [pytest.approx((begin_s + end_s) / 2)]
    done.page._traces._point(QtCore.QPointF(-5.0, -5.0))
    assert np.isnan(pointed[1])


def test_the_wheel_zooms_around_the_mouse_and_leaves_what_was_chosen(done: Shown, qapp: QtWidgets.QApplication) -> None:
    done.monitor.window.grab()
    widget = done.page._traces.widget
    box = done.page._traces._plots[Quantity.CURRENT].getViewBox()
    at = QtCore.QPointF(widget.mapFromScene(box.sceneBoundingRect().center()))
    before = done.range_s
    wheel = QtGui.QWheelEvent(
        at,
        widget.mapToGlobal(at),
        QtCore.QPoint(),
        QtCore.QPoint(0, 120),
        QtCore.Qt.MouseButton.NoButton,
        QtCore.Qt.KeyboardModifier.NoModifier,
        QtCore.Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    qapp.sendEvent(widget.viewport(), wheel)
    after = done.range_s
    assert after[1] - after[0] < 0.99 * (before[1] - before[0])
    assert sum(after) == pytest.approx(sum(before), rel=0.01)
    assert done.page._stretch.choice is RangeChoice.FREE
    assert not done.button("Follow").isChecked()


def test_however_much_is_told_of_a_place_the_window_may_stay_small(done: Shown) -> None:
    before = done.page.minimumSizeHint().width()
    done.page._notes._near.setText("tomogram " * 200)
    done.page._notes._values.setText("voltage " * 200)
    assert done.page.minimumSizeHint().width() == before <= 1366


def test_a_half_cycle_that_ended_is_not_computed_or_drawn_again(done: Shown) -> None:
    done.click("Cycles overlaid")
    done.until(lambda view: len(done.page._half_cycles.panels) == 3)
    panels, read = done.page._half_cycles.panels, done.page._read
    done.until(lambda view: done.page._read is not read)
    done.until(lambda view: done.page._read is not read)
    assert done.page._half_cycles.panels is panels


def test_traces_against_capacity_have_no_rest_and_charge_counts_both_ways(done: Shown) -> None:
    done.click("Capacity")
    axis = done.page._traces.axis
    assert "[mAh]" in axis.label
    assert "tells no cell.active_mass" in done.page._missing.text()
    places = axis.places(np.array([START_S + HOUR_S, DISCHARGE_BEGIN_S, CHARGE_BEGIN_S]))
    assert places == pytest.approx([0.0, 0.0, 0.576], abs=2e-3)
    x, y = done.curve(Quantity.VOLTAGE)
    assert (np.nanmin(x), np.nanmax(x)) == pytest.approx((0.0, 0.576 + 0.576 * 17.67 / 50), abs=2e-3)
    assert np.nanmin(y) == pytest.approx(0.7, abs=0.01)
    done.click("Time")
    assert "time since start" in done.page._traces.axis.label


def test_cycles_are_overlaid_against_capacity_or_time_with_a_legend(done: Shown) -> None:
    done.click("Cycles overlaid")
    plots = done.page._half_cycles
    done.until(lambda view: len(plots.panels) == 3)
    voltage = plots.panels[0]
    assert [line.half_cycle.name for line in voltage.lines] == ["cycle 1 discharge", "cycle 1 charge"]
    assert voltage.lines[0].x.max() == pytest.approx(0.576, abs=1e-3)
    assert "cycle 1" in plots._legend.text
    assert "charge passed in the half cycle [mAh]" in voltage.bottom
    done.click("Time")
    done.until(lambda view: "time since the half cycle began [h]" in plots.panels[0].bottom)
    assert plots.panels[0].lines[0].x.max() == pytest.approx(50.0, abs=0.1)
    plots.pointed.emit(10.0)
    assert "<b>10 h</b> voltage, discharge:" in done.page._notes.texts[0]
    assert "cycle 1 <b>1.6798 V" in done.page._notes.texts[0]
    assert "cycle 1 <b>1.6802 V" in done.page._notes.texts[1]


def test_dq_dv_of_the_half_cycles_is_that_of_their_slopes(done: Shown) -> None:
    done.click("dQ/dV")
    plots = done.page._half_cycles
    done.until(lambda view: len(plots.panels) == 1 and len(plots.panels[0].lines) == 2)
    discharge, charge = plots.panels[0].lines
    assert charge.y == pytest.approx(0.576 / 1.4, rel=0.01)  # it rises by 1.4 V in as many mAh
    plateau = (discharge.x > 1.5) & (discharge.x < 1.7)
    assert discharge.y[plateau] == pytest.approx(-0.576 / 0.35, rel=0.02)
    assert "mAh/V" in plots.panels[0].left
    assert "mAh" not in done.page._notes.texts[0]


def test_slope_breaks_that_were_measured_are_marked_with_their_uncertainty(
    opened: Callable[[RunDirectory], Shown], growing: FakedRun
) -> None:
    growing.run.experiment.write_text(EXPERIMENT)
    growing.sample(2880)
    growing.step("discharge", "RUNNING")
    growing.sample(6000)
    growing.measure("discharge", "pressure_slope_break", 250.0, "mAh/g", 2.0)
    growing.measure("discharge", "voltage_step", 425.0, "mAh/g", 10.0)
    growing.measure("rest", "voltage_step", 1.0, "mAh/g", 0.1)  # of a step that the schedule does not know
    shown = opened(growing.run)
    shown.until(lambda view: len(shown.page._read.breaks) == 2)
    traces = shown.page._traces
    (mark,) = (mark for mark in traces._marks[Quantity.PRESSURE].marks if mark.end > mark.begin)
    assert mark.place == pytest.approx(24 + 25, abs=0.02)  # half of the capacity in half of 50 h
    assert (mark.end - mark.begin) / 2 == pytest.approx(50 * 2.0 / 500, rel=0.02)
    labels = list(traces._labels[Quantity.PRESSURE].texts)
    assert labels == ["slope break at 250.0 ± 2.0 mAh/g"]
    assert "1 slope break" in shown.page._missing.text()
    assert traces.texts_near(START_S + 49 * HOUR_S) == [
        "slope of the pressure breaks at 250.0 ± 2.0 mAh/g of discharge"
    ]
    shown.click("Cycles overlaid")
    plots = shown.page._half_cycles
    shown.until(lambda view: len(plots.panels) == 3 and plots._breaks != {})
    assert [mark.place for mark in plots._marks[0].marks] == [425.0]
    assert "[mAh/g]" in plots.panels[0].bottom


def test_every_sample_in_view_is_exported_and_none_beyond(done: Shown, tmp_path: Path) -> None:
    done.page._traces.set_range_s((START_S + 10 * HOUR_S, START_S + 20 * HOUR_S))
    begin_s, end_s = done.page._traces.range_s
    path = tmp_path / "seen.csv"
    done.monitor.window.export(path)
    heading, *rows = path.read_text().splitlines()
    assert "stack pressure [MPa]" in heading
    times_s = [float(row.split(",")[1]) for row in rows]
    known = np.arange(1, 11_001) * PERIOD_S + START_S
    assert times_s == known[(known >= begin_s) & (known <= end_s)].tolist()
    assert "Saved" in done.monitor.window.statusBar().currentMessage()


def test_an_export_that_takes_long_is_waited_for_while_the_window_goes_on(
    done: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operando.monitor.history.export.SOON_S", 0.0)
    done.monitor.window.export(tmp_path / "seen.csv")
    assert "Saved" in done.monitor.window.statusBar().currentMessage()
    assert len((tmp_path / "seen.csv").read_text().splitlines()) == 11_001


@pytest.mark.parametrize("view", [ViewChoice.OVERLAID, ViewChoice.DIFFERENTIAL])
def test_half_cycles_and_dq_dv_are_exported_too(done: Shown, tmp_path: Path, view: ViewChoice) -> None:
    done.page.choose_view(view)
    done.until(lambda _: bool(done.page._half_cycles.panels) and bool(done.page._half_cycles.panels[0].lines))
    path = tmp_path / "seen.csv"
    done.monitor.window.export(path)
    rows = path.read_text().splitlines()
    assert rows[0].startswith("cycle,half cycle,")
    assert {tuple(row.split(",")[:2]) for row in rows[1:]} == {("1", "discharge"), ("1", "charge")}


@pytest.mark.parametrize(("suffix", "begins"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_what_is_seen_is_saved_as_a_picture(done: Shown, tmp_path: Path, suffix: str, begins: bytes) -> None:
    path = tmp_path / f"seen{suffix}"
    done.monitor.window.export(path)
    assert path.read_bytes().startswith(begins)
    if suffix == ".svg":
        text = path.read_text()
        assert all(word in text for word in ("D1.7V", "pressure", "clip-path"))
        assert "<image" not in text  # lines, not pixels
    done.monitor.window.export(tmp_path / "nowhere" / path.name)
    assert "Not saved" in done.monitor.window.statusBar().currentMessage()


def test_keys_do_what_buttons_do(done: Shown, qapp: QtWidgets.QApplication) -> None:
    window = done.monitor.window
    window.activateWindow()
    qapp.processEvents()

    def press(key: QtCore.Qt.Key) -> None:
        QtTest.QTest.keyClick(window, key)
        qapp.processEvents()

    press(QtCore.Qt.Key.Key_L)
    assert done.button("Last hour").isChecked()
    press(QtCore.Qt.Key.Key_BracketRight)
    assert (done.page._stretch.choice, done.page._stretch.cycle) == (RangeChoice.CYCLE, 1)
    press(QtCore.Qt.Key.Key_A)
    assert done.button("Since start").isChecked()
    press(QtCore.Qt.Key.Key_X)
    assert done.page._axes[ViewChoice.TRACES] is AxisChoice.CHARGE
    press(QtCore.Qt.Key.Key_X)
    length_s = done.range_s[1] - done.range_s[0]
    press(QtCore.Qt.Key.Key_Plus)
    assert done.range_s[1] - done.range_s[0] == pytest.approx(0.7 * length_s)
    press(QtCore.Qt.Key.Key_E)
    assert done.button("Follow").isChecked()
    press(QtCore.Qt.Key.Key_V)
    assert done.button("Cycles overlaid").isChecked()


def test_a_run_without_samples_says_so_and_has_nothing_to_export(
    opened: Callable[[RunDirectory], Shown], tmp_path: Path
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    shown = opened(RunDirectory(folder))
    for view in (ViewChoice.OVERLAID, ViewChoice.DIFFERENTIAL, ViewChoice.TRACES):
        shown.page.choose_view(view)
        for axis in AxisChoice:
            shown.page.choose_axis(axis)
        shown.page.choose_range(RangeChoice.LAST_HOUR)
        shown.page._move(zoom=0.5, pan=0.5)
        shown.until(lambda _: "the guard's log holds no sample" in shown.page._missing.text())
        shown.monitor.window.grab()
        assert not shown.page._stack.isVisible()  # its axes would tell numbers
    for suffix in shown.page.export_suffixes:
        shown.monitor.window.export(tmp_path / f"seen{suffix}")
        assert "there is nothing to write" in shown.monitor.window.statusBar().currentMessage()
    assert list(tmp_path.iterdir()) == [folder]


def test_at_rest_there_is_no_half_cycle_and_the_page_says_so(
    opened: Callable[[RunDirectory], Shown], growing: FakedRun
) -> None:
    growing.run.experiment.unlink()
    growing.sample(50)
    shown = opened(growing.run)
    shown.until(
        lambda view: len(view.traces[Quantity.VOLTAGE]) == 50 and "experiment.toml" in shown.page._read.unit.problem
    )
    assert not shown.page._missing.isVisible()
    shown.click("Charge")
    assert "There is no experiment.toml: charge is in mAh" in shown.page._missing.text()
    shown.click("dQ/dV")
    assert "No half cycle yet" in shown.page._missing.text()
    assert not shown.page._stack.isVisible()
    shown.click("Traces")
    assert shown.page._stack.isVisible()
    shown.monitor.window.grab()
    low_ua, high_ua = shown.page._traces._plots[Quantity.CURRENT].getViewBox().viewRange()[1]
    assert -1.0 < low_ua < 0.0 < high_ua < 1.0  # of a current that is 0 all the time


def test_missing_values_a_clock_that_is_set_back_and_a_log_that_goes_break_nothing(
    opened: Callable[[RunDirectory], Shown], growing: FakedRun
) -> None:
    growing.sample(3000)
    growing.sample(50, voltage_v=float("nan"))
    growing.num_samples -= 500
    growing.sample(1000)
    shown = opened(growing.run)
    for view in (ViewChoice.TRACES, ViewChoice.OVERLAID, ViewChoice.DIFFERENTIAL):
        shown.page.choose_view(view)
        shown.until(lambda view: len(view.traces[Quantity.VOLTAGE]) == 4050 and bool(shown.page._read.half_cycles))
        shown.monitor.window.grab()
    shown.page.choose_view(ViewChoice.TRACES)
    shown.page._traces.pointed.emit(START_S + 3025 * PERIOD_S)
    growing.run.cell_log.rename(growing.run.path / "away")
    shown.until(lambda view: any("is gone" in problem for problem in view.problems))
    assert len(shown.curve(Quantity.PRESSURE)[0]) > 0


def test_a_larger_window_has_larger_numbers_and_lines(done: Shown) -> None:
    axis = done.page._traces._plots[Quantity.VOLTAGE].getAxis("left")
    line = done.page._traces._curves[Quantity.VOLTAGE]._samples
    small = axis.style["tickFont"].pixelSize(), line.opts["pen"].widthF()
    done.monitor.window.resize(2 * 1366, 2 * 768)
    done.monitor.window.grab()
    large = axis.style["tickFont"].pixelSize(), line.opts["pen"].widthF()
    assert np.array(large) / np.array(small) == pytest.approx(2.0, rel=0.05)


def test_what_was_chosen_stays_chosen_in_the_other_theme(open_monitor: OpenOn, finished: RunDirectory) -> None:
    monitor = open_monitor(finished)
    monitor.window.show_page("History")
    monitor.until(lambda view: view.history_is_complete)
    page = monitor.window.page
    assert isinstance(page, HistoryPage)
    page.choose_view(ViewChoice.OVERLAID)
    page.choose_quantities((Quantity.VOLTAGE, Quantity.TEMPERATURE))
    page.choose_range(RangeChoice.LAST_HOUR)
    page.choose_follow(False)
    chosen = page.chosen()
    monitor.window.toggle_theme()
    other = monitor.window.page
    assert isinstance(other, HistoryPage)
    assert other is not page
    assert other.chosen() == chosen
