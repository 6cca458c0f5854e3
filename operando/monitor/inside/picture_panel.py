"""What there is to see: the slices that grow while a tomogram is taken, else the newest picture, with its caption."""

from PySide6 import QtCore, QtWidgets

from operando.monitor.inside.picture_view import PictureView
from operando.monitor.inside.slices_view import SlicesView
from operando.monitor.reading.pictures import Picture
from operando.monitor.reading.preview_reader import ShownPreview
from operando.monitor.theme import Look


class PicturePanel(QtWidgets.QWidget):
    """Shows slices or a picture, whichever is newer."""

    wished = QtCore.Signal(object)
    """A `PlaneWish`, whenever a person moves a plane."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._picture: Picture | None = None
        self._picture_view, self._slices_view = PictureView(), SlicesView(look)
        self._slices_view.wished.connect(self.wished)
        self._views = QtWidgets.QStackedWidget()
        self._views.addWidget(self._picture_view)
        self._views.addWidget(self._slices_view)
        self._caption = QtWidgets.QLabel()
        self._caption.setWordWrap(True)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._views, 1)
        layout.addWidget(self._caption)

    def set_look(self, look: Look) -> None:
        """Take another size."""
        self._slices_view.set_look(look)

    def show_newest(self, picture: Picture | None, preview: ShownPreview | None, *, exposing: bool) -> None:
        """Show what was read; while projections are exposed the picture is the newest of them."""
        if picture is not None and picture is not self._picture:
            self._picture = picture
            self._picture_view.show_picture(picture)
        self._views.setCurrentWidget(self._picture_view if preview is None else self._slices_view)
        if preview is not None:
            self._slices_view.show_preview(preview, picture if exposing else None)
        if picture is not None and (preview is None or exposing):
            self._caption.setText(picture.caption)
        else:
            self._caption.setText("No picture yet" if preview is None else "The analysis is still adding projections")
