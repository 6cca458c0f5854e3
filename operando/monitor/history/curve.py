"""Draws a trace in a plot: what its present range and width can show, redrawn when one of them or the data changed."""

from typing import Any

import numpy as np
import pyqtgraph
from PySide6 import QtGui, QtWidgets

from operando.monitor.history.plot_axis import PlotAxis
from operando.monitor.history.plot_style import label_font
from operando.monitor.history.trace import Trace
from operando.monitor.theme import Look

LINE_WIDTH_PX = 1.2
FAINT_ALPHA, UNREAD_ALPHA = 120, 40  # of 255, for what is preliminary
NOTE_PLACE_PX = 8.0, 4.0
LEAST_SHARE = 1e-6  # of a value, by which a line that is level has room above and below
DOT_PX = 2  # a value alone between missing ones


class HistoryCurve:
    """One trace in one plot; where not all samples were read the line is faint on grey ground, and words say why.

    Parameters
    ----------
    plot
        A plot of pyqtgraph, whose range may follow all data.
    look
        Colours and sizes.
    series
        Which of the look's colours for lines.
    """

    def __init__(self, plot: Any, look: Look, series: int) -> None:
        self._plot, self._view, self._series = plot, plot.getViewBox(), series
        self._trace: Trace | None = None
        self._axis: PlotAxis | None = None
        self._factor = 1.0
        self._drawn: tuple[object, ...] = ()
        self._samples, self._preliminary = (_Line(self, connect="finite") for _ in range(2))
        self._unread = pyqtgraph.LinearRegionItem(movable=False, pen=pyqtgraph.mkPen(None))
        self._unread.hide()
        plot.addItem(self._unread, ignoreBounds=True)
        plot.addItem(self._preliminary)
        plot.addItem(self._samples)
        self._note = QtWidgets.QGraphicsSimpleTextItem(self._view)
        self.set_look(look)
        self._view.sigXRangeChanged.connect(self._draw)
        self._view.sigResized.connect(self._draw)

    def set_look(self, look: Look) -> None:
        """Take other colours or another size."""
        colours, width = look.colours, look.scale * LINE_WIDTH_PX
        faint, ground = QtGui.QColor(colours.series[self._series]), QtGui.QColor(colours.dim)
        faint.setAlpha(FAINT_ALPHA)
        ground.setAlpha(UNREAD_ALPHA)
        self._samples.setPen(pyqtgraph.mkPen(colours.series[self._series], width=width))
        self._preliminary.setPen(pyqtgraph.mkPen(faint, width=width))
        self._unread.setBrush(ground)
        self._note.setBrush(QtGui.QColor(colours.dim))
        self._note.setFont(label_font(look))
        self._note.setPos(*(look.px(place) for place in NOTE_PLACE_PX))

    def show_trace(self, trace: Trace, axis: PlotAxis, factor: float = 1.0) -> None:
        """Draw a trace times a factor against an axis, if one of them is another."""
        if self._trace is not None and self._key(trace, axis, factor) == self._key(
            self._trace, self._axis, self._factor
        ):
            return
        self._trace, self._axis, self._factor = trace, axis, factor
        self._show_unread(trace, axis)
        for line in (self._preliminary, self._samples):
            line.bounds_changed()
        self._view.updateAutoRange()  # draws, if the range follows the data and they reach beyond it
        self._draw()

    def bounds(self, axis: int, across: tuple[float, float] | None) -> tuple[float | None, float | None]:
        """Return from where to where all that is known reaches, as shown: time for axis 0, values for axis 1.

        Values are those at the times ``across``, if these are given; None twice if there is nothing.
        """
        whole = None if self._trace is None else self._trace.time_range_s
        if self._trace is None or self._axis is None or whole is None:
            return None, None
        if axis == 0:
            begin, end = self._axis.places(np.array(whole))
            return float(begin), float(end)
        times_s = whole if across is None else self._axis.times_s(np.array(across))
        values = self._trace.value_range(float(times_s[0]), float(times_s[1]))
        if values is None:
            return None, None
        low, high = values[0] * self._factor, values[1] * self._factor
        room = LEAST_SHARE * max(abs(low), 1.0) if low == high else 0.0  # without it pyqtgraph invents a range
        return low - room, high + room

    @staticmethod
    def _key(trace: Trace, axis: PlotAxis | None, factor: float) -> tuple[object, ...]:
        return trace.version, None if axis is None else axis.key, factor

    def _draw(self, *_: object) -> None:
        """Draw what the present range shows; the signals of the view lead here."""
        if self._trace is None or self._axis is None:
            return
        begin, end = self._view.viewRange()[0]
        screen = self._view.getViewWidget()
        num_bins = max(int(self._view.width() * (1.0 if screen is None else screen.devicePixelRatioF())), 1)
        wanted = (*self._key(self._trace, self._axis, self._factor), begin, end, num_bins)
        if wanted == self._drawn or not (np.isfinite(begin) and np.isfinite(end) and begin < end):
            return
        self._drawn = wanted
        edges_s = self._axis.times_s(np.linspace(begin, end, num_bins + 1))
        visible = self._trace.visible_between(edges_s)
        for line, part in ((self._preliminary, visible.preliminary), (self._samples, visible.samples)):
            times_s, values = part.line(dot_s=DOT_PX * float(edges_s[-1] - edges_s[0]) / num_bins)
            line.setData(self._axis.places(times_s), values * self._factor)

    def _show_unread(self, trace: Trace, axis: PlotAxis) -> None:
        unread = trace.unread
        self._unread.setVisible(unread is not None)
        self._note.setText("")
        if unread is not None:
            self._unread.setRegion(axis.places(np.array((unread.begin_s, unread.end_s))))
            known = "a few samples here and there" if unread.is_sparse else "least and largest values"
            num_rows = f"{unread.num_rows:_}".replace("_", " ")
            self._note.setText(f"grey: {known}; {num_rows} rows still to be read")


class _Line(pyqtgraph.PlotCurveItem):  # type: ignore[misc]  # pyqtgraph tells no types
    """A line whose plot can follow all data, though only those in view are drawn."""

    def __init__(self, owner: HistoryCurve, **options: Any) -> None:
        self._owner = owner
        super().__init__(**options)

    def dataBounds(  # noqa: N802 - pyqtgraph's name
        self,
        ax: int,
        frac: float = 1.0,
        orthoRange: tuple[float, float] | None = None,  # noqa: N803
    ) -> tuple[float | None, float | None]:
        """Return the range of the whole trace."""
        return self._owner.bounds(ax, orthoRange)

    def bounds_changed(self) -> None:
        """Tell plot and scene."""
        self.invalidateBounds()
        self.prepareGeometryChange()
        self.informViewBoundsChanged()
