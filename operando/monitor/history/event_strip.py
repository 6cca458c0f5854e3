"""A strip above the traces: a bar for each tomogram, a sign for each event that matters."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph
from PySide6 import QtGui

from operando.monitor.history.event_marks import EventMark, MarkKind
from operando.monitor.history.plot_axis import PlotAxis
from operando.monitor.history.plot_style import label_font, style_plot
from operando.monitor.reading.run_view import TomogramView
from operando.monitor.theme import Look

HEIGHT_PX = 84.0
BAR_HEIGHT = 0.24  # of the strip
NAME_ROWS = (0.26, 0.45)  # where names stand, from below
EVENT_PLACE = 0.85
SIGN_PX, BAR_LEAST_PX, NAME_GAP_PX = 11.0, 4.0, 8.0
SIGNS = {MarkKind.TRIP: "x", MarkKind.LIMIT: "t", MarkKind.STEP: "|", MarkKind.NOTE: "d"}


class EventStrip:
    """Draws into one plot, whose range is set from outside.

    Parameters
    ----------
    plot
        A plot of pyqtgraph.
    look
        Colours and sizes.
    """

    def __init__(self, plot: Any, look: Look) -> None:
        self._plot, self._view = plot, plot.getViewBox()
        self._tomograms: tuple[TomogramView, ...] = ()
        self._marks: tuple[EventMark, ...] = ()
        self._now_s = 0.0
        self._axis: PlotAxis | None = None
        self._drawn: tuple[object, ...] = ()
        self._bars = pyqtgraph.BarGraphItem(x0=[], x1=[], y0=0.0, height=BAR_HEIGHT)
        self._signs = {kind: pyqtgraph.ScatterPlotItem(symbol=SIGNS[kind], pxMode=True) for kind in MarkKind}
        self._names: list[Any] = []
        plot.setYRange(0.0, 1.0, padding=0)
        plot.setMouseEnabled(y=False)
        plot.hideButtons()
        plot.setMenuEnabled(False)
        for item in (self._bars, *self._signs.values()):
            plot.addItem(item, ignoreBounds=True)
        self.set_look(look)
        self._view.sigXRangeChanged.connect(self._draw)
        self._view.sigResized.connect(self._draw)

    @property
    def names(self) -> list[str]:
        """The names of tomograms that are seen."""
        return [str(name.toPlainText()) for name in self._names if name.isVisible()]

    def set_look(self, look: Look) -> None:
        """Take other colours or another size."""
        self._look = look
        style_plot(self._plot, look, left="", bottom="")
        self._plot.setFixedHeight(look.px(HEIGHT_PX))
        left = self._plot.getAxis("left")
        left.showLabel(False)
        left.setTicks([[(BAR_HEIGHT / 2, "tomograms"), (EVENT_PLACE, "events")]])
        left.setStyle(tickLength=0)
        self._plot.showGrid(x=True, y=False)
        for kind, sign in self._signs.items():
            colour = mark_colour(kind, look)
            sign.setSize(look.px(SIGN_PX))
            sign.setPen(pyqtgraph.mkPen(colour, width=look.px(2)))
            sign.setBrush(pyqtgraph.mkBrush(colour))
        self._drawn = ()
        self._draw()

    def show(
        self, tomograms: tuple[TomogramView, ...], marks: tuple[EventMark, ...], now_s: float, axis: PlotAxis
    ) -> None:
        """Draw tomograms and events; one that is being taken reaches until ``now_s``."""
        self._tomograms, self._marks, self._now_s, self._axis = tomograms, marks, now_s, axis
        self._draw()

    def texts_near(self, time_s: float, reach_s: float) -> list[str]:
        """Tell the tomograms and events at a time, and those less than ``reach_s`` from it."""
        told = []
        for entry in self._tomograms:
            stop_s = max(self._now_s, entry.start_s) if entry.stop_s is None else entry.stop_s
            if entry.start_s - reach_s <= time_s <= stop_s + reach_s:
                told.append(tomogram_text(entry))
        near = [mark for mark in self._marks if abs(mark.time_s - time_s) <= reach_s]
        return told + [mark.text for mark in sorted(near, key=lambda mark: abs(mark.time_s - time_s))]

    def _draw(self, *_: object) -> None:
        if self._axis is None:
            return
        begin, end = self._view.viewRange()[0]
        width_px = max(float(self._view.width()), 1.0)
        running_s = self._now_s if any(entry.stop_s is None for entry in self._tomograms) else 0.0
        wanted = (self._tomograms, self._marks, running_s, self._axis.key, begin, end, width_px)
        if wanted == self._drawn:
            return
        self._drawn = wanted
        self._draw_signs(begin, end, (end - begin) / width_px)
        self._draw_bars(begin, end, (end - begin) / width_px)

    def _draw_signs(self, begin: float, end: float, per_px: float) -> None:
        """Draw of each kind one sign in each pixel that holds any, however many there are."""
        assert self._axis is not None
        for kind, sign in self._signs.items():
            places = self._axis.places(np.array([mark.time_s for mark in self._marks if mark.kind is kind]))
            if per_px > 0:
                beside = self._look.px(SIGN_PX) * per_px
                seen = places[(places >= begin - beside) & (places <= end + beside)]
                places = seen[np.unique(np.floor((seen - begin) / per_px), return_index=True)[1]]
            sign.setData(x=places, y=np.full(len(places), EVENT_PLACE))

    def _draw_bars(self, begin: float, end: float, per_px: float) -> None:
        assert self._axis is not None
        self._bars.setVisible(len(self._tomograms) > 0)
        if not self._tomograms:
            self._place_names((), (), begin, end, per_px)
            return
        starts_s = np.array([entry.start_s for entry in self._tomograms])
        stops_s = np.array(
            [max(self._now_s, entry.start_s) if entry.stop_s is None else entry.stop_s for entry in self._tomograms]
        )
        starts, stops = self._axis.places(starts_s), self._axis.places(stops_s)
        stops = np.maximum(stops, starts + self._look.px(BAR_LEAST_PX) * per_px)
        colours = [bar_colour(entry, self._look) for entry in self._tomograms]
        self._bars.setOpts(
            x0=starts,
            x1=stops,
            brushes=[pyqtgraph.mkBrush(colour) for colour in colours],
            pens=[pyqtgraph.mkPen(colour) for colour in colours],
        )
        self._place_names(starts, stops, begin, end, per_px)

    def _place_names(self, starts: Any, stops: Any, begin: float, end: float, per_px: float) -> None:
        """Write as many names as find room beside each other, those of the newest tomograms first."""
        metrics = QtGui.QFontMetricsF(label_font(self._look))
        free_until = [end + per_px * NAME_GAP_PX] * len(NAME_ROWS)  # everything to the right of it is taken
        used = 0
        for index in reversed(range(len(self._tomograms))):
            if stops[index] < begin or starts[index] > end:
                continue
            half = (metrics.horizontalAdvance(self._tomograms[index].name) / 2 + NAME_GAP_PX) * per_px
            middle = float(np.clip((starts[index] + stops[index]) / 2, begin + half, max(end - half, begin + half)))
            for row, free in enumerate(free_until):
                if middle + half <= free:
                    free_until[row] = middle - half
                    self._write_name(used, self._tomograms[index].name, middle, NAME_ROWS[row])
                    used += 1
                    break
        for name in self._names[used:]:
            name.hide()

    def _write_name(self, number: int, text: str, place: float, height: float) -> None:
        if number == len(self._names):
            self._names.append(pyqtgraph.TextItem(anchor=(0.5, 1.0)))
            self._plot.addItem(self._names[-1], ignoreBounds=True)
        name = self._names[number]
        name.setFont(label_font(self._look))
        name.setText(text, color=self._look.colours.text)
        name.setPos(place, height - 0.04)
        name.show()


def mark_colour(kind: MarkKind, look: Look) -> str:
    """Return the colour of an event."""
    colours = look.colours
    return {
        MarkKind.TRIP: colours.alarm,
        MarkKind.LIMIT: colours.warning,
        MarkKind.STEP: colours.dim,
        MarkKind.NOTE: colours.series[1],
    }[kind]


def bar_colour(tomogram: TomogramView, look: Look) -> str:
    """Return the colour of a tomogram: complete, partial, aborted, or being taken."""
    colours = look.colours
    known = {"": colours.series[1], "success": colours.good, "fail": colours.warning, "abort": colours.alarm}
    return known.get(tomogram.exit_status, colours.warning)


def tomogram_text(tomogram: TomogramView) -> str:
    """Say which tomogram it is and how it ended."""
    how = {"success": "complete", "fail": "partial", "abort": "aborted", "": "being taken"}
    status = how.get(tomogram.exit_status, tomogram.exit_status)
    return f"tomogram {tomogram.name}: {status}" + (f" ({tomogram.reason})" if tomogram.reason else "")


def marked_in_all_plots(marks: Sequence[EventMark]) -> tuple[EventMark, ...]:
    """Return the events whose line goes through every plot: trips, limits, and steps begun."""
    return tuple(mark for mark in marks if mark.kind is not MarkKind.NOTE)
