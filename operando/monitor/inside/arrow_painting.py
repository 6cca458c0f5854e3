"""An arrow that is seen on black, on white and on every grey."""

import math

from PySide6 import QtCore, QtGui

from operando.monitor.theme import COLOURS, Look, Theme

# Pictures are the same in both themes, and so is what must stand out from them: a light line with a dark edge.
LIGHT, DARK = COLOURS[Theme.DARK].series[0], COLOURS[Theme.DARK].background
WIDTH_PX, HEAD_PX = 1.2, 4.0
HEAD_SHARE = 0.5  # of the arrow's length at most
HEAD_ANGLE = math.radians(28)


def draw_arrow(painter: QtGui.QPainter, start: QtCore.QPointF, move: QtCore.QPointF, look: Look) -> None:
    """Draw an arrow; what is shorter than its own width is a dot."""
    length = math.hypot(move.x(), move.y())
    painter.save()
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    width = WIDTH_PX * look.scale
    path = QtGui.QPainterPath(start)
    if length < width:
        path.lineTo(start + QtCore.QPointF(0.01, 0))
    else:
        end, head = start + move, min(HEAD_PX * look.scale, HEAD_SHARE * length)
        path.lineTo(end)
        towards = math.atan2(move.y(), move.x())
        for side in (-HEAD_ANGLE, HEAD_ANGLE):
            path.moveTo(end)
            path.lineTo(end - QtCore.QPointF(head * math.cos(towards + side), head * math.sin(towards + side)))
    for colour, thick in ((DARK, 2 * width), (LIGHT, width)):
        pen = QtGui.QPen(QtGui.QColor(colour), thick)
        pen.setCapStyle(QtCore.Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawPath(path)
    painter.restore()
