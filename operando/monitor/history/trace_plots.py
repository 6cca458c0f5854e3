"""Voltage, current and stack pressure against hours, with a bar for each tomogram above them."""

from typing import Any

import numpy as np
import pyqtgraph

from operando.monitor.history.curve import HistoryCurve
from operando.monitor.reading.run_view import DISPLAYS, Quantity, RunView, TomogramView
from operando.monitor.theme import Look

PLOTTED = {Quantity.VOLTAGE: 0, Quantity.CURRENT: 1, Quantity.PRESSURE: 2}  # and their colours
LEAST_RANGES = {Quantity.VOLTAGE: 0.02, Quantity.CURRENT: 1.0, Quantity.PRESSURE: 0.2}  # as shown; less is noise
AXIS_WIDTH_PX = 62
STRIP_HEIGHT_PX = 84  # as long as its label
MAX_NAMES = 24  # beyond it names would cover each other
NUM_NAME_ROWS = 3
LEAST_BAR_SHARE = 0.003  # of the time shown; a thinner bar would not be seen
EDGE_SHARE = 0.08  # of the time shown, at its end: names there stand to the left of their bar
TIME_UNITS = ((180.0, 1.0, "s"), (10_800.0, 60.0, "min"), (np.inf, 3600.0, "h"))  # longest run, length, name


class TracePlots:
    """Draws the traces of a run; ``widget`` is to be put into a window."""

    def __init__(self, look: Look) -> None:
        self._look, colours = look, look.colours
        self._bar_colours = {
            "": colours.warning,
            "success": colours.good,
            "fail": colours.series[4],
            "abort": colours.alarm,
        }
        self.widget: Any = pyqtgraph.GraphicsLayoutWidget()
        self.widget.setBackground(colours.background)
        self._strip = self.widget.addPlot(row=0, col=0)
        self._strip.setFixedHeight(STRIP_HEIGHT_PX)
        self._strip.setYRange(0.0, 1.0, padding=0)
        self._strip.setMouseEnabled(y=False)
        self._strip.hideButtons()
        self._strip.getAxis("left").setWidth(AXIS_WIDTH_PX)
        self._strip.getAxis("left").setStyle(showValues=False, tickLength=0)
        self._strip.setLabel("left", "tomograms")
        self._strip.hideAxis("bottom")
        self._bars: Any = None
        self._names: list[Any] = []
        self._shown_tomograms: tuple[TomogramView, ...] | None = None
        self._curves: dict[Quantity, HistoryCurve] = {}
        self._time_unit_s, self._time_label = 1.0, ""
        for row, (quantity, series) in enumerate(PLOTTED.items(), start=1):
            plot = self.widget.addPlot(row=row, col=0)
            plot.showGrid(x=True, y=True, alpha=0.15)
            plot.getAxis("left").setWidth(AXIS_WIDTH_PX)
            plot.getAxis("left").enableAutoSIPrefix(False)
            plot.getAxis("bottom").enableAutoSIPrefix(False)
            plot.setLimits(minYRange=LEAST_RANGES[quantity])
            plot.setLabel("left", f"{quantity.value.removeprefix('stack ')} [{DISPLAYS[quantity].unit}]")
            self._curves[quantity] = HistoryCurve(plot, colours.series[series], DISPLAYS[quantity].factor)
            if row == 1:
                self._voltage_plot = plot
            else:
                plot.setXLink(self._voltage_plot)
        self._bottom = plot
        # The strip follows by hand: a linked axis moves only when it is drawn, and its bars come and go.
        self._voltage_plot.sigXRangeChanged.connect(lambda _, shown: self._strip.setXRange(*shown, padding=0))

    def set_look(self, look: Look) -> None:
        """Take another size."""
        self._look = look

    def show_run(self, view: RunView) -> None:
        """Draw what has changed."""
        self._choose_time_unit(view)
        if np.isfinite(view.start_s):
            for quantity, curve in self._curves.items():
                curve.show_trace(view.traces[quantity], view.start_s, self._time_unit_s)
        if view.tomograms != self._shown_tomograms or view.running_tomogram is not None:
            self._shown_tomograms = view.tomograms
            self._show_tomograms(view)

    def _choose_time_unit(self, view: RunView) -> None:
        length_s = view.now_s - view.start_s if view.now_s > view.start_s else 0.0
        unit_s, name = next((unit_s, name) for longest_s, unit_s, name in TIME_UNITS if length_s < longest_s)
        clock = " on the rehearsal's clock" if view.rehearsal else ""
        label = f"time since start of run{clock} [{name}]"
        if label != self._time_label:
            self._time_unit_s, self._time_label = unit_s, label
            self._shown_tomograms = None
            self._bottom.setLabel("bottom", label)

    def _show_tomograms(self, view: RunView) -> None:
        for item in (self._bars, *self._names):
            if item is not None:
                self._strip.removeItem(item)
        self._bars, self._names = None, []
        if not view.tomograms:
            return
        starts = np.array([entry.start_s - view.start_s for entry in view.tomograms])
        stops = np.array(
            [
                (max(view.now_s, entry.start_s) if entry.stop_s is None else entry.stop_s) - view.start_s
                for entry in view.tomograms
            ]
        )
        length_s, colours = max(view.now_s - view.start_s, 0.0), self._look.colours
        brushes = [self._bar_colours.get(entry.exit_status, colours.series[4]) for entry in view.tomograms]
        self._bars = pyqtgraph.BarGraphItem(
            x0=starts / self._time_unit_s,
            x1=np.maximum(stops, starts + LEAST_BAR_SHARE * length_s) / self._time_unit_s,
            y0=0.0,
            height=0.3,
            brushes=brushes,
            pens=[pyqtgraph.mkPen(c) for c in brushes],
        )
        self._strip.addItem(self._bars)
        middles = (starts + stops) / 2 / self._time_unit_s
        for number, (middle, entry) in enumerate(zip(middles, view.tomograms, strict=True)):
            if len(view.tomograms) <= MAX_NAMES or entry is view.tomograms[-1]:
                late = middle * self._time_unit_s > (1 - EDGE_SHARE) * length_s  # its middle would be cut at the edge
                name = pyqtgraph.TextItem(entry.name, color=colours.text, anchor=(1.0 if late else 0.5, 1.0))
                name.setPos(middle, 0.28 + 0.24 * (number % NUM_NAME_ROWS))
                self._strip.addItem(name, ignoreBounds=True)
                self._names.append(name)
