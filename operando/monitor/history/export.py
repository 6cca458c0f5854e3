"""Writing what is seen into files: pictures of plots, and text of any length in a thread of its own."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from PySide6 import QtCore, QtGui, QtSvg, QtWidgets

SOON_S = 0.1  # what takes longer is waited for while the window goes on
LOOK_MS = 50


def write_picture(widget: QtWidgets.QGraphicsView, path: Path) -> None:
    """Write what is seen in a widget as PNG or, if the path says so, as SVG.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    seen = QtCore.QRectF(widget.viewport().rect())
    if path.suffix.lower() != ".svg":
        if not widget.grab().save(str(path)):
            raise OSError(f"{path} could not be written")
        return
    # The exporter of pyqtgraph 0.14 stumbles over the closed paths that Qt 6.11 writes around each plot.
    written = QtCore.QBuffer()
    generator = QtSvg.QSvgGenerator(QtSvg.QSvgGenerator.SvgVersion.Svg11)  # Tiny cannot cut lines off at a plot's edge
    generator.setOutputDevice(written)
    generator.setSize(seen.size().toSize())
    generator.setViewBox(seen)
    generator.setResolution(widget.logicalDpiX())  # axes are drawn from pictures, which are scaled by it
    generator.setTitle(path.stem)
    items = [item for item in widget.scene().items() if hasattr(item, "setExportMode")]
    for item in items:
        item.setExportMode(True, {})  # else signs are little pictures
    painter = QtGui.QPainter(generator)
    painter.fillRect(seen, widget.backgroundBrush())
    widget.scene().render(painter, seen, widget.mapToScene(widget.viewport().rect()).boundingRect())
    painter.end()
    for item in items:
        item.setExportMode(False)
    path.write_bytes(bytes(written.data().data()))


def write_text(parts: Iterator[str], path: Path, told: Callable[[int], None]) -> None:
    """Write parts of a text one after the other while the window goes on; return when all of it is in the file.

    Parameters
    ----------
    parts
        Taken in another thread.
    path
        The file appears, or takes the place of another, when it is complete.
    told
        Called in this thread now and then with the number of lines written.

    Raises
    ------
    OSError
        If it cannot be written, or the application ends before it is.
    """
    unfinished = path.with_name(f"{path.name}.part")
    ends, num_lines = Event(), 0

    def write() -> None:
        nonlocal num_lines
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            for part in parts:
                if ends.is_set():
                    raise OSError(f"{path} was not finished")
                file.write(part)
                num_lines += part.count("\n")
        os.replace(unfinished, path)

    with ThreadPoolExecutor(1, thread_name_prefix="export") as worker:
        written = worker.submit(write)
        try:
            written.exception(SOON_S)
        except TimeoutError:
            loop, timer = QtCore.QEventLoop(), QtCore.QTimer()
            timer.timeout.connect(lambda: loop.quit() if written.done() else told(num_lines))
            timer.start(LOOK_MS)
            loop.exec()
            ends.set()
    if (error := written.exception()) is not None:
        unfinished.unlink(missing_ok=True)
        raise error
