"""Draws a trace in a plot: what its present range and width can show, redrawn when one of them or the data changed."""

from typing import Any

import pyqtgraph
from PySide6 import QtGui, QtWidgets

from operando.monitor.history.trace import Trace

LINE_WIDTH_PX = 1.2
FAINT_ALPHA = 120  # of 255, for what is preliminary
UNREAD_COLOUR, UNREAD_TEXT_COLOUR = "#8a8f9828", "#c9ced6"
NOTE_PLACE_PX = 8.0, 4.0
DOT_PX = 2  # a value alone between missing ones


class HistoryCurve:
    """One trace in one plot; where not all samples were read the line is faint on grey ground, and words say why.

    Parameters
    ----------
    plot
        A plot of pyqtgraph, whose range may follow all data.
    colour
        Of the line, as ``#rrggbb``.
    factor
        What logged values are multiplied with.
    """

    def __init__(self, plot: Any, colour: str, factor: float) -> None:
        self._plot, self._view, self._factor = plot, plot.getViewBox(), factor
        self._trace: Trace | None = None
        self._start_s, self._unit_s = 0.0, 1.0
        self._drawn: tuple[object, ...] = ()
        faint = QtGui.QColor(colour)
        faint.setAlpha(FAINT_ALPHA)
        self._samples, self._preliminary = (
            _Line(self, pen=pyqtgraph.mkPen(pen, width=LINE_WIDTH_PX), connect="finite") for pen in (colour, faint)
        )
        self._unread = pyqtgraph.LinearRegionItem(movable=False, brush=UNREAD_COLOUR, pen=pyqtgraph.mkPen(None))
        self._unread.hide()
        plot.addItem(self._unread, ignoreBounds=True)
        plot.addItem(self._preliminary)
        plot.addItem(self._samples)
        self._note = QtWidgets.QGraphicsSimpleTextItem(self._view)
        self._note.setBrush(QtGui.QColor(UNREAD_TEXT_COLOUR))
        self._note.setPos(*NOTE_PLACE_PX)
        self._view.sigXRangeChanged.connect(self._draw)
        self._view.sigResized.connect(self._draw)

    def show_trace(self, trace: Trace, start_s: float, unit_s: float) -> None:
        """Draw a trace against the time since ``start_s`` (s since 1970) in units of ``unit_s``, if it is another."""
        if self._trace is not None and self._key(trace, start_s, unit_s) == self._key(
            self._trace, self._start_s, self._unit_s
        ):
            return
        self._trace, self._start_s, self._unit_s = trace, start_s, unit_s
        self._show_unread(trace)
        for line in (self._preliminary, self._samples):
            line.bounds_changed()
        self._view.updateAutoRange()  # draws, if the range follows the data and they reach beyond it
        self._draw()

    def bounds(self, axis: int, across: tuple[float, float] | None) -> tuple[float | None, float | None]:
        """Return from where to where all that is known reaches, as shown: time for axis 0, values for axis 1.

        Values are those at the times ``across``, if these are given; None twice if there is nothing.
        """
        whole = None if self._trace is None else self._trace.time_range_s
        if self._trace is None or whole is None:
            return None, None
        if axis == 0:
            return (whole[0] - self._start_s) / self._unit_s, (whole[1] - self._start_s) / self._unit_s
        times_s = whole if across is None else tuple(self._start_s + time * self._unit_s for time in across)
        values = self._trace.value_range(times_s[0], times_s[1])
        return (None, None) if values is None else (values[0] * self._factor, values[1] * self._factor)

    @staticmethod
    def _key(trace: Trace, start_s: float, unit_s: float) -> tuple[object, ...]:
        return trace.version, start_s, unit_s

    def _draw(self, *_: object) -> None:
        """Draw what the present range shows; the signals of the view lead here."""
        if self._trace is None:
            return
        begin, end = self._view.viewRange()[0]
        screen = self._view.getViewWidget()
        num_bins = max(int(self._view.width() * (1.0 if screen is None else screen.devicePixelRatioF())), 1)
        wanted = (*self._key(self._trace, self._start_s, self._unit_s), begin, end, num_bins)
        if wanted == self._drawn:
            return
        self._drawn = wanted
        visible = self._trace.visible(
            self._start_s + begin * self._unit_s, self._start_s + end * self._unit_s, num_bins
        )
        for line, part in ((self._preliminary, visible.preliminary), (self._samples, visible.samples)):
            times_s, values = part.line(dot_s=DOT_PX * (end - begin) * self._unit_s / num_bins)
            line.setData((times_s - self._start_s) / self._unit_s, values * self._factor)

    def _show_unread(self, trace: Trace) -> None:
        unread = trace.unread
        self._unread.setVisible(unread is not None)
        self._note.setText("")
        if unread is not None:
            self._unread.setRegion(
                [(time_s - self._start_s) / self._unit_s for time_s in (unread.begin_s, unread.end_s)]
            )
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
