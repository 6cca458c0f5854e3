"""The page of pictures and of what was measured in them."""

import queue
from pathlib import Path

from PySide6 import QtCore, QtWidgets

from operando.model.plane_wish import PlaneWish, write_plane_wish
from operando.model.run_directory import RunDirectory
from operando.monitor.inside.choice import Choice
from operando.monitor.inside.control_row import ControlRow
from operando.monitor.inside.image_area import ImageArea
from operando.monitor.inside.inside_reader import InsideRead, InsideReader
from operando.monitor.inside.measurement_csv import write_measurements
from operando.monitor.inside.measurement_table import MeasurementTable
from operando.monitor.inside.quantity_plot import QuantityPlot
from operando.monitor.page import Page
from operando.monitor.reading.run_view import MeasurementView, RunView
from operando.monitor.theme import Look

PICTURES_SHARE, TABLE_SHARE = 0.52, 0.5  # of the width, and of the height beside them
GAP_PX = 6


class InsidePage(Page):
    """Slices, frames and comparisons; beside them the measurements as a table and one of them as a plot."""

    title = "Inside the cell"
    period_s = 0.04  # whole ticks of the window: pictures come 25 times a second if reading is quick
    export_suffixes = (".png", ".csv")

    def __init__(self, run: RunDirectory, look: Look) -> None:
        super().__init__(run, look)
        self._reader = InsideReader(run)
        self._wishes: queue.SimpleQueue[PlaneWish] = queue.SimpleQueue()
        self._choice = Choice()  # replaced as a whole, so that the reading thread has the old one or the new one
        self._follows, self._is_settled = False, False
        self._measurements: tuple[MeasurementView, ...] = ()
        self._controls, self._area = ControlRow(look), ImageArea(look)
        self._controls.changed.connect(self._choose)
        self._area.wished.connect(self._wish)
        self._area.row_wished.connect(lambda row: self._controls.choose(row=row))
        self._table, self._flags, self._plot = MeasurementTable(look), QtWidgets.QLabel(), QuantityPlot(look)
        self._flags.setWordWrap(True)
        self._flags.setProperty("role", "heading")
        measurements = QtWidgets.QWidget()
        below = QtWidgets.QVBoxLayout(measurements)
        below.setContentsMargins(0, 0, 0, 0)
        below.addWidget(self._table, 1)
        below.addWidget(self._flags)
        quantities = _split(QtCore.Qt.Orientation.Vertical, measurements, self._plot, TABLE_SHARE)
        self._layout = QtWidgets.QVBoxLayout(self)
        self._layout.addWidget(self._controls)
        self._layout.addWidget(_split(QtCore.Qt.Orientation.Horizontal, self._area, quantities, PICTURES_SHARE), 1)
        self._set_gaps(look)

    @property
    def choice(self) -> Choice:
        """What a person has chosen to see."""
        return self._choice

    def set_look(self, look: Look) -> None:
        """Take another size."""
        super().set_look(look)
        self._set_gaps(look)
        self._controls.set_look(look)
        self._area.set_look(look)
        self._plot.set_look(look)
        self._table.set_look(look)

    def read(self, view: RunView) -> InsideRead:
        """Read what was chosen; write where a person wants the planes."""
        self._write_wish()
        return self._reader.read(view, self._choice)

    def show_run(self, view: RunView, wall_s: float) -> None:
        """Show what was measured."""
        del wall_s
        self._controls.show_tomograms(view.tomograms)
        if view.measurements != self._measurements:
            self._measurements = view.measurements
            self._table.show_measurements(view.measurements)
            self._plot.show_measurements(view.measurements)
            flags = dict.fromkeys(flag.replace("_", " ") for entry in view.measurements for flag in entry.flags)
            self._flags.setText(f"! {', '.join(flags)} (point at a value to see which)" if flags else "")

    def show_read(self, read: InsideRead) -> None:
        """Show newer pictures."""
        self._follows, self._is_settled = read.follows, read.settled
        self._area.show_read(read)
        self._controls.show_automatic(read.automatic)
        self._plot.show_published(read.published)

    @property
    def is_settled(self) -> bool:
        """Whether the greys are those of all states."""
        return self._is_settled

    def chosen(self) -> tuple[Choice, str]:
        """Return what is seen, and which quantity is plotted."""
        return self._choice, "" if self._plot.shown is None else self._plot.shown.name

    def choose_again(self, chosen: tuple[Choice, str]) -> None:
        """See the same."""
        choice, quantity = chosen
        self._controls.choose(**vars(choice))
        if quantity:
            self._plot.choose(quantity)

    def export(self, path: Path) -> None:
        """Write the page as a picture, or all measurements as a table.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        if path.suffix == ".csv":
            write_measurements(path, self._measurements)
        else:
            super().export(path)

    def _set_gaps(self, look: Look) -> None:
        gap = look.px(GAP_PX)
        self._layout.setContentsMargins(gap, gap, gap, 0)
        self._layout.setSpacing(gap)

    def _choose(self, choice: Choice) -> None:
        self._choice = choice
        self._area.show_plane(choice.plane)

    def _wish(self, wish: PlaneWish) -> None:
        """Move the planes; those of a preview are moved by the analysis."""
        self._controls.choose(planes=None if wish == PlaneWish() else wish)
        if self._follows:
            self._wishes.put(wish)

    def _write_wish(self) -> None:
        """Write the newest of a person's wishes; the older ones are past."""
        wish = None
        while not self._wishes.empty():
            wish = self._wishes.get()
        if wish is not None:
            write_plane_wish(self.run.plane_wish, wish)


def _split(
    orientation: QtCore.Qt.Orientation, first: QtWidgets.QWidget, second: QtWidgets.QWidget, share: float
) -> QtWidgets.QSplitter:
    """Return two widgets beside each other whose border may be moved."""
    split = QtWidgets.QSplitter(orientation)
    split.setChildrenCollapsible(False)
    for widget, part in ((first, share), (second, 1 - share)):
        split.addWidget(widget)
        split.setStretchFactor(split.count() - 1, round(100 * part))
    split.setSizes([round(1000 * share), round(1000 * (1 - share))])
    return split
