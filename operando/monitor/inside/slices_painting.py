"""How the preview's slices, their planes and their scales are drawn."""

import math

import numpy as np
from PySide6 import QtCore, QtGui, QtWidgets

from operando.model.grey_window import GreyWindow
from operando.model.plane_wish import PlaneWish
from operando.model.preview_slices import PreviewSlices
from operando.monitor.inside.panel_layout import Place
from operando.monitor.theme import Look

AXES = {"xy": ("x", "y", "z"), "xz": ("x", "z", "y"), "yz": ("y", "z", "x")}  # to the right, downwards, through it
SERIES = {"z": 0, "y": 1, "x": 3}  # colours of the planes, by the axis that they cut
WHOLE_COVERAGE = 0.95
LINE_PX, BAR_PX = 18, 12  # in the smallest window
FEW_PIXELS = 200  # narrower slices show their voxels as squares


class SlicesPainter:
    """Draws the parts of a view of some slices, until `end`."""

    def __init__(self, widget: QtWidgets.QWidget, slices: PreviewSlices, look: Look) -> None:
        self._look, self._line = look, line_px(look)
        self._axis_colours = {axis: look.colours.series[index] for axis, index in SERIES.items()}
        self._painter = QtGui.QPainter(widget)
        self._slices = slices
        self._width, self._height = widget.width(), widget.height()

    def end(self) -> None:
        """Be done."""
        self._painter.end()

    def panel(self, name: str, place: Place, image: QtGui.QPixmap) -> None:
        """Draw a slice or the newest projection, with its title above."""
        target = QtCore.QRectF(place.x, place.y, place.width, place.height)
        self._painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform, image.width() >= FEW_PIXELS)
        self._painter.drawPixmap(target, image, QtCore.QRectF(image.rect()))
        title, colour = "newest projection", QtGui.QColor(self._look.colours.dim)
        if name in AXES:
            axis = AXES[name][2]
            title, colour = f"{name} at {self._position_text(axis)}", QtGui.QColor(self._axis_colours[axis])
            self._painter.setPen(colour)
            self._painter.drawRect(target)
        self._painter.setPen(colour)
        self._painter.drawText(QtCore.QPointF(place.x, place.y - 5), title)

    def planes(self, name: str, place: Place, at: PlaneWish, *, dashed: bool) -> None:
        """Draw where the other two planes cut a slice."""
        right, below, _ = AXES[name]
        x, y = place.x + getattr(at, right) * place.width, place.y + getattr(at, below) * place.height
        style = QtCore.Qt.PenStyle.DashLine if dashed else QtCore.Qt.PenStyle.SolidLine
        for axis, line in (
            (right, QtCore.QLineF(x, place.y, x, place.y + place.height)),
            (below, QtCore.QLineF(place.x, y, place.x + place.width, y)),
        ):
            colour = QtGui.QColor(self._axis_colours[axis])
            colour.setAlpha(150)
            self._painter.setPen(QtGui.QPen(colour, 1.0, style))
            self._painter.drawLine(line)

    def words(self, window: GreyWindow) -> None:
        """Write what the slices rest on above them, and what their greys are below."""
        line = QtCore.QRectF(0, 0, self._width, self._line)
        self._write(line, progress_text(self._slices), self._look.colours.text, QtCore.Qt.AlignmentFlag.AlignLeft)
        self._write(line, warning_text(self._slices), self._look.colours.warning, QtCore.Qt.AlignmentFlag.AlignRight)
        line.moveTop(self._height - self._line)
        greys = f"black {window.black_per_cm:g}, white {window.white_per_cm:g} {self._slices.unit}, square-root scale"
        self._write(line, greys, self._look.colours.dim, QtCore.Qt.AlignmentFlag.AlignRight)

    def scale_bar(self, place: Place) -> None:
        """Draw a round length at the bottom."""
        size, unit = (1.0, "voxels") if self._slices.voxel_size_um is None else (self._slices.voxel_size_um, "µm")
        per_px = size * self._slices.volume_shape[2] / max(place.width, 1.0)
        told = _round_length(0.3 * place.width * per_px)
        y = self._height - self._line / 2
        self._painter.fillRect(QtCore.QRectF(0, y - 2, told / per_px, 4), QtGui.QColor(self._look.colours.text))
        self._painter.setPen(QtGui.QColor(self._look.colours.text))
        self._painter.drawText(QtCore.QPointF(told / per_px + 6, y + 5), f"{told:g} {unit}")

    def grey_bar(self, window: GreyWindow, x: float) -> None:
        """Draw white at the top, black at the bottom, and round values where the square-root scale has them."""
        top = 2.5 * self._line
        height = self._height - top - self._line
        ramp = QtGui.QLinearGradient(0, top + height, 0, top)
        ramp.setColorAt(0, QtGui.QColor("black"))
        ramp.setColorAt(1, QtGui.QColor("white"))
        self._painter.fillRect(QtCore.QRectF(x, top, self._look.px(BAR_PX), height), ramp)
        self._painter.setPen(QtGui.QColor(self._look.colours.dim))
        self._painter.drawText(QtCore.QPointF(x, top - 10), self._slices.unit)
        lowest = top + height + self._line
        for value in window.ticks_per_cm():
            tick = top + (1 - float(window.share(np.asarray(value, np.float32)))) * height
            if lowest - tick >= self._line:  # the square root crowds the bright end
                lowest = tick
                self._painter.drawText(QtCore.QPointF(x + self._look.px(BAR_PX) + 4, tick + 4), f"{value:g}")

    def _write(self, line: QtCore.QRectF, text: str, colour: str, where: QtCore.Qt.AlignmentFlag) -> None:
        self._painter.setPen(QtGui.QColor(colour))
        self._painter.drawText(line, where | QtCore.Qt.AlignmentFlag.AlignVCenter, text)

    def _position_text(self, axis: str) -> str:
        """Say where a plane lies: y and x from the rotation axis, z from the top."""
        slices = self._slices
        at = dict(zip("zyx", (slices.row, slices.y, slices.x), strict=True))[axis]
        num = dict(zip("zyx", slices.volume_shape, strict=True))[axis]
        if slices.voxel_size_um is None:
            return f"{axis} = voxel {at} of {num}"
        origin = -0.5 if axis == "z" else (num - 1) / 2
        return f"{axis} = {(at - origin) * slices.voxel_size_um:.0f} µm"


def line_px(look: Look) -> int:
    """Return the height of a line of text."""
    return look.px(LINE_PX)


def progress_text(slices: PreviewSlices) -> str:
    """Say how many projections the slices hold."""
    if slices.complete:
        return f"{slices.tomogram}: complete, {slices.num_projections} projections"
    return f"{slices.tomogram}: {slices.num_projections} of {slices.num_announced} projections"


def warning_text(slices: PreviewSlices) -> str:
    """Say what is wrong with what is seen; empty if nothing is."""
    words = []
    if slices.coverage < WHOLE_COVERAGE:
        words.append(f"{slices.coverage:.0%} of the directions: smeared along the missing ones")
    if not slices.grey_values_absolute:
        words.append("grey values not absolute")
    return " · ".join(words)


def _round_length(longest: float) -> float:
    """Largest of 1, 2, 5, 10, 20, ... that is not longer than asked."""
    power = 10.0 ** math.floor(math.log10(max(longest, 1e-9)))
    return max(step * power for step in (1, 2, 5) if step * power <= longest)
