"""The page of pictures and of what was measured in them."""

import queue
from typing import Any

from PySide6 import QtCore, QtWidgets

from operando.model.plane_wish import PlaneWish, write_plane_wish
from operando.model.run_directory import RunDirectory
from operando.monitor.inside.measurement_table import MeasurementTable
from operando.monitor.inside.picture_panel import PicturePanel
from operando.monitor.page import Page
from operando.monitor.reading.pictures import Picture, PictureReader
from operando.monitor.reading.preview_reader import PreviewReader, ShownPreview
from operando.monitor.reading.run_view import RunView
from operando.monitor.theme import Look


class InsidePage(Page):
    """Slices that grow while a tomogram is taken, else the newest picture; below them the measurements."""

    title = "Inside the cell"
    period_s = 0.05

    def __init__(self, run: RunDirectory, look: Look) -> None:
        super().__init__(run, look)
        self._pictures, self._previews = PictureReader(run), PreviewReader(run)
        self._wishes: queue.SimpleQueue[PlaneWish] = queue.SimpleQueue()
        self._exposing = False
        self._panel = PicturePanel(look)
        self._panel.wished.connect(self._wishes.put)
        self._table, self._flags = MeasurementTable(), QtWidgets.QLabel()
        self._flags.setWordWrap(True)
        self._flags.setProperty("role", "dim")
        measurements = QtWidgets.QWidget()
        below = QtWidgets.QVBoxLayout(measurements)
        below.setContentsMargins(0, 0, 0, 0)
        below.addWidget(self._table, 1)
        below.addWidget(self._flags)
        split = QtWidgets.QSplitter(QtCore.Qt.Orientation.Vertical)
        split.addWidget(self._panel)
        split.addWidget(measurements)
        split.setSizes([600, 240])
        split.setChildrenCollapsible(False)
        layout = QtWidgets.QVBoxLayout(self)
        layout.addWidget(split)

    def set_look(self, look: Look) -> None:
        """Take another size."""
        super().set_look(look)
        self._panel.set_look(look)

    def read(self, view: RunView) -> Any:
        """Read newer pictures; write where a person wants the planes."""
        self._write_wish()
        newest = view.tomograms[-1] if view.tomograms else None
        return self._pictures.newest(view.running_tomogram), self._previews.newest(newest)

    def show_run(self, view: RunView, wall_s: float) -> None:
        """Show what was measured."""
        del wall_s
        self._exposing = view.running_tomogram is not None
        self._table.show_measurements(view.measurements)
        flags = dict.fromkeys(flag.replace("_", " ") for entry in view.measurements for flag in entry.flags)
        self._flags.setText(f"! {', '.join(flags)} (point at a value to see which)" if flags else "")

    def show_read(self, read: tuple[Picture | None, ShownPreview | None]) -> None:
        """Show newer pictures."""
        picture, preview = read
        self._panel.show_newest(picture, preview, exposing=self._exposing)

    def _write_wish(self) -> None:
        """Write the newest of a person's wishes; the older ones are past."""
        wish = None
        while not self._wishes.empty():
            wish = self._wishes.get()
        if wish is not None:
            write_plane_wish(self.run.plane_wish, wish)
