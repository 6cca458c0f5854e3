"""The monitor's window: present values, traces, tomograms, newest picture, measurements and the guard's log."""

from concurrent.futures import Future, ThreadPoolExecutor
from html import escape
from typing import Any

import pyqtgraph
from PySide6 import QtCore, QtGui, QtWidgets

from operando.model.clock import Clock
from operando.model.run_directory import RunDirectory
from operando.monitor.figure_panel import FigurePanel
from operando.monitor.pictures import Picture, PictureReader
from operando.monitor.run_reader import RunReader
from operando.monitor.run_tables import EventList, MeasurementTable
from operando.monitor.run_view import RunView
from operando.monitor.trace_plots import TracePlots

UPDATE_MS = 250
STATE_COLOURS = {"TRIPPED": "#d94f4f", "UNSAFE": "#d94f4f", "HOLDING": "#f2c14e", "RUNNING": "#5fb878"}


class MonitorWindow(QtWidgets.QMainWindow):
    """Follows a run; files are read in a thread of their own so that a slow disk never stops the window.

    Parameters
    ----------
    run
        The run directory; nothing in it is changed.
    host_clock
        The host's clock, for the age of what is shown.
    """

    def __init__(self, run: RunDirectory, host_clock: Clock) -> None:
        super().__init__()
        self._reader, self._pictures = RunReader(run), PictureReader(run)
        self._clock = host_clock
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="run reader")
        self._pending: Future[tuple[RunView, Picture | None]] | None = None
        self._picture: Picture | None = None
        self.view: RunView | None = None
        self.setWindowTitle(run.path.name)
        self.resize(1440, 900)
        self._build()
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self._timer.start(UPDATE_MS)

    def refresh(self) -> None:
        """Show what was read since the last call, if anything, and ask for more."""
        if self._pending is not None:
            if not self._pending.done():
                return
            error = self._pending.exception()
            if error is None:
                self._show(*self._pending.result())
            else:  # the window stays; a person must see why it stands still
                self.statusBar().showMessage(f"Reading the run failed: {type(error).__name__}: {error}")
        self._pending = self._worker.submit(self._read)

    def closeEvent(self, event: QtGui.QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """End the timer and the reading thread."""
        self._timer.stop()
        self._worker.shutdown(wait=True)
        self._reader.close()
        super().closeEvent(event)

    def _read(self) -> tuple[RunView, Picture | None]:
        view = self._reader.update()
        return view, self._pictures.newest(view.running_tomogram)

    def _build(self) -> None:
        self.setStyleSheet(
            "QMainWindow, QWidget { background: #17191d; color: #e8e8e8; }"
            "QHeaderView::section { background: #22262c; color: #c9ced6; padding: 3px; border: 0; }"
            "QTableWidget, QListWidget { background: #1c1f24; gridline-color: #33383f; border: 0; }"
            "QSplitter::handle { background: #33383f; }"
        )
        pyqtgraph.setConfigOption("background", "#17191d")
        self._banner = QtWidgets.QLabel()
        self._banner.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self._state = QtWidgets.QLabel("guard: nothing logged yet")
        self._state.setStyleSheet("font-size: 16px;")
        self._progress = QtWidgets.QLabel()
        self._figures = FigurePanel()
        self._plots = TracePlots()
        self._image, picture = self._build_picture()
        self._table, self._log = MeasurementTable(), EventList()

        right = QtWidgets.QSplitter(QtCore.Qt.Orientation.Vertical)
        for title, widget in (("Newest picture", picture), ("Measurements", self._table), ("Guard's log", self._log)):
            right.addWidget(_titled(title, widget))
        right.setSizes([330, 260, 180])
        split = QtWidgets.QSplitter(QtCore.Qt.Orientation.Horizontal)
        split.addWidget(self._plots.widget)
        split.addWidget(right)
        split.setSizes([820, 620])
        header = QtWidgets.QHBoxLayout()
        self._state.setWordWrap(True)
        header.addWidget(self._state, 1)
        header.addWidget(self._progress)
        content = QtWidgets.QWidget()
        layout = QtWidgets.QVBoxLayout(content)
        layout.addWidget(self._banner)
        layout.addWidget(self._figures)
        layout.addLayout(header)
        layout.addWidget(split, 1)
        self.setCentralWidget(content)
        self.statusBar().showMessage("Reading the run ...")

    def _build_picture(self) -> tuple[Any, QtWidgets.QWidget]:
        content = QtWidgets.QWidget()
        layout = QtWidgets.QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        graphics = pyqtgraph.GraphicsLayoutWidget()
        box = graphics.addViewBox(lockAspect=True, invertY=True, enableMenu=False)  # row 0 is the top
        image = pyqtgraph.ImageItem(axisOrder="row-major")
        box.addItem(image)
        self._caption = QtWidgets.QLabel("No picture yet")
        self._caption.setWordWrap(True)
        layout.addWidget(graphics, 1)
        layout.addWidget(self._caption)
        return image, content

    def _show(self, view: RunView, picture: Picture | None) -> None:
        self.view = view
        self._show_header(view)
        self._figures.show_figures(view.figures, self._clock.now(), ended=bool(view.ended))
        self._plots.show_run(view)
        self._table.show_measurements(view.measurements)
        self._log.show_events(view.events, view.start_s)
        if picture is not None and picture is not self._picture:
            self._picture = picture
            self._image.setImage(picture.image, autoLevels=False, levels=picture.levels)
            self._caption.setText(picture.caption)
        self.statusBar().showMessage(" · ".join(view.problems) or "Every file of the run could be read.")

    def _show_header(self, view: RunView) -> None:
        word = {True: "REHEARSAL", False: "BEAMLINE", None: ""}[view.rehearsal]
        self.setWindowTitle(" – ".join(part for part in (word, view.name, "operando monitor") if part))
        about = {
            True: "REHEARSAL · simulated cell and beam, nothing here was measured",
            False: "Beamline",
            None: "Not known yet whether this is a rehearsal",
        }[view.rehearsal]
        back, front = ("#f2c14e", "#17191d") if view.rehearsal else ("#22262c", "#c9ced6")
        self._banner.setText(f"{about} · {view.name}")
        self._banner.setStyleSheet(
            f"background: {back}; color: {front}; font-size: 15px; font-weight: 700; padding: 4px;"
        )
        state = view.state or "nothing logged yet"
        colour = STATE_COLOURS.get(view.state, "#c9ced6")
        text = f'guard: <b style="color: {colour}">{escape(state)}</b>'
        text += f" · step: <b>{escape(view.step)}</b>" if view.step else ""
        text += f' · <b style="color: #ff6b5e">trip: {escape(view.trip)}</b>' if view.trip else ""
        self._state.setText(text)
        running = view.running_tomogram
        num_done = sum(entry.stop_s is not None for entry in view.tomograms)
        if running is not None:
            self._progress.setText(
                f"tomogram {running.name}: projection {running.num_acquired} of {running.num_projections}"
            )
        else:
            self._progress.setText(f"{num_done} tomograms" + (f" · run ended: {view.ended}" if view.ended else ""))


def _titled(title: str, widget: QtWidgets.QWidget) -> QtWidgets.QWidget:
    content = QtWidgets.QWidget()
    layout = QtWidgets.QVBoxLayout(content)
    layout.setContentsMargins(4, 2, 4, 2)
    heading = QtWidgets.QLabel(title)
    heading.setStyleSheet("color: #8a8f98; font-size: 12px;")
    layout.addWidget(heading)
    layout.addWidget(widget, 1)
    return content
