"""Voltage, current and stack pressure against hours, with a bar for each tomogram above them."""

from typing import Any

import numpy as np
import pyqtgraph
from numpy.typing import NDArray

from operando.monitor.run_view import DISPLAYS, Quantity, RunView, TomogramView

PLOTTED = {Quantity.VOLTAGE: "#ffd166", Quantity.CURRENT: "#6ec6ff", Quantity.PRESSURE: "#9be564"}
BAR_COLOURS = {"": "#f2c14e", "success": "#5fb878", "fail": "#e07a3f", "abort": "#d94f4f"}
AXIS_WIDTH_PX = 62
STRIP_HEIGHT_PX = 84  # as long as its label
MAX_NAMES = 24  # beyond it names would cover each other


class TracePlots:
    """Draws the traces of a run; ``widget`` is to be put into a window."""

    def __init__(self) -> None:
        self.widget: Any = pyqtgraph.GraphicsLayoutWidget()
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
        self.curves: dict[Quantity, Any] = {}
        self._drawn: dict[Quantity, tuple[int, float]] = {}
        for row, (quantity, colour) in enumerate(PLOTTED.items(), start=1):
            plot = self.widget.addPlot(row=row, col=0)
            plot.showGrid(x=True, y=True, alpha=0.15)
            plot.getAxis("left").setWidth(AXIS_WIDTH_PX)
            plot.getAxis("left").enableAutoSIPrefix(False)
            plot.getAxis("bottom").enableAutoSIPrefix(False)
            plot.setLabel("left", f"{quantity.value.removeprefix('stack ')} [{DISPLAYS[quantity].unit}]")
            curve = plot.plot(pen=pyqtgraph.mkPen(colour, width=1.2), connect="finite")
            curve.setDownsampling(auto=True, method="peak")  # minima and maxima of long traces stay visible
            curve.setClipToView(True)
            self.curves[quantity] = curve
            if row == 1:
                voltage_plot = plot
            else:
                plot.setXLink(voltage_plot)
        self._strip.setXLink(voltage_plot)  # never the other way: its bars say nothing about how long the run is
        plot.setLabel("bottom", "time since start of run [h]")

    def show_run(self, view: RunView) -> None:
        """Draw what has changed."""
        for quantity, curve in self.curves.items():
            times_s, values = view.traces[quantity]
            if len(times_s) and self._drawn.get(quantity) != (len(times_s), view.start_s):
                self._drawn[quantity] = len(times_s), view.start_s
                curve.setData(self._hours(times_s, view), values * DISPLAYS[quantity].factor)
        if view.tomograms != self._shown_tomograms or view.running_tomogram is not None:
            self._shown_tomograms = view.tomograms
            self._show_tomograms(view)

    @staticmethod
    def _hours(times_s: NDArray[np.float64], view: RunView) -> NDArray[np.float64]:
        return (times_s - view.start_s) / 3600.0

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
        colours = [BAR_COLOURS.get(entry.exit_status, BAR_COLOURS["fail"]) for entry in view.tomograms]
        self._bars = pyqtgraph.BarGraphItem(
            x0=starts / 3600.0,
            x1=stops / 3600.0,
            y0=0.0,
            height=0.3,
            brushes=colours,
            pens=[pyqtgraph.mkPen(c) for c in colours],
        )
        self._strip.addItem(self._bars)
        middles = (starts + stops) / 7200.0
        for number, (middle_h, entry) in enumerate(zip(middles, view.tomograms, strict=True)):
            if len(view.tomograms) <= MAX_NAMES or entry is view.tomograms[-1]:
                name = pyqtgraph.TextItem(entry.name, color="#c9ced6", anchor=(0.5, 1.0))
                name.setPos(middle_h, 0.28 if number % 2 else 0.6)
                self._strip.addItem(name, ignoreBounds=True)
                self._names.append(name)
