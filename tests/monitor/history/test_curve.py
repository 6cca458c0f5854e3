from typing import Any

import numpy as np
import pyqtgraph
import pytest
from PySide6 import QtWidgets

from operando.monitor.history.curve import HistoryCurve
from operando.monitor.history.plot_axis import TimeAxis
from operando.monitor.history.table_history import TableHistory
from operando.monitor.history.trace import NOTHING, Envelope, Trace, Unread
from operando.monitor.theme import Look

START_S = 1_700_000_000.0
HOUR_S = 3600.0
WIDTH_PX = 700


class Shown:
    """A plot without a display, a curve in it, and samples at 10 per second of a ramp from 0 to 1."""

    def __init__(self, application: QtWidgets.QApplication) -> None:
        self._application = application
        self.canvas = pyqtgraph.GraphicsLayoutWidget()
        self.canvas.resize(WIDTH_PX, 300)
        self.plot = self.canvas.addPlot()
        self.curve = HistoryCurve(self.plot, Look(), 0)
        self.history = TableHistory(["value"])
        self.num_redraws = 0
        self.line.sigPlotChanged.connect(self._count)

    @property
    def line(self) -> Any:
        return self.curve._samples

    def grow(self, num: int, *, value: float | None = None) -> None:
        begin = len(self.history)
        times_s = START_S + (begin + np.arange(num)) / 10
        values = np.linspace(0, 1, num) if value is None else np.full(num, value)
        self.history.append(times_s, values.astype(np.float32)[:, np.newaxis])
        self.show(self.history.trace("value"))

    def show(self, trace: Trace) -> None:
        self.curve.show_trace(trace, TimeAxis(START_S, HOUR_S), 1e6)
        self.paint()

    def paint(self) -> None:
        self.canvas.grab()
        self._application.processEvents()

    def _count(self, _: object) -> None:
        self.num_redraws += 1


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    assert isinstance(application, QtWidgets.QApplication)
    return Shown(application)


def test_of_many_samples_as_many_are_drawn_as_there_are_pixels_and_the_view_holds_them_all(shown: Shown) -> None:
    shown.grow(100_000)
    shown.paint()  # the range, and with it the width of a bin, is found by the first drawing
    times_h, values = shown.line.getData()
    assert 600 < len(times_h) <= 2 * (WIDTH_PX + 2)
    assert (times_h.min(), times_h.max()) == pytest.approx((0.0, 10_000 / HOUR_S), abs=0.02)  # a few bins
    assert (np.nanmin(values), np.nanmax(values)) == pytest.approx((0.0, 1e6))
    (left, right), (bottom, top) = shown.plot.viewRange()
    assert left <= 0.0 < 9999.9 / HOUR_S <= right
    assert bottom <= 0.0 < 1e6 <= top


def test_the_view_follows_growth_and_a_spike_until_a_person_zooms(shown: Shown) -> None:
    shown.grow(1000)
    shown.grow(1000, value=3.0)
    (_, right), (_, top) = shown.plot.viewRange()
    assert right >= 199.9 / HOUR_S
    assert top >= 3e6
    shown.plot.setXRange(0.01, 0.02, padding=0)
    shown.grow(1000, value=9.0)
    assert shown.plot.viewRange()[0] == [0.01, 0.02]
    times_h, _ = shown.line.getData()
    assert times_h[0] < 0.01 < 0.02 < times_h[-1]  # lines lead beyond the edges
    assert len(times_h) < 0.01 * HOUR_S * 10 + 5  # single samples again


def test_nothing_is_drawn_again_that_has_not_changed(shown: Shown) -> None:
    shown.grow(5000)
    shown.paint()
    before = shown.num_redraws
    for _ in range(3):
        shown.show(shown.history.trace("value"))
    assert shown.num_redraws == before
    shown.plot.setXRange(0.01, 0.02, padding=0)
    assert shown.num_redraws == before + 1
    shown.grow(1)
    assert shown.num_redraws == before + 2


def test_what_is_not_read_yet_is_grey_faint_and_told(shown: Shown) -> None:
    shown.grow(1000)
    times_s = np.linspace(START_S - 3000.0, START_S - 100.0, 30)
    known = Envelope(times_s, np.zeros(30, np.float32), np.ones(30, np.float32))
    for is_sparse, word in ((True, "here and there"), (False, "least and largest")):
        unread = Unread(START_S - 3000.0, START_S, 1_234_567, is_sparse)
        shown.show(shown.history.trace("value", known, unread, (int(is_sparse),)))
        assert shown.curve._unread.isVisible()
        assert shown.curve._unread.getRegion() == pytest.approx((-3000.0 / HOUR_S, 0.0))
        assert word in shown.curve._note.text()
        assert "1 234 567 rows still to be read" in shown.curve._note.text()
        times_h, _ = shown.curve._preliminary.getData()
        assert times_h.min() == pytest.approx(-3000.0 / HOUR_S)
        assert shown.plot.viewRange()[0][0] <= -3000.0 / HOUR_S
    shown.show(shown.history.trace("value"))
    assert not shown.curve._unread.isVisible()
    assert shown.curve._note.text() == ""
    assert len(shown.curve._preliminary.getData()[0]) == 0


def test_missing_values_alone_and_no_samples_at_all_are_drawn_as_nothing(shown: Shown) -> None:
    shown.show(shown.history.trace("value", NOTHING))
    shown.grow(50, value=float("nan"))
    shown.grow(5, value=1.0)
    _, values = shown.line.getData()
    assert np.isfinite(values).sum() == 5
