"""Words on a plot that say what each of its largest slope breaks is."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph
from PySide6 import QtGui

from operando.monitor.history.plot_axis import PlotAxis
from operando.monitor.history.plot_style import label_font
from operando.monitor.history.slope_breaks import PlacedBreak
from operando.monitor.theme import Look

ALPHA = 200  # of 255, behind words that lie on a trace
MOST = 8  # in one plot; more would hide the trace


class BreakLabels:
    """Places the words at the top of one plot; the items are made once and used again."""

    def __init__(self, plot: Any) -> None:
        self._plot = plot
        self._items: list[Any] = []

    @property
    def texts(self) -> tuple[str, ...]:
        """What can be read."""
        return tuple(item.toPlainText() for item in self._items if item.isVisible())

    def show(self, breaks: Sequence[PlacedBreak], axis: PlotAxis, look: Look) -> None:
        """Write what each break in view is, if they are few."""
        (begin, end), (_, top) = self._plot.getViewBox().viewRange()
        places = axis.places(np.array([entry.time_s for entry in breaks]))
        seen = [(entry, float(at)) for entry, at in zip(breaks, places, strict=True) if begin <= at <= end]
        written = seen if len(seen) <= MOST else []
        while len(self._items) < len(written):
            self._items.append(pyqtgraph.TextItem())
            self._plot.addItem(self._items[-1], ignoreBounds=True)
        ground = QtGui.QColor(look.colours.background)
        ground.setAlpha(ALPHA)
        for item, (entry, place) in zip(self._items, written, strict=False):
            item.fill = pyqtgraph.mkBrush(ground)
            item.setFont(label_font(look))
            item.setText(entry.found.short_text, color=look.colours.text)
            item.setAnchor((1.0 if place > (begin + end) / 2 else 0.0, 0.0))
            item.setPos(place, top)
            item.show()
        for item in self._items[len(written) :]:
            item.hide()
