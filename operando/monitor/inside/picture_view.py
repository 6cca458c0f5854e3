"""A picture as large as its place allows, scaled smoothly so that writing in it stays legible."""

import numpy as np
from PySide6 import QtCore, QtGui, QtWidgets

from operando.monitor.inside.colour_scale import StraightScale
from operando.monitor.inside.drawn_image import draw_image
from operando.monitor.reading.pictures import Picture

FEW_PIXELS = 200  # narrower pictures show their pixels as squares


class PictureView(QtWidgets.QWidget):
    """Shows one picture and keeps its proportions; a double click shows it in a window of its own, in full size."""

    def __init__(self) -> None:
        super().__init__()
        self._pixmap = QtGui.QPixmap()
        self._shown: Picture | None = None
        self._enlarged: QtWidgets.QLabel | None = None
        self.setMinimumSize(200, 120)
        self.setToolTip("A double click shows the picture in full size.")

    def show_picture(self, picture: Picture) -> None:
        """Show another picture, if it is another."""
        if picture is self._shown:
            return
        self._shown = picture
        self._pixmap = QtGui.QPixmap.fromImage(_as_image(picture))
        if self._enlarged is not None:
            self._enlarged.setPixmap(self._pixmap)
        self.update()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the picture in the middle of its place."""
        if self._pixmap.isNull():
            return
        mode = QtCore.Qt.TransformationMode
        scaled = self._pixmap.scaled(
            self.size() * self.devicePixelRatio(),
            QtCore.Qt.AspectRatioMode.KeepAspectRatio,
            mode.FastTransformation if self._pixmap.width() < FEW_PIXELS else mode.SmoothTransformation,
        )
        scaled.setDevicePixelRatio(self.devicePixelRatio())
        size = scaled.deviceIndependentSize()
        painter = QtGui.QPainter(self)
        painter.drawPixmap(
            QtCore.QPointF((self.width() - size.width()) / 2, (self.height() - size.height()) / 2), scaled
        )
        painter.end()

    def mouseDoubleClickEvent(self, event: QtGui.QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Open the picture in full size."""
        self._enlarged = QtWidgets.QLabel(self, QtCore.Qt.WindowType.Window)
        self._enlarged.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        self._enlarged.destroyed.connect(self._forget_enlarged)
        self._enlarged.setWindowTitle(self.window().windowTitle())
        self._enlarged.setPixmap(self._pixmap)
        self._enlarged.show()

    def _forget_enlarged(self) -> None:
        self._enlarged = None


def _as_image(picture: Picture) -> QtGui.QImage:
    if picture.image.ndim == 2:
        return draw_image(picture.image, StraightScale(*picture.levels, "")).image.copy()
    colours = np.ascontiguousarray(picture.image, np.uint8)
    height, width, _ = colours.shape
    return QtGui.QImage(colours.data, width, height, 3 * width, QtGui.QImage.Format.Format_RGB888).copy()
