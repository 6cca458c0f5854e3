"""The monitor's window: present values, traces, tomograms, newest picture, measurements and the guard's log."""

import queue
from concurrent.futures import Future, ThreadPoolExecutor
from html import escape

import pyqtgraph
from PySide6 import QtCore, QtGui, QtWidgets

from operando.model.clock import Clock
from operando.model.plane_wish import PlaneWish, write_plane_wish
from operando.model.run_directory import RunDirectory
from operando.monitor.figure_panel import FigurePanel
from operando.monitor.picture_panel import PicturePanel
from operando.monitor.pictures import Picture, PictureReader
from operando.monitor.preview_reader import PreviewReader, ShownPreview
from operando.monitor.run_reader import RunReader
from operando.monitor.run_tables import EventList, MeasurementTable
from operando.monitor.run_view import RunView
from operando.monitor.trace_plots import TracePlots

UPDATE_MS = 250
HISTORY_BUDGET_S = 0.2  # of each update, so that no sample is shown a quarter of a second late
CATCHING_UP_MS = 20  # between two looks whether an update is done, while history is still to be read
_Read = tuple[RunView, Picture | None, ShownPreview | None]
STATE_COLOURS = {"TRIPPED": "#d94f4f", "UNSAFE": "#d94f4f", "HOLDING": "#f2c14e", "RUNNING": "#5fb878"}


