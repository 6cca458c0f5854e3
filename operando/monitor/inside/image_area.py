"""The place of all pictures: slices of one state or two, frames, a picture of another kind, or words why none."""

from PySide6 import QtCore, QtWidgets

from operando.model.plane_wish import PlaneWish
from operando.monitor.inside.inside_reader import InsideRead
from operando.monitor.inside.picture_view import PictureView
from operando.monitor.inside.projections_view import ProjectionsView
from operando.monitor.inside.slice_picture import SlicePicture
from operando.monitor.inside.slices_view import SlicesView
from operando.monitor.theme import Look

FLAT_PLANES = ("xz", "yz")  # which are larger one below the other


class ImageArea(QtWidgets.QWidget):
    """Shows what was read, with its caption below."""

    wished = QtCore.Signal(object)
    """A `PlaneWish`, whenever a person moves a plane."""
    row_wished = QtCore.Signal(int)
    """A row of the detector, whenever a person moves it."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._picture_view, self._projections = PictureView(), ProjectionsView(look)
        self._slices = SlicesView(look), SlicesView(look)
        self._words, self._caption = QtWidgets.QLabel(), QtWidgets.QLabel()
        self._words.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        for label in (self._words, self._caption):
            label.setWordWrap(True)
        self._both = QtWidgets.QWidget()
        self._beside = beside = QtWidgets.QHBoxLayout(self._both)
        beside.setContentsMargins(0, 0, 0, 0)
        for view in self._slices:
            beside.addWidget(view, 1)
            view.wished.connect(self._wish)
        self._projections.row_wished.connect(self.row_wished)
        self._views = QtWidgets.QStackedWidget()
        for widget in (self._words, self._picture_view, self._both, self._projections):
            self._views.addWidget(widget)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._views, 1)
        layout.addWidget(self._caption)

    @property
    def slices(self) -> tuple[SlicesView, ...]:
        """The views of slices that are seen."""
        if self._views.currentWidget() is not self._both:
            return ()
        return tuple(view for view in self._slices if not view.isHidden())

    def set_look(self, look: Look) -> None:
        """Take another size."""
        for view in (*self._slices, self._projections):
            view.set_look(look)

    def show_plane(self, name: str) -> None:
        """Show one plane alone; all three for an empty name."""
        for view in self._slices:
            view.show_plane(name)
        directions = QtWidgets.QBoxLayout.Direction
        self._beside.setDirection(directions.TopToBottom if name in FLAT_PLANES else directions.LeftToRight)

    def show_read(self, read: InsideRead) -> None:
        """Show what was read."""
        seen: QtWidgets.QWidget = self._words
        if read.projections is not None:
            self._projections.show_projections(read.projections)
            seen = self._projections
        elif read.pictures:
            self._show_slices(read.pictures)
            seen = self._both
        elif read.picture is not None:
            self._picture_view.show_picture(read.picture)
            seen = self._picture_view
        self._views.setCurrentWidget(seen)
        self._words.setText(read.caption if seen is self._words else "")
        self._caption.setText("" if seen is self._words else read.caption)

    def _show_slices(self, pictures: tuple[SlicePicture, ...]) -> None:
        for number, view in enumerate(self._slices):
            view.setVisible(number < len(pictures))
            if number < len(pictures):
                view.show_picture(pictures[number])

    def _wish(self, wish: PlaneWish) -> None:
        for view in self._slices:
            view.await_planes(wish)
        self.wished.emit(wish)
