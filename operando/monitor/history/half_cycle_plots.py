"""Half cycles over each other: quantities against charge or time since each began, or dQ/dV against voltage."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pyqtgraph
from PySide6 import QtCore, QtGui

from operando.monitor.history.differential_capacity import BIN_V, Values
from operando.monitor.history.half_cycles import HalfCycle
from operando.monitor.history.history_reading import HistoryRead
from operando.monitor.history.plot_axis import time_unit
from operando.monitor.history.plot_marks import PlotMark, PlotMarks
from operando.monitor.history.plot_style import LABEL_PX, style_plot
from operando.monitor.reading.run_view import DISPLAYS, Quantity
from operando.monitor.theme import Look

CHARGE_WIDTH_PX, DISCHARGE_WIDTH_PX = 1.0, 2.2
DIFFERENTIAL = "dQ/dV"
MOST_CYCLES = 7  # as many as there are colours


@dataclass(frozen=True, eq=False)
class Line:
    """What is drawn of one half cycle, shape (num,) each; NaN breaks it."""

    half_cycle: HalfCycle
    x: Values
    y: Values


@dataclass(frozen=True, eq=False)
class Panel:
    """One plot: a name (of a quantity, or dQ/dV), its labels with units, and its lines."""

    name: str
    left: str
    bottom: str
    lines: tuple[Line, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """All its words."""
        return self.name, self.left, self.bottom


def quantity_panels(
    read: HistoryRead, quantities: Sequence[Quantity], *, against_charge: bool, longest_s: float = 0.0
) -> tuple[Panel, ...]:
    """Return a panel for each quantity, against the charge or the time since each half cycle began."""
    unit_s, time_name = time_unit(longest_s)
    bottom = "charge passed in the half cycle" if against_charge else "time since the half cycle began"
    unit = read.unit.text if against_charge else time_name
    panels = []
    for quantity in quantities:
        display, is_charge = DISPLAYS[quantity], quantity is Quantity.CHARGE
        factor = display.factor * (read.unit.factor if is_charge else 1.0)
        lines = tuple(
            Line(
                curve.half_cycle,
                curve.passed_mah * read.unit.factor if against_charge else curve.elapsed_s / unit_s,
                curve.values * factor,
            )
            for curve in read.curves.get(quantity, ())
        )
        name = quantity.value.removeprefix("stack ")
        left = f"{name}<br>[{read.unit.text if is_charge else display.unit}]"
        panels.append(Panel(quantity.value, left, f"{bottom} [{unit}]", lines))
    return tuple(panels)


def differential_panel(read: HistoryRead) -> Panel:
    """Return the panel of dQ/dV."""
    lines = tuple(
        Line(curve.half_cycle, curve.voltages_v, curve.slopes_mah_v * read.unit.factor) for curve in read.differential
    )
    unit = "mAh/(g V)" if read.unit.is_specific else "mAh/V"
    bottom = f"voltage [V], in steps of {BIN_V * 1e3:.0f} mV; charge at held voltages left out"
    return Panel(DIFFERENTIAL, f"dQ/dV<br>[{unit}]", bottom, lines)


class HalfCyclePlots(QtCore.QObject):
    """Draws panels above each other; ``widget`` is to be put into a window."""

    pointed = QtCore.Signal(float)  # at a place on the axis; NaN at nothing

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.widget: Any = pyqtgraph.GraphicsLayoutWidget()
        self._legend = self.widget.addLabel("", row=0, col=0)
        self._plots: list[Any] = []
        self._marks: list[PlotMarks] = []
        self._cursors: list[PlotMarks] = []
        self._items: list[list[Any]] = []
        self.panels: tuple[Panel, ...] = ()
        self._breaks: dict[str, list[PlotMark]] = {}
        scene = self.widget.scene()
        self._mouse = pyqtgraph.SignalProxy(scene.sigMouseMoved, rateLimit=30, slot=lambda at: self._point(at[0]))
        self.set_look(look)

    def set_look(self, look: Look) -> None:
        """Take another size."""
        self._look = look
        self.widget.setBackground(look.colours.background)
        self.widget.ci.layout.setVerticalSpacing(look.px(4))
        self._style()
        self._draw()

    def show_panels(self, panels: tuple[Panel, ...], breaks: dict[str, list[PlotMark]] | None = None) -> None:
        """Draw panels, and marks in those of a name; another choice of panels is seen whole."""
        before, self.panels, self._breaks = self.panels, panels, breaks or {}
        if [panel.labels for panel in panels] != [panel.labels for panel in before]:
            self._make_plots(len(panels))
            self._style()
        self._draw()

    def _style(self) -> None:
        for plot, panel in zip(self._plots, self.panels, strict=True):
            bottom = panel.bottom if panel is self.panels[-1] else ""
            style_plot(plot, self._look, left=panel.left, bottom=bottom)

    def _draw(self) -> None:
        panels = self.panels
        colours = cycle_colours([line.half_cycle for panel in panels for line in panel.lines], self._look)
        self._legend.setText(_legend_html(colours, panels, self._look))
        for number, (plot, panel) in enumerate(zip(self._plots, panels, strict=True)):
            items = self._items[number]
            while len(items) < len(panel.lines):
                items.append(pyqtgraph.PlotCurveItem(connect="finite"))
                plot.addItem(items[-1])
            for item, line in zip(items, panel.lines, strict=False):
                width = CHARGE_WIDTH_PX if line.half_cycle.is_charge else DISCHARGE_WIDTH_PX
                item.setPen(pyqtgraph.mkPen(colours[line.half_cycle.cycle], width=self._look.scale * width))
                item.setData(line.x, line.y)
                item.show()
            for item in items[len(panel.lines) :]:
                item.setData([], [])
            self._marks[number].show_marks(self._breaks.get(panel.name, ()))

    def values_at(self, place: float) -> list[tuple[HalfCycle, float, str]]:
        """Return the value of each line of the first panel that reaches a place, with its colour."""
        if not self.panels:
            return []
        lines = self.panels[0].lines
        colours = cycle_colours([line.half_cycle for line in lines], self._look)
        found = []
        for line in lines:
            value = value_at(line, place)
            if np.isfinite(value):
                found.append((line.half_cycle, value, colours[line.half_cycle.cycle]))
        return found

    def show_cursor(self, place: float | None) -> None:
        """Draw a line at a place through all plots, or none."""
        marks = [] if place is None else [PlotMark(place, self._look.colours.text, self._look.px(1))]
        for cursor in self._cursors:
            cursor.show_marks(marks)

    def zoom(self, factor: float) -> None:
        """Show ``factor`` times as much, around the middle."""
        for plot in self._plots[:1]:
            begin, end = plot.getViewBox().viewRange()[0]
            middle, half = (begin + end) / 2, (end - begin) / 2 * factor
            plot.setXRange(middle - half, middle + half, padding=0)

    def pan(self, share: float) -> None:
        """Move on by a share of what is seen."""
        for plot in self._plots[:1]:
            begin, end = plot.getViewBox().viewRange()[0]
            plot.setXRange(begin + share * (end - begin), end + share * (end - begin), padding=0)

    def show_all(self) -> None:
        """Show whole lines again after a zoom."""
        for plot in self._plots:
            plot.enableAutoRange()

    def _make_plots(self, num: int) -> None:
        for plot in self._plots:
            self.widget.removeItem(plot)
        self._plots = [self.widget.addPlot(row=number + 1, col=0) for number in range(num)]
        self._marks = [PlotMarks(plot) for plot in self._plots]
        self._cursors = [PlotMarks(plot) for plot in self._plots]
        self._items = [[] for _ in self._plots]
        for row, plot in enumerate(self._plots, start=1):
            self.widget.ci.layout.setRowStretchFactor(row, 1)
            plot.setMenuEnabled(False)
            plot.hideButtons()
            plot.setMouseEnabled(x=True, y=False)
            plot.getViewBox().setAutoVisible(y=True)
            if plot is not self._plots[0]:
                plot.setXLink(self._plots[0])

    def _point(self, at: Any) -> None:
        for plot in self._plots:
            box = plot.getViewBox()
            if box.sceneBoundingRect().contains(at):
                self.pointed.emit(float(box.mapSceneToView(at).x()))
                return
        self.pointed.emit(float("nan"))


def cycle_colours(half_cycles: Sequence[HalfCycle], look: Look) -> dict[int, str]:
    """Return a colour for each cycle, in order; from the eighth on they come again."""
    cycles = sorted({entry.cycle for entry in half_cycles})
    series = look.colours.series
    return {cycle: series[number % len(series)] for number, cycle in enumerate(cycles)}


def value_at(line: Line, place: float) -> float:
    """Return the value of a line nearest to a place on its axis; NaN beyond its ends."""
    known = np.flatnonzero(np.isfinite(line.x) & np.isfinite(line.y))
    if len(known) == 0 or not line.x[known].min() <= place <= line.x[known].max():
        return float("nan")
    return float(line.y[known[np.argmin(np.abs(line.x[known] - place))]])


def break_marks(
    read: HistoryRead, shown: Sequence[HalfCycle], look: Look, *, against_charge: bool, unit_s: float
) -> dict[str, list[PlotMark]]:
    """Return marks of the largest slope breaks of half cycles that are shown, by quantity."""
    colours = cycle_colours(shown, look)
    marks: dict[str, list[PlotMark]] = {}
    for entry in read.breaks:
        for half_cycle in shown:
            if entry.found.is_main and half_cycle.begin_s <= entry.time_s <= half_cycle.end_s:
                if against_charge:
                    places = [entry.found.place + sign * entry.found.uncertainty for sign in (0, -1, 1)]
                else:
                    times_s = (entry.time_s, entry.begin_s, entry.end_s)
                    places = [(time_s - half_cycle.begin_s) / unit_s for time_s in times_s]
                colour, width = colours[half_cycle.cycle], look.px(1)
                marks.setdefault(entry.found.quantity.value, []).append(
                    PlotMark(places[0], colour, width, places[1], places[2])
                )
    return marks


def _legend_html(colours: dict[int, str], panels: tuple[Panel, ...], look: Look) -> str:
    if not colours:
        return ""
    names = [f'<span style="color: {colour}">━━</span> cycle {cycle}' for cycle, colour in colours.items()]
    signs = {line.half_cycle.is_charge for panel in panels for line in panel.lines}
    how = "discharge: wide line, charge: narrow line" if len(signs) > 1 else "charge" if True in signs else "discharge"
    text = "&nbsp;&nbsp; ".join([*names, escape(how)])
    font = QtGui.QFont().family()
    return (
        f'<span style="font-family: {font}; font-size: {look.px(LABEL_PX)}px; color: {look.colours.text}">{text}</span>'
    )
