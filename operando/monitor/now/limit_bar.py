"""A thin bar between two limits with a mark where the value lies."""

from math import isfinite

from PySide6 import QtCore, QtGui, QtWidgets

from operando.monitor.now.limit_distance import NEAR, Level, LimitDistance
from operando.monitor.theme import Look

HEIGHT, GROOVE = 16, 6  # at the smallest size of window
MARK = 5.0  # half its width


class LimitBar(QtWidgets.QWidget):
    """Lower limit, bar, upper limit; the zones where a value is near them are hatched at the ends."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._shown: LimitDistance | None = None
        self._inverted = False
        self.set_look(look)

    def set_look(self, look: Look) -> None:
        """Take another size."""
        self._look = look
        self.setFixedHeight(look.px(HEIGHT))
        self.update()

    def show_limit(self, limit: LimitDistance | None, *, inverted: bool) -> None:
        """Draw where a value lies; nothing without two limits."""
        if (limit, inverted) != (self._shown, self._inverted):
            self._shown, self._inverted = limit, inverted
            self.update()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the bar."""
        del event
        limit, look = self._shown, self._look
        if limit is None or not (limit.low_text and limit.high_text):
            return
        colours = look.colours
        ink = QtGui.QColor(colours.background if self._inverted else colours.text)
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        font = self.font()
        font.setPixelSize(look.px(12))
        painter.setFont(font)
        metrics = QtGui.QFontMetricsF(font)
        left = metrics.horizontalAdvance(limit.low_text) + look.px(6)
        right = self.width() - metrics.horizontalAdvance(limit.high_text) - look.px(6)
        painter.setPen(ink if self._inverted else QtGui.QColor(colours.dim))
        flags = QtCore.Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect(), flags | QtCore.Qt.AlignmentFlag.AlignLeft, limit.low_text)
        painter.drawText(self.rect(), flags | QtCore.Qt.AlignmentFlag.AlignRight, limit.high_text)
        height = look.px(GROOVE)
        top = (self.height() - height) / 2
        if self._inverted:
            painter.setPen(QtGui.QPen(ink, look.px(1)))
        else:
            painter.setPen(QtCore.Qt.PenStyle.NoPen)
            painter.setBrush(QtGui.QColor(colours.line))
        painter.drawRoundedRect(QtCore.QRectF(left, top, right - left, height), height / 2, height / 2)
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        zone = NEAR * (right - left)
        zone_colour = ink if self._inverted else QtGui.QColor(colours.warning)
        painter.setBrush(QtGui.QBrush(zone_colour, QtCore.Qt.BrushStyle.Dense3Pattern))
        for start in (left, right - zone):
            painter.drawRect(QtCore.QRectF(start, top, zone, height))
        if isfinite(limit.share):
            at = left + min(max(limit.share, 0.0), 1.0) * (right - left)
            mark = {Level.NEAR: colours.warning, Level.BEYOND: colours.alarm}.get(limit.level, colours.text)
            painter.setBrush(ink if self._inverted else QtGui.QColor(mark))
            half = look.px(MARK)
            painter.drawPolygon(
                [
                    QtCore.QPointF(at - half, 0),
                    QtCore.QPointF(at + half, 0),
                    QtCore.QPointF(at, self.height()),
                ]
            )
        painter.end()
