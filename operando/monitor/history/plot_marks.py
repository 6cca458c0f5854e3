"""Vertical lines and bands from bottom to top of a plot, whatever its range."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyqtgraph
from PySide6 import QtCore, QtGui, QtWidgets


@dataclass(frozen=True)
class PlotMark:
    """A line at a place in a colour; with ``begin`` and ``end`` a band is seen as well."""

    place: float
    colour: str
    width_px: float
    begin: float = 0.0
    end: float = 0.0
    is_dotted: bool = False


BAND_ALPHA = 60  # of 255


class PlotMarks(pyqtgraph.GraphicsObject):  # type: ignore[misc]  # pyqtgraph tells no types
    """Draws marks in a plot; it has no part in the plot's range."""

    def __init__(self, plot: Any) -> None:
        super().__init__()
        self._marks: tuple[PlotMark, ...] = ()
        plot.addItem(self, ignoreBounds=True)

    @property
    def marks(self) -> tuple[PlotMark, ...]:
        """What is drawn."""
        return self._marks

    def show_marks(self, marks: Sequence[PlotMark]) -> None:
        """Draw others."""
        if tuple(marks) != self._marks:
            self._marks = tuple(marks)
            self.update()

    def viewRangeChanged(self) -> None:  # noqa: N802 - pyqtgraph's name
        """Reach from bottom to top again."""
        self.prepareGeometryChange()
        self.update()

    def boundingRect(self) -> QtCore.QRectF:  # noqa: N802 - Qt's name
        """Return the whole plot."""
        seen = self.viewRect()
        return QtCore.QRectF() if seen is None else QtCore.QRectF(seen)

    def paint(
        self,
        painter: QtGui.QPainter,
        option: QtWidgets.QStyleOptionGraphicsItem,
        widget: QtWidgets.QWidget | None = None,
    ) -> None:
        """Draw bands, and lines upon them."""
        del option, widget
        seen = self.boundingRect()
        for mark in self._marks:
            if mark.end > mark.begin:
                ground = QtGui.QColor(mark.colour)
                ground.setAlpha(BAND_ALPHA)
                painter.fillRect(QtCore.QRectF(mark.begin, seen.top(), mark.end - mark.begin, seen.height()), ground)
        for mark in self._marks:
            pen = pyqtgraph.mkPen(mark.colour, width=mark.width_px)
            if mark.is_dotted:
                pen.setStyle(QtCore.Qt.PenStyle.DotLine)
            painter.setPen(pen)
            painter.drawLine(QtCore.QLineF(mark.place, seen.top(), mark.place, seen.bottom()))
