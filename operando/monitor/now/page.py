"""The page of present values."""

from html import escape

from PySide6 import QtCore, QtWidgets

from operando.model.run_directory import RunDirectory
from operando.monitor.now.event_list import EventList
from operando.monitor.now.figure_panel import FigurePanel
from operando.monitor.page import Page
from operando.monitor.reading.run_view import RunView
from operando.monitor.theme import Look


class NowPage(Page):
    """Large figures, the guard's state, the tomogram that is taken, and the guard's log."""

    title = "Now"
    period_s = 0.2

    def __init__(self, run: RunDirectory, look: Look) -> None:
        super().__init__(run, look)
        self._figures, self._log = FigurePanel(look), EventList(look)
        self._state, self._progress = QtWidgets.QLabel("guard: nothing logged yet"), QtWidgets.QLabel()
        self._progress.setAlignment(QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignVCenter)
        header = QtWidgets.QHBoxLayout()
        for label in (self._state, self._progress):
            label.setWordWrap(True)
            header.addWidget(label, 1)
        layout = QtWidgets.QVBoxLayout(self)
        layout.addWidget(self._figures)
        layout.addLayout(header)
        layout.addWidget(self._log, 1)

    def set_look(self, look: Look) -> None:
        """Take another size."""
        super().set_look(look)
        self._figures.set_look(look)

    def show_run(self, view: RunView, wall_s: float) -> None:
        """Show the newest samples and events."""
        self._figures.show_figures(view, wall_s)
        self._log.show_events(view.events, view.start_s)
        colours = self.look.colours
        colour = {
            "TRIPPED": colours.alarm,
            "UNSAFE": colours.alarm,
            "HOLDING": colours.warning,
            "RUNNING": colours.good,
        }
        state = view.state or "nothing logged yet"
        text = f'guard: <b style="color: {colour.get(view.state, colours.text)}">{escape(state)}</b>'
        text += f" · step: <b>{escape(view.step)}</b>" if view.step and not view.ended else ""
        text += f' · <b style="color: {colours.alarm}">trip: {escape(view.trip)}</b>' if view.trip else ""
        self._state.setText(text)
        parts = [view.tomogram_text, view.time_text, f"run ended: {view.ended}" if view.ended else ""]
        self._progress.setText(" · ".join(part for part in parts if part))
