"""Three slices through a state, beside the newest projection; their planes are moved with the mouse."""

from dataclasses import replace

from PySide6 import QtCore, QtGui, QtWidgets

from operando.model.plane_wish import PlaneWish
from operando.monitor.inside.panel_layout import Place, arranged
from operando.monitor.inside.slice_picture import SlicePicture
from operando.monitor.inside.slices_painting import AXES, SlicesPainter, line_px
from operando.monitor.inside.state_planes import StatePlanes
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
    """Shows three planes through one state, and the newest projection beside them if there is one.

    Dragging in a slice moves the two planes that cut it, the wheel the plane that is shown; a double click puts all
    three back into the middle. Lines are dashed where a plane is wished, but not shown yet.
    """

    wished = QtCore.Signal(object)
    """A `PlaneWish`, whenever a person moves a plane."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._shown: SlicePicture | None = None
        self._wish: PlaneWish | None = None
        self._dragged: str | None = None
        self._alone = ""
        self.setMinimumSize(200, 120)
        self.setToolTip(
            "Drag in a slice to move the planes that cut it, turn the wheel to move the slice itself; "
            "a double click puts all three into the middle."
        )

    def set_look(self, look: Look) -> None:
        """Take another size."""
        self._look = look
        self.update()

    def show_picture(self, shown: SlicePicture) -> None:
        """Show newer slices."""
        if shown is self._shown:
            return
        before, self._shown = self._shown, shown
        planes = shown.planes
        if before is not None and shown.shares_planes_with(before) and PROJECTION in self._places():
            self.update(_rectangle(self._places()[PROJECTION]))  # twenty times a second while frames arrive
            return
        if self._wish is not None and planes.at in (self._wish.voxels(planes.shape), _middle(self._wish, planes)):
            self._wish = None
        self.update()

    def show_plane(self, name: str) -> None:
        """Show one plane alone; all three for an empty name."""
        self._alone = name
        self.update()

    def await_planes(self, wish: PlaneWish) -> None:
        """Draw where the planes will be, until they are there."""
        self._wish = wish
        self.update()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw slices, projection, planes, and what all of it rests on."""
        if self._shown is None:
            return
        with QtGui.QPainter(self) as painter:  # ended whatever happens: a painter left behind crashes Qt
            self._paint(SlicesPainter(painter, self, self._shown, self._look), event.region())

    def _paint(self, painter: SlicesPainter, region: QtGui.QRegion) -> None:
        assert self._shown is not None
        shown, places = self._shown, self._places()
        for name, place in places.items():
            if region.intersects(_rectangle(place)):
                painter.panel(name, place, shown.images[name])
        for name in AXES.keys() & places.keys():
            if shown.arrows is not None:
                painter.arrows(name, places[name], shown.arrows)
            painter.planes(name, places[name], self._present(), dashed=self._wish is not None)
        painter.words()
        painter.scale_bar(*next(iter(places.items())), num_lines_below=self._num_lines_below)
        painter.legend(*next(iter(places.items())))
        right = max(place.x + place.width for place in places.values())
        painter.colour_bar(shown.scale, right + self._look.px(GAP_PX), num_lines_below=self._num_lines_below)

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
            axis, volume = AXES[name][2], self._shown.planes.shape
            shape = dict(zip("zyx", volume, strict=True))
            at = dict(zip("zyx", self._present().voxels(volume), strict=True))
            at[axis] = min(max(at[axis] + (1 if turned > 0 else -1), 0), shape[axis] - 1)
            self._ask_for(PlaneWish.of_voxels((at["z"], at["y"], at["x"]), volume))

    def _drag_to(self, point: QtCore.QPointF) -> None:
        if self._dragged is not None:
            across, down = self._places()[self._dragged].share(point.x(), point.y())
            right, below, _ = AXES[self._dragged]
            self._ask_for(replace(self._present(), **{right: across, below: down}))

    def _ask_for(self, wish: PlaneWish) -> None:
        self.await_planes(wish)
        self.wished.emit(wish)

    def _present(self) -> PlaneWish:
        """Return where the planes are, or shall be."""
        if self._wish is not None or self._shown is None:
            return self._wish or PlaneWish()
        planes = self._shown.planes
        return PlaneWish(*(min((index + 0.5) / num, 1.0) for index, num in zip(planes.at, planes.shape, strict=True)))

    def _under(self, point: QtCore.QPointF) -> str | None:
        if self._shown is None:
            return None
        places = self._places()
        return next((name for name in AXES if name in places and places[name].holds(point.x(), point.y())), None)

    @property
    def _num_lines_below(self) -> int:
        """Return one line for the scales and one for what is laid over."""
        shown = self._shown
        return 2 if shown is not None and (shown.legend or shown.arrows is not None) else 1

    def _places(self) -> dict[str, Place]:
        assert self._shown is not None
        num_rows, num_y, num_x = self._shown.planes.shape
        sizes: dict[str, tuple[float, float]] = {"xy": (num_x, num_y), "xz": (num_x, num_rows), "yz": (num_y, num_rows)}
        if (projection := self._shown.images.get(PROJECTION)) is not None:
            sizes[PROJECTION] = num_x, num_x * projection.image.height() / projection.image.width()
        if self._alone:
            sizes = {self._alone: sizes[self._alone]}
        line, gap, bar = line_px(self._look), self._look.px(GAP_PX), self._look.px(BAR_WITH_TEXT_PX)
        height = self.height() - (1 + self._num_lines_below) * line - self._look.px(GAP_PX) / 2
        area = Place(0, line, self.width() - bar - gap, height)
        return arranged(sizes, ARRANGEMENTS, area, gap=gap, above=line)


def _rectangle(place: Place) -> QtCore.QRect:
    return QtCore.QRectF(place.x, place.y, place.width, place.height).toAlignedRect()


def _middle(wish: PlaneWish, planes: StatePlanes) -> tuple[float, float, float] | None:
    """Return where the planes of a finished volume lie if its middle is wished, which may be between voxels."""
    row, y, x = planes.shape
    return (row // 2, (y - 1) / 2, (x - 1) / 2) if wish == PlaneWish() else None
