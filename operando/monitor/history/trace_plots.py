"""Plots of traces above each other, against one axis, below a strip of tomograms and events."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph
from PySide6 import QtCore

from operando.monitor.history.break_labels import BreakLabels
from operando.monitor.history.charge_unit import ChargeUnit
from operando.monitor.history.cursor_text import SERIES
from operando.monitor.history.curve import HistoryCurve
from operando.monitor.history.event_strip import EventStrip, mark_colour, marked_in_all_plots
from operando.monitor.history.history_reading import HistoryRead
from operando.monitor.history.plot_axis import PlotAxis, TimeAxis
from operando.monitor.history.plot_marks import PlotMark, PlotMarks
from operando.monitor.history.plot_style import style_plot
from operando.monitor.history.slope_breaks import PlacedBreak
from operando.monitor.reading.run_view import DISPLAYS, Quantity, RunView
from operando.monitor.theme import Look

LEAST_RANGES = {  # as shown; less is noise
    Quantity.VOLTAGE: 0.02,
    Quantity.CURRENT: 1.0,
    Quantity.CHARGE: 0.01,
    Quantity.PRESSURE: 0.2,
    Quantity.FORCE: 5.0,
    Quantity.TEMPERATURE: 0.5,
}
PADDING = 0.01  # of the range, beside what was chosen
NEAR_PX = 6.0  # what the cursor is that near to is told
MOST_LINES = 24  # through all plots; more would hide the traces


class TracePlots(QtCore.QObject):
    """Draws the traces of a run; ``widget`` is to be put into a window."""

    pointed = QtCore.Signal(float)  # at a time in s since 1970; NaN at nothing
    moved = QtCore.Signal()  # by hand

    def __init__(self, look: Look, quantities: Sequence[Quantity]) -> None:
        super().__init__()
        self._look = look
        self.widget: Any = pyqtgraph.GraphicsLayoutWidget()
        self._strip_plot = self.widget.addPlot(row=0, col=0)
        self.strip = EventStrip(self._strip_plot, look)
        self._plots = {quantity: pyqtgraph.PlotItem() for quantity in Quantity}
        self._curves: dict[Quantity, HistoryCurve] = {}
        self._marks: dict[Quantity, PlotMarks] = {}
        self._labels = {quantity: BreakLabels(plot) for quantity, plot in self._plots.items()}
        self._lead = next(iter(self._plots.values()))
        for quantity, plot in self._plots.items():
            plot.setLimits(minYRange=LEAST_RANGES[quantity])
            plot.setMouseEnabled(x=True, y=False)
            plot.setMenuEnabled(False)
            plot.hideButtons()
            self._marks[quantity] = PlotMarks(plot)
            self._curves[quantity] = HistoryCurve(plot, look, SERIES[quantity])
            plot.getViewBox().setAutoVisible(y=True)
            plot.getViewBox().sigRangeChangedManually.connect(lambda *_: self.moved.emit())
            plot.getViewBox().sigXRangeChanged.connect(lambda *_, plot=plot: self._x_moved(plot))
            plot.getViewBox().sigYRangeChanged.connect(lambda *_, quantity=quantity: self._place_labels(quantity))
        self._cursors = [PlotMarks(plot) for plot in (self._strip_plot, *self._plots.values())]
        self._cursor_s: float | None = None
        self._axis: PlotAxis = TimeAxis(0.0)
        self._unit, self._is_standing = ChargeUnit(), False
        self._read = HistoryRead()
        self.quantities: tuple[Quantity, ...] = ()
        self.choose(quantities)
        self._strip_plot.getViewBox().sigRangeChangedManually.connect(self._follow_strip)
        self.set_look(look)
        scene = self.widget.scene()
        self._mouse = pyqtgraph.SignalProxy(scene.sigMouseMoved, rateLimit=30, slot=lambda at: self._point(at[0]))

    @property
    def axis(self) -> PlotAxis:
        """What the traces are drawn against."""
        return self._axis

    @property
    def range_s(self) -> tuple[float, float]:
        """From when to when is seen, in s since 1970."""
        begin_s, end_s = self._axis.times_s(np.array(self._lead.getViewBox().viewRange()[0]))
        return float(begin_s), float(end_s)

    def choose(self, quantities: Sequence[Quantity]) -> None:
        """Show the plots of these quantities, at least one, in their usual order."""
        range_ = self._lead.getViewBox().viewRange()[0]
        for quantity in self.quantities:
            self.widget.removeItem(self._plots[quantity])
        self.quantities = tuple(quantity for quantity in Quantity if quantity in quantities)
        self._lead = self._plots[self.quantities[0]]
        self._lead.setXLink(None)
        for row, quantity in enumerate(self.quantities, start=1):
            plot = self._plots[quantity]
            self.widget.addItem(plot, row=row, col=0)
            self.widget.ci.layout.setRowStretchFactor(row, 1)
            if plot is not self._lead:
                plot.setXLink(self._lead)
        self._lead.setXRange(*range_, padding=0)
        self._style()

    def set_look(self, look: Look) -> None:
        """Take another size."""
        self._look = look
        self.widget.setBackground(look.colours.background)
        self.widget.ci.layout.setVerticalSpacing(look.px(4))
        self.strip.set_look(look)
        for curve in self._curves.values():
            curve.set_look(look)
        self._style()
        self._show_marks()
        self.show_cursor(self._cursor_s)

    def show_run(self, view: RunView, read: HistoryRead, axis: PlotAxis) -> None:
        """Draw what has changed; a range that was chosen stays at its times if the axis is another."""
        range_s = self.range_s
        is_other = type(axis) is not type(self._axis) or axis.label != self._axis.label
        shows_other = is_other or axis.key != self._axis.key or read != self._read
        self._axis, self._read = axis, read
        if is_other or read.unit != self._unit:
            self._unit = read.unit
            self._style()
        if is_other:
            self.set_range_s(range_s, padding=0.0)
        for quantity in self.quantities:
            self._curves[quantity].show_trace(view.traces[quantity], axis, self.factor(quantity))
        self.strip.show(view.tomograms, read.marks, view.now_s, axis)
        if shows_other:
            self._show_marks()

    def set_range_s(self, range_s: tuple[float, float], *, padding: float = PADDING) -> None:
        """Show from one time to another, in s since 1970, with a little room beside."""
        begin, end = (float(place) for place in self._axis.places(np.array(range_s)))
        self._is_standing = not begin < end
        if np.isfinite(begin) and np.isfinite(end) and begin < end:
            self._lead.setXRange(begin, end, padding=padding)

    @property
    def is_standing(self) -> bool:
        """Whether the stretch that was chosen last has no length on the axis."""
        return self._is_standing

    def scroll_to(self, time_s: float) -> None:
        """Show as much as now, up to a time."""
        begin, end = self._lead.getViewBox().viewRange()[0]
        place = float(self._axis.places(np.array([time_s]))[0])
        if np.isfinite(place):
            self._lead.setXRange(place - (end - begin), place, padding=0)

    def zoom(self, factor: float) -> None:
        """Show ``factor`` times as much, around the middle."""
        begin, end = self._lead.getViewBox().viewRange()[0]
        middle, half = (begin + end) / 2, (end - begin) / 2 * factor
        self._lead.setXRange(middle - half, middle + half, padding=0)

    def pan(self, share: float) -> None:
        """Move on by a share of what is seen."""
        begin, end = self._lead.getViewBox().viewRange()[0]
        self._lead.setXRange(begin + share * (end - begin), end + share * (end - begin), padding=0)

    def factor(self, quantity: Quantity) -> float:
        """Return what logged values are multiplied with."""
        return DISPLAYS[quantity].factor * (self._unit.factor if quantity is Quantity.CHARGE else 1.0)

    def unit(self, quantity: Quantity) -> str:
        """Return the unit of shown values."""
        return self._unit.text if quantity is Quantity.CHARGE else DISPLAYS[quantity].unit

    def show_cursor(self, time_s: float | None) -> None:
        """Draw a line at a time through all plots, or none."""
        self._cursor_s = time_s
        marks = []
        if time_s is not None:
            place = float(self._axis.places(np.array([time_s]))[0])
            marks = [PlotMark(place, self._look.colours.text, self._look.px(1))]
        for cursor in self._cursors:
            cursor.show_marks(marks)

    def texts_near(self, time_s: float) -> list[str]:
        """Tell what lies at a time or a few pixels from it: tomograms, events, slope breaks."""
        begin_s, end_s = self.range_s
        reach_s = self._look.px(NEAR_PX) * (end_s - begin_s) / max(float(self._lead.getViewBox().width()), 1.0)
        breaks = [
            entry.found.text
            for entry in self._read.breaks
            if entry.begin_s - reach_s <= time_s <= entry.end_s + reach_s
        ]
        return self.strip.texts_near(time_s, reach_s) + breaks

    def _x_moved(self, plot: Any) -> None:
        if plot is not self._lead:
            return
        # The strip follows by hand: a linked axis moves only when it is drawn, and its bars come and go.
        self._strip_plot.setXRange(*self._lead.getViewBox().viewRange()[0], padding=0)
        self._show_marks()

    def _follow_strip(self, *_: object) -> None:
        self._lead.setXRange(*self._strip_plot.getViewBox().viewRange()[0], padding=0)
        self.moved.emit()

    def _style(self) -> None:
        for quantity in self.quantities:
            is_last = quantity is self.quantities[-1]
            left = f"{quantity.value.removeprefix('stack ')}<br>[{self.unit(quantity)}]"
            style_plot(self._plots[quantity], self._look, left=left, bottom=self._axis.label if is_last else "")

    def _show_marks(self) -> None:
        begin, end = self._lead.getViewBox().viewRange()[0]
        events = marked_in_all_plots(self._read.marks)
        places = self._axis.places(np.array([mark.time_s for mark in events]))
        seen = [(mark, place) for mark, place in zip(events, places, strict=True) if begin <= place <= end]
        lines = [
            PlotMark(float(place), mark_colour(mark.kind, self._look), self._look.px(1), is_dotted=True)
            for mark, place in seen
        ]
        for quantity in self.quantities:
            breaks = [entry for entry in self._read.breaks if entry.found.quantity is quantity]
            self._marks[quantity].show_marks(
                [*(lines if len(lines) <= MOST_LINES else ()), *(self._break_mark(entry) for entry in breaks)]
            )
            self._place_labels(quantity)

    def _break_mark(self, entry: PlacedBreak) -> PlotMark:
        place, begin, end = self._axis.places(np.array([entry.time_s, entry.begin_s, entry.end_s]))
        width = self._look.px(2 if entry.found.is_main else 1)
        return PlotMark(float(place), self._look.colours.series[4], width, float(begin), float(end))

    def _place_labels(self, quantity: Quantity) -> None:
        breaks = [entry for entry in self._read.breaks if entry.found.quantity is quantity and entry.found.is_main]
        self._labels[quantity].show(breaks, self._axis, self._look)

    def _point(self, at: Any) -> None:
        for plot in (self._strip_plot, *(self._plots[quantity] for quantity in self.quantities)):
            box = plot.getViewBox()
            if box.sceneBoundingRect().contains(at):
                place = box.mapSceneToView(at).x()
                self.pointed.emit(float(self._axis.times_s(np.array([place]))[0]))
                return
        self.pointed.emit(float("nan"))