class MonitorWindow(QtWidgets.QMainWindow):
    """Follows a run; files are read in a thread of their own so that a slow disk never stops the window.

    Parameters
    ----------
    run
        The run directory; nothing in it is changed but where a person wants the planes of the preview.
    host_clock
        The host's clock, for the age of what is shown.
    """

    def __init__(self, run: RunDirectory, host_clock: Clock) -> None:
        super().__init__()
        self._reader = RunReader(run, history_budget_s=HISTORY_BUDGET_S)
        self._pictures, self._previews = PictureReader(run), PreviewReader(run)
        self._run = run
        self._wishes: queue.SimpleQueue[PlaneWish] = queue.SimpleQueue()
        self._refusal = ""
        self._clock, self._folder = host_clock, run.path.resolve()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="run reader")
        self._pending: Future[_Read] | None = None
        self.view: RunView | None = None
        self.setWindowTitle(run.path.name)
        self.resize(1440, 900)
        self._build()
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self._timer.start(UPDATE_MS)

    def refresh(self) -> None:
        """Show what was read since the last call, if anything, and ask for more."""
        if self._pending is not None and not self._pending.done():
            return
        read, self._pending = self._pending, self._worker.submit(self._read)  # which goes on while this is shown
        if read is None:
            return
        error = read.exception()
        if error is None:
            self._show(*read.result())
        else:  # the window stays; a person must see why it stands still
            self.statusBar().showMessage(f"Reading the run failed: {type(error).__name__}: {error}")

    def closeEvent(self, event: QtGui.QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """End the timer and the reading thread."""
        self._timer.stop()
        self._worker.shutdown(wait=True)
        self._reader.close()
        super().closeEvent(event)

    def _read(self) -> _Read:
        self._write_wish()
        view = self._reader.update()
        newest = view.tomograms[-1] if view.tomograms else None
        return view, self._pictures.newest(view.running_tomogram), self._previews.newest(newest)

    def _write_wish(self) -> None:
        """Write the newest of a person's wishes; the older ones are past."""
        wish = None
        while not self._wishes.empty():
            wish = self._wishes.get()
        if wish is not None:
            try:
                write_plane_wish(self._run.plane_wish, wish)
                self._refusal = ""
            except OSError as error:
                self._refusal = f"The planes cannot be moved: {error}"

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
        self._picture_panel = PicturePanel()
        self._picture_panel.wished.connect(self._wishes.put)
        measurements, self._table, self._flags = QtWidgets.QWidget(), MeasurementTable(), QtWidgets.QLabel()
        self._flags.setWordWrap(True)
        self._flags.setStyleSheet("color: #8a8f98; font-size: 12px;")
        below = _stacked(measurements)
        below.addWidget(self._table, 1)
        below.addWidget(self._flags)
        self._log = EventList()

        right = QtWidgets.QSplitter(QtCore.Qt.Orientation.Vertical)
        for title, widget in (
            ("Newest picture", self._picture_panel),
            ("Measurements", measurements),
            ("Guard's log", self._log),
        ):
            right.addWidget(_titled(title, widget))
        right.setSizes([390, 240, 140])
        right.setChildrenCollapsible(False)
        split = QtWidgets.QSplitter(QtCore.Qt.Orientation.Horizontal)
        split.addWidget(self._plots.widget)
        split.addWidget(right)
        split.setSizes([700, 740])
        header = QtWidgets.QHBoxLayout()
        self._progress.setAlignment(QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignVCenter)
        for label in (self._state, self._progress):
            label.setWordWrap(True)
            header.addWidget(label, 1)
        content = QtWidgets.QWidget()
        layout = QtWidgets.QVBoxLayout(content)
        layout.addWidget(self._banner)
        layout.addWidget(self._figures)
        layout.addLayout(header)
        layout.addWidget(split, 1)
        self.setCentralWidget(content)
        self.statusBar().showMessage("Reading the run ...")

    def _show(self, view: RunView, picture: Picture | None, preview: ShownPreview | None) -> None:
        reads_history = not view.history_is_complete and not view.shows_the_same_history(self.view)
        self._timer.setInterval(CATCHING_UP_MS if reads_history else UPDATE_MS)
        self.view = view
        self._show_header(view)
        self._figures.show_figures(view, self._clock.now())
        self._plots.show_run(view)
        self._table.show_measurements(view.measurements)
        flags = dict.fromkeys(flag.replace("_", " ") for entry in view.measurements for flag in entry.flags)
        self._flags.setText(f"! {', '.join(flags)} (point at a value to see which)" if flags else "")
        self._log.show_events(view.events, view.start_s)
        self._picture_panel.show_newest(picture, preview, exposing=view.running_tomogram is not None)
        problems = " · ".join(filter(None, (*view.problems, self._refusal)))
        self.statusBar().showMessage(
            problems or f"Reads {self._folder}; changes nothing but the planes of the preview."
        )

    def _show_header(self, view: RunView) -> None:
        self.setWindowTitle(" – ".join(part for part in (view.kind_word, view.name, "operando monitor") if part))
        about = {
            True: "REHEARSAL · simulated cell and beam, nothing here was measured",
            False: "Beamline",
            None: "Not known yet whether this is a rehearsal",
        }[view.rehearsal]
        if view.recorded:
            about = "REHEARSAL · replay of a recorded scan; the cell's values do not belong to it"
        back, front = ("#f2c14e", "#17191d") if view.rehearsal else ("#22262c", "#c9ced6")
        self._banner.setText(f"{about} · {view.name}")
        self._banner.setStyleSheet(
            f"background: {back}; color: {front}; font-size: 15px; font-weight: 700; padding: 4px;"
        )
        state = view.state or "nothing logged yet"
        colour = STATE_COLOURS.get(view.state, "#c9ced6")
        text = f'guard: <b style="color: {colour}">{escape(state)}</b>'
        text += f" · step: <b>{escape(view.step)}</b>" if view.step and not view.ended else ""
        text += f' · <b style="color: #ff6b5e">trip: {escape(view.trip)}</b>' if view.trip else ""
        self._state.setText(text)
        parts = [view.tomogram_text, view.time_text, f"run ended: {view.ended}" if view.ended else ""]
        self._progress.setText(" · ".join(part for part in parts if part))


def _stacked(content: QtWidgets.QWidget) -> QtWidgets.QVBoxLayout:
    layout = QtWidgets.QVBoxLayout(content)
    layout.setContentsMargins(0, 0, 0, 0)
    return layout


def _titled(title: str, widget: QtWidgets.QWidget) -> QtWidgets.QWidget:
    content = QtWidgets.QWidget()
    layout = QtWidgets.QVBoxLayout(content)
    layout.setContentsMargins(4, 2, 4, 2)
    heading = QtWidgets.QLabel(title)
    heading.setStyleSheet("color: #8a8f98; font-size: 12px;")
    layout.addWidget(heading)
    layout.addWidget(widget, 1)
    return content
