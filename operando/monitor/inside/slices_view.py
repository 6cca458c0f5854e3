"""Three slices that grow with the projections, beside the newest projection; their planes are moved with the mouse."""

from dataclasses import replace

from PySide6 import QtCore, QtGui, QtWidgets

from operando.model.plane_wish import PlaneWish
from operando.model.preview_slices import PreviewSlices
from operando.monitor.inside.grey_image import slice_image, straight_image
from operando.monitor.inside.panel_layout import Place, arranged
from operando.monitor.inside.slices_painting import AXES, SlicesPainter, line_px
from operando.monitor.reading.pictures import Picture
from operando.monitor.reading.preview_reader import ShownPreview
from operando.monitor.theme import Look

PROJECTION = "projection"
ARRANGEMENTS = (
    (("xy",), ("xz", "yz", PROJECTION)),
    (("xy", PROJECTION), ("xz", "yz")),
    (("xy",), ("xz", "yz"), (PROJECTION,)),
    (("xy",), ("xz",), ("yz",), (PROJECTION,)),
    (("xy", "xz", "yz", PROJECTION),),
)
GAP_PX, BAR_WITH_TEXT_PX = 10, 52


class SlicesView(QtWidgets.QWidget):
    """Shows the preview of the tomogram that is being taken.

    Dragging in a slice moves the two planes that cut it, the wheel the plane that is shown; a double click puts all
    three back into the middle. Lines are dashed where a plane is wished, but not shown yet.
    """

    wished = QtCore.Signal(object)
    """A `PlaneWish`, whenever a person moves a plane."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._shown: ShownPreview | None = None
        self._images: dict[str, QtGui.QPixmap] = {}
        self._projection: Picture | None = None
        self._wish: PlaneWish | None = None
        self._dragged: str | None = None
        self.setMinimumSize(200, 120)
        self.setToolTip(
            "Drag in a slice to move the planes that cut it, turn the wheel to move the slice itself; "
            "a double click puts all three into the middle."
        )

    def set_look(self, look: Look) -> None:
        """Take another size."""
        self._look = look
        self.update()

    def show_preview(self, shown: ShownPreview, projection: Picture | None) -> None:
        """Show newer slices; ``projection`` is the newest one, if any."""
        if shown is not self._shown:
            for name in AXES:
                image = slice_image(getattr(shown.slices, name), shown.window)
                self._images[name] = QtGui.QPixmap.fromImage(image)
            self._shown = shown
            if self._wish is not None and self._wish.voxels(shown.slices.volume_shape) == _at(shown.slices):
                self._wish = None
        if projection is None or projection.image.ndim != 2:
            self._images.pop(PROJECTION, None)
        elif projection is not self._projection:
            image = straight_image(projection.image, projection.levels)
            self._images[PROJECTION] = QtGui.QPixmap.fromImage(image)
        self._projection = projection
        self.update()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw slices, projection, planes, and what all of it rests on."""
        if self._shown is None:
            return
        slices, places = self._shown.slices, self._places()
        painter = SlicesPainter(self, slices, self._look)
        for name, place in places.items():
            painter.panel(name, place, self._images[name])
        for name in AXES:
            painter.planes(name, places[name], self._present(), dashed=self._wish is not None)
        painter.words(self._shown.window)
        painter.scale_bar(places["xy"])
        painter.grey_bar(
            self._shown.window, max(place.x + place.width for place in places.values()) + self._look.px(GAP_PX)
        )
        painter.end()

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Take hold of the planes that cut the slice under the mouse."""
        if event.button() is QtCore.Qt.MouseButton.LeftButton:
            self._dragged = self._under(event.position())
            self._drag_to(event.position())

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Move them."""
        self._drag_to(event.position())

    def mouseReleaseEvent(self, event: QtGui.QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Let go of them."""
        self._dragged = None

    def mouseDoubleClickEvent(self, event: QtGui.QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Put all planes into the middle."""
        self._ask_for(PlaneWish())

    def wheelEvent(self, event: QtGui.QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Move the slice under the mouse by one voxel."""
        name = self._under(event.position())
        if self._shown is not None and name is not None and (turned := event.angleDelta().y()):
            axis = AXES[name][2]
            shape = dict(zip("zyx", self._shown.slices.volume_shape, strict=True))
            at = dict(zip("zyx", self._present().voxels(self._shown.slices.volume_shape), strict=True))
            at[axis] = min(max(at[axis] + (1 if turned > 0 else -1), 0), shape[axis] - 1)
            self._ask_for(PlaneWish.of_voxels((at["z"], at["y"], at["x"]), self._shown.slices.volume_shape))

    def _drag_to(self, point: QtCore.QPointF) -> None:
        if self._dragged is not None:
            across, down = self._places()[self._dragged].share(point.x(), point.y())
            right, below, _ = AXES[self._dragged]
            self._ask_for(replace(self._present(), **{right: across, below: down}))

    def _ask_for(self, wish: PlaneWish) -> None:
        self._wish = wish
        self.wished.emit(wish)
        self.update()

    def _present(self) -> PlaneWish:
        """Return where the planes are, or shall be."""
        if self._wish is not None or self._shown is None:
            return self._wish or PlaneWish()
        return PlaneWish.of_voxels(_at(self._shown.slices), self._shown.slices.volume_shape)

    def _under(self, point: QtCore.QPointF) -> str | None:
        if self._shown is None:
            return None
        places = self._places()
        return next((name for name in AXES if places[name].holds(point.x(), point.y())), None)

    def _places(self) -> dict[str, Place]:
        assert self._shown is not None
        slices = self._shown.slices
        num_rows, num_y, num_x = slices.volume_shape
        sizes: dict[str, tuple[float, float]] = {"xy": (num_x, num_y), "xz": (num_x, num_rows), "yz": (num_y, num_rows)}
        if (projection := self._images.get(PROJECTION)) is not None:
            sizes[PROJECTION] = num_x, num_x * projection.height() / projection.width()
        line, gap, bar = line_px(self._look), self._look.px(GAP_PX), self._look.px(BAR_WITH_TEXT_PX)
        area = Place(0, line, self.width() - bar - gap, self.height() - 2 * line)
        return arranged(sizes, ARRANGEMENTS, area, gap=gap, above=line)


def _at(slices: PreviewSlices) -> tuple[int, int, int]:
    return slices.row, slices.y, slices.x
