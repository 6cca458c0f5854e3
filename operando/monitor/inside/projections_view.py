"""What the camera sees: the newest projection, the newest flat, and the sinogram of a row that a person may move."""

import numpy as np
from PySide6 import QtCore, QtGui, QtWidgets

from operando.monitor.inside.arrow_painting import DARK, LIGHT
from operando.monitor.inside.axis_ticks import round_ticks
from operando.monitor.inside.frames_pictures import FramePicture
from operando.monitor.inside.panel_layout import Place
from operando.monitor.inside.projections_reader import DrawnSinogram, ShownProjections
from operando.monitor.inside.sinogram import TRANSMISSION
from operando.monitor.theme import Look

LINE_PX, GAP_PX, TICK_PX = 18, 14, 4
ANGLE_AXIS_PX = 66  # the words beside the sinogram
FRAMES_SHARE = 0.5  # of the width, at most
ROW_EDGE = 2.5  # how much wider the dark edge of the row's line is
TICK_DISTANCE_LINES = 2.5
COLUMN_TICK_PX = 80


class ProjectionsView(QtWidgets.QWidget):
    """Frames to the left, the sinogram to the right; dragging in a frame or the wheel moves the row."""

    row_wished = QtCore.Signal(int)
    """A row of the detector, whenever a person moves it."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._shown: ShownProjections | None = None
        self._row: int | None = None  # that is wished, but not shown yet
        self._dragged = False
        self.setMinimumSize(200, 120)
        self.setToolTip("Drag in a frame to move the row of the sinogram; the wheel moves it by one.")

    def set_look(self, look: Look) -> None:
        """Take another size."""
        self._look = look
        self.update()

    def show_projections(self, shown: ShownProjections) -> None:
        """Show newer frames."""
        if self._shown != shown:
            self._shown = shown
            if shown.sinogram is not None and shown.sinogram.sinogram.row == self._row:
                self._row = None
            self.update()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw what there is."""
        if self._shown is None:
            return
        with QtGui.QPainter(self) as painter:  # ended whatever happens: a painter left behind crashes Qt
            for frame, place in self._frames():
                self._draw_frame(painter, frame, place)
            self._draw_sinogram(painter, self._shown.sinogram, self._sinogram_place())

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Take hold of the row."""
        if event.button() is QtCore.Qt.MouseButton.LeftButton and self._under(event.position()) is not None:
            self._dragged = True
            self._drag_to(event.position())

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Move it."""
        self._drag_to(event.position())

    def mouseReleaseEvent(self, event: QtGui.QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Let go of it."""
        self._dragged = False

    def wheelEvent(self, event: QtGui.QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Move the row by one."""
        row, turned = self._present_row(), event.angleDelta().y()
        if row is not None and turned:
            self._ask_for(row + (-1 if turned > 0 else 1))

    def _drag_to(self, point: QtCore.QPointF) -> None:
        if self._dragged and (frames := self._frames()):
            frame, place = frames[0]
            held = self._under(point)
            if held is not None:
                frame, place = held
            self._ask_for(int(place.share(point.x(), point.y())[1] * frame.image.image.height()))

    def _ask_for(self, row: int) -> None:
        if self._shown is not None and self._shown.sinogram is not None:
            self._row = min(max(row, 0), self._shown.sinogram.sinogram.num_rows - 1)
            self.row_wished.emit(self._row)
            self.update()

    def _present_row(self) -> int | None:
        if self._row is not None or self._shown is None or self._shown.sinogram is None:
            return self._row
        return self._shown.sinogram.sinogram.row

    def _under(self, point: QtCore.QPointF) -> tuple[FramePicture, Place] | None:
        return next((held for held in self._frames() if held[1].holds(point.x(), point.y())), None)

    def _frames(self) -> list[tuple[FramePicture, Place]]:
        """Return the frames above each other, as large as their place allows."""
        shown = self._shown
        frames = [] if shown is None else [frame for frame in (shown.projection, shown.flat) if frame is not None]
        if not frames:
            return []
        line, gap = self._look.px(LINE_PX), self._look.px(GAP_PX)
        room = (self.height() - gap) / len(frames) - 2 * line
        sizes = [frame.image.image.size() for frame in frames]
        scale = min(
            FRAMES_SHARE * self.width() / max(size.width() for size in sizes),
            max(room, 1.0) / max(size.height() for size in sizes),
        )
        places, y = [], float(line)
        for frame, size in zip(frames, sizes, strict=True):
            places.append((frame, Place(0.0, y, scale * size.width(), scale * size.height())))
            y += scale * size.height() + 2 * line + gap
        return places

    def _sinogram_place(self) -> Place:
        line = self._look.px(LINE_PX)
        frames = self._frames()
        widest = max((self._room_of(frame, place) for frame, place in frames), default=0.0)
        x = widest + self._look.px(GAP_PX) + self._look.px(ANGLE_AXIS_PX)
        return Place(x, line, max(self.width() - x - self._look.px(GAP_PX), 1.0), max(self.height() - 4.2 * line, 1.0))

    def _room_of(self, frame: FramePicture, place: Place) -> float:
        """Return the width of a frame or of the words at it, whichever is wider."""
        metrics = self.fontMetrics()
        words = max(metrics.horizontalAdvance(text) for text in (frame.title, frame.scale.words))
        return max(place.width, float(words))

    def _draw_frame(self, painter: QtGui.QPainter, frame: FramePicture, place: Place) -> None:
        line, target = self._look.px(LINE_PX), _rectangle(place)
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(target, frame.image.image, QtCore.QRectF(frame.image.image.rect()))
        colours = self._look.colours
        self._write(painter, QtCore.QRectF(0, place.y - line, self.width(), line), frame.title, colours.text)
        below = QtCore.QRectF(0, place.y + place.height, self.width(), line)
        self._write(painter, below, frame.scale.words, colours.dim)
        row = self._present_row()
        if row is not None:
            y = place.y + (row + 0.5) / frame.image.image.height() * place.height
            style = QtCore.Qt.PenStyle.SolidLine if self._row is None else QtCore.Qt.PenStyle.DashLine
            for colour, width in ((DARK, ROW_EDGE * self._look.scale), (LIGHT, self._look.scale)):
                painter.setPen(QtGui.QPen(QtGui.QColor(colour), width, style))
                painter.drawLine(QtCore.QLineF(place.x, y, place.x + place.width, y))

    def _draw_sinogram(self, painter: QtGui.QPainter, drawn: DrawnSinogram | None, place: Place) -> None:
        line, colours = self._look.px(LINE_PX), self._look.colours
        title = QtCore.QRectF(place.x, place.y - line, place.width, line)
        if drawn is None:
            self._write(painter, title, "no sinogram: no projection that can be read", colours.dim)
            return
        sinogram = drawn.sinogram
        told = f"sinogram of row {sinogram.row} of {sinogram.num_rows}: {sinogram.quantity}"
        told += "" if sinogram.quantity == TRANSMISSION else ", since flat or dark cannot be read"
        title.setLeft(title.right() - max(place.width, self.fontMetrics().horizontalAdvance(told)))
        self._write(painter, title, told, colours.text)
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(_rectangle(place), drawn.image.image, QtCore.QRectF(drawn.image.image.rect()))
        bottom = place.y + place.height
        edge = place.x + place.width
        painter.setPen(QtGui.QColor(colours.dim))
        columns = round_ticks(0, sinogram.num_columns, max(int(place.width / self._look.px(COLUMN_TICK_PX)), 2))
        for column in columns:
            x = place.x + column / sinogram.num_columns * place.width
            self._tick(painter, QtCore.QPointF(x, bottom), QtCore.QPointF(x, bottom + self._look.px(TICK_PX)))
            box = QtCore.QRectF(x - 2 * line, bottom + self._look.px(TICK_PX), 4 * line, line)
            self._write(painter, box, f"{column:g}", colours.dim, QtCore.Qt.AlignmentFlag.AlignHCenter)
        below = QtCore.QRectF(place.x, bottom + 1.2 * line, place.width, line)
        self._write(painter, below, "detector column", colours.dim, QtCore.Qt.AlignmentFlag.AlignHCenter)
        words = drawn.scale.words
        for step, what in ((sinogram.line_step, "projection"), (sinogram.column_step, "column")):
            words += f" · every {_nth(step)} {what}" if step > 1 else ""
        below.moveTop(bottom + 2.2 * line)
        below.setLeft(edge - max(place.width, self.fontMetrics().horizontalAdvance(words)))
        self._write(painter, below, words, colours.dim, QtCore.Qt.AlignmentFlag.AlignRight)
        self._draw_angles(painter, drawn, place)

    def _draw_angles(self, painter: QtGui.QPainter, drawn: DrawnSinogram, place: Place) -> None:
        """Draw the axis beside the sinogram: angles where each line follows the one before, else projections."""
        sinogram, line, colours = drawn.sinogram, self._look.px(LINE_PX), self._look.colours
        num = len(sinogram.values)
        most = max(int(place.height / (TICK_DISTANCE_LINES * line)), 2)
        if sinogram.turns_one_way:
            angles, name = sinogram.angles_deg, "angle [deg]"
            ticks = round_ticks(float(angles[0]), float(angles[-1]), most)
            order = slice(None, None, 1 if angles[-1] > angles[0] else -1)
            lines = np.interp(ticks, angles[order], np.arange(num, dtype=float)[order])
        else:
            name, ticks = "projection", round_ticks(0, (num - 1) * sinogram.line_step, most)
            lines = np.array(ticks) / sinogram.line_step
        for value, at in zip(ticks, lines, strict=True):
            y = place.y + (float(at) + 0.5) / num * place.height
            self._tick(painter, QtCore.QPointF(place.x - self._look.px(TICK_PX), y), QtCore.QPointF(place.x, y))
            left = place.x - self._look.px(ANGLE_AXIS_PX)
            box = QtCore.QRectF(left, y - line / 2, self._look.px(ANGLE_AXIS_PX) - self._look.px(2 * TICK_PX), line)
            self._write(painter, box, f"{value:g}", colours.dim, QtCore.Qt.AlignmentFlag.AlignRight)
        painter.save()
        painter.translate(place.x - self._look.px(ANGLE_AXIS_PX), place.y + place.height / 2)
        painter.rotate(-90)
        across = QtCore.QRectF(-place.height / 2, 0, place.height, line)
        self._write(painter, across, name, colours.dim, QtCore.Qt.AlignmentFlag.AlignHCenter)
        painter.restore()

    def _tick(self, painter: QtGui.QPainter, start: QtCore.QPointF, end: QtCore.QPointF) -> None:
        painter.setPen(QtGui.QPen(QtGui.QColor(self._look.colours.dim), self._look.scale))
        painter.drawLine(start, end)

    @staticmethod
    def _write(
        painter: QtGui.QPainter,
        line: QtCore.QRectF,
        text: str,
        colour: str,
        where: QtCore.Qt.AlignmentFlag = QtCore.Qt.AlignmentFlag.AlignLeft,
    ) -> None:
        painter.setPen(QtGui.QColor(colour))
        painter.drawText(line, where | QtCore.Qt.AlignmentFlag.AlignVCenter, text)


def _rectangle(place: Place) -> QtCore.QRectF:
    return QtCore.QRectF(place.x, place.y, place.width, place.height)


def _nth(step: int) -> str:
    return {2: "2nd", 3: "3rd"}.get(step, f"{step}th")
