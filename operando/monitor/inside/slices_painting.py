"""How three slices, their planes, what is laid over them and their scales are drawn."""

import math

import numpy as np
from PySide6 import QtCore, QtGui, QtWidgets

from operando.model.plane_wish import PlaneWish
from operando.monitor.inside.arrow_painting import draw_arrow
from operando.monitor.inside.colour_scale import ColourScale
from operando.monitor.inside.displacement_arrows import Arrows
from operando.monitor.inside.drawn_image import DrawnImage
from operando.monitor.inside.panel_layout import Place
from operando.monitor.inside.slice_picture import SlicePicture
from operando.monitor.inside.state_planes import StatePlanes
from operando.monitor.theme import COLOURS, Look

AXES = {"xy": ("x", "y", "z"), "xz": ("x", "z", "y"), "yz": ("y", "z", "x")}  # to the right, downwards, through it
SERIES = {"z": 0, "y": 1, "x": 3}  # colours of the planes, by the axis that they cut
LINE_PX, BAR_PX = 18, 12  # in the smallest window
LEAST_LENGTH = 1e-9  # in µm or voxels; what is shorter is damage
LINE_ALPHA = 170  # of 255: what lies below a line shines through
FEW_PIXELS = 200  # narrower slices show their voxels as squares


class SlicesPainter:
    """Draws the parts of a view of some slices with a painter of that view."""

    def __init__(self, painter: QtGui.QPainter, widget: QtWidgets.QWidget, picture: SlicePicture, look: Look) -> None:
        self._look, self._line = look, line_px(look)
        self._axis_colours = {axis: look.colours.series[index] for axis, index in SERIES.items()}
        on_picture = COLOURS[picture.scale.ground].series
        self._line_colours = {axis: on_picture[index] for axis, index in SERIES.items()}
        self._painter = painter
        self._picture, self._planes = picture, picture.planes
        self._width, self._height = widget.width(), widget.height()

    def panel(self, name: str, place: Place, drawn: DrawnImage) -> None:
        """Draw a slice or the newest projection, with its title above."""
        image, target = drawn.image, QtCore.QRectF(place.x, place.y, place.width, place.height)
        self._painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform, image.width() >= FEW_PIXELS)
        self._painter.drawImage(target, image, QtCore.QRectF(image.rect()))
        title, colour = "newest projection", QtGui.QColor(self._look.colours.dim)
        if name in AXES:
            axis = AXES[name][2]
            title, colour = f"{name} at {position_text(self._planes, axis)}", QtGui.QColor(self._axis_colours[axis])
            self._painter.setPen(colour)
            self._painter.drawRect(target)
        self._painter.setPen(colour)
        self._painter.drawText(QtCore.QPointF(place.x, place.y - self._look.px(5)), title)

    def planes(self, name: str, place: Place, at: PlaneWish, *, dashed: bool) -> None:
        """Draw where the other two planes cut a slice."""
        right, below, _ = AXES[name]
        x, y = place.x + getattr(at, right) * place.width, place.y + getattr(at, below) * place.height
        style = QtCore.Qt.PenStyle.DashLine if dashed else QtCore.Qt.PenStyle.SolidLine
        for axis, line in (
            (right, QtCore.QLineF(x, place.y, x, place.y + place.height)),
            (below, QtCore.QLineF(place.x, y, place.x + place.width, y)),
        ):
            colour = QtGui.QColor(self._line_colours[axis])
            colour.setAlpha(LINE_ALPHA)
            self._painter.setPen(QtGui.QPen(colour, self._look.scale, style))
            self._painter.drawLine(line)

    def arrows(self, name: str, place: Place, arrows: Arrows) -> None:
        """Draw how far the cuboids have moved."""
        self._painter.setClipRect(QtCore.QRectF(place.x, place.y, place.width, place.height))
        for (across, down), (right, below) in zip(arrows.starts[name], arrows.moves[name], strict=True):
            start = QtCore.QPointF(place.x + across * place.width, place.y + down * place.height)
            draw_arrow(self._painter, start, QtCore.QPointF(right * place.width, below * place.height), self._look)
        self._painter.setClipping(False)

    def words(self) -> None:
        """Write what the slices rest on above them."""
        top = QtCore.QRectF(0, 0, self._width, self._line)
        told = self._write(top, self._planes.told, self._look.colours.text)
        top.setLeft(told.right() + self._look.px(LINE_PX))
        right, metrics = QtCore.Qt.AlignmentFlag.AlignRight, self._painter.fontMetrics()
        warning = metrics.elidedText(self._planes.warning, QtCore.Qt.TextElideMode.ElideRight, int(top.width()))
        self._write(top, warning, self._look.colours.warning, right)

    def scale_bar(self, name: str, place: Place, *, num_lines_below: int) -> None:
        """Draw a round length below the slices, and beside it in words what the colours mean."""
        voxel_um = self._planes.voxel_size_um
        size, unit = (1.0, "voxels") if voxel_um is None else (voxel_um, "µm")
        per_px = size * self._planes.values[name].shape[1] / max(place.width, 1.0)
        told = round_length(0.3 * place.width * per_px)
        y, thick = self._height - (num_lines_below - 0.5) * self._line, self._look.px(4)
        self._painter.fillRect(QtCore.QRectF(0, y - thick / 2, told / per_px, thick), self._ink)
        line = QtCore.QRectF(told / per_px + self._look.px(6), y - self._line / 2, self._width, self._line)
        line.setLeft(self._write(line, f"{told:g} {unit}", self._look.colours.text).right() + self._look.px(LINE_PX))
        line.setRight(self._width)
        scale, metrics = self._picture.scale, self._painter.fontMetrics()
        words = scale.words if metrics.horizontalAdvance(scale.words) < line.width() else scale.short_words
        self._write(line, words, self._look.colours.dim, QtCore.Qt.AlignmentFlag.AlignRight)

    def legend(self, name: str, place: Place) -> None:
        """Say what the masks and the arrows are, in the last line."""
        line = QtCore.QRectF(0, self._height - self._line, self._width, self._line)
        side = self._look.px(BAR_PX)
        for colour, words in self._picture.legend:
            box = QtCore.QRectF(line.left(), line.center().y() - side / 2, side, side)
            self._painter.fillRect(box, QtGui.QColor(colour))
            line.setLeft(box.right() + self._look.px(6))
            line.setLeft(self._write(line, words, self._look.colours.text).right() + self._look.px(LINE_PX))
        arrows = self._picture.arrows
        if arrows is not None:
            length = arrows.told_share[name] * place.width
            start = QtCore.QPointF(line.left(), line.center().y())
            draw_arrow(self._painter, start, QtCore.QPointF(length, 0), self._look)
            line.setLeft(line.left() + length + self._look.px(8))
            since = f" since {arrows.reference}" if arrows.reference else ""
            self._write(line, f"moved {arrows.told_um:g} µm{since}", self._look.colours.text)

    def colour_bar(self, scale: ColourScale, x: float, *, num_lines_below: int) -> None:
        """Draw the colours from the lowest value at the bottom up, and round values where the scale has them."""
        top = 2.5 * self._line
        height = max(self._height - top - (num_lines_below + 0.5) * self._line, 1.0)
        ramp = QtGui.QLinearGradient(0, top + height, 0, top)
        for number, colour in enumerate(scale.stops):
            ramp.setColorAt(number / (len(scale.stops) - 1), QtGui.QColor(*colour))
        bar = QtCore.QRectF(x, top, self._look.px(BAR_PX), height)
        self._painter.fillRect(bar, ramp)
        self._painter.setPen(QtGui.QColor(self._look.colours.line))
        self._painter.drawRect(bar)
        unit = QtCore.QRectF(x, top - 1.25 * self._line, self._width - x, self._line)
        self._write(unit, scale.unit, self._look.colours.dim)
        lowest = top + height + self._line
        for value in scale.ticks():
            tick = top + (1 - float(scale.places(np.array([value], np.float32))[0])) * height
            if lowest - tick >= self._line:  # the square root crowds the bright end
                lowest = tick
                line = QtCore.QRectF(bar.right() + self._look.px(4), tick - self._line / 2, self._width, self._line)
                self._write(line, f"{value:g}", self._look.colours.dim)

    @property
    def _ink(self) -> QtGui.QColor:
        return QtGui.QColor(self._look.colours.text)

    def _write(
        self,
        line: QtCore.QRectF,
        text: str,
        colour: str,
        where: QtCore.Qt.AlignmentFlag = QtCore.Qt.AlignmentFlag.AlignLeft,
    ) -> QtCore.QRectF:
        """Write into a line, and return the room that it took."""
        self._painter.setPen(QtGui.QColor(colour))
        return self._painter.drawText(line, where | QtCore.Qt.AlignmentFlag.AlignVCenter, text)


def line_px(look: Look) -> int:
    """Return the height of a line of text."""
    return look.px(LINE_PX)


def position_text(planes: StatePlanes, axis: str) -> str:
    """Say where a plane lies: y and x from the rotation axis, z from the top."""
    at = dict(zip("zyx", planes.at, strict=True))[axis]
    num = dict(zip("zyx", planes.shape, strict=True))[axis]
    if planes.voxel_size_um is None:
        return f"{axis} = voxel {at:g} of {num}"
    origin = -0.5 if axis == "z" else (num - 1) / 2
    whence = "below the top" if axis == "z" else "from the axis"
    return f"{axis} = {(at - origin) * planes.voxel_size_um:.0f} µm {whence}"


def round_length(longest: float) -> float:
    """Return the largest of 1, 2, 5, 10, 20, ... that is not longer than asked; 0 if there is no room for any."""
    if not LEAST_LENGTH <= longest < math.inf:
        return 0.0
    power = 10.0 ** math.floor(math.log10(longest))
    return max((step * power for step in (1, 2, 5) if step * power <= longest), default=power)
