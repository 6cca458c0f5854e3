"""Draws half cycles over each other, with a legend of their cycles."""

from html import escape
from typing import Any

import numpy as np
import pyqtgraph
from PySide6 import QtCore, QtGui

from operando.monitor.history.half_cycle_panels import Panel, cycle_colours, value_at
from operando.monitor.history.half_cycles import HalfCycle
from operando.monitor.history.plot_marks import PlotMark, PlotMarks
from operando.monitor.history.plot_style import LABEL_PX, style_plot
from operando.monitor.theme import Look

CHARGE_WIDTH_PX, DISCHARGE_WIDTH_PX = 1.0, 2.2
MOST_CYCLES = 7  # as many as there are colours


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
