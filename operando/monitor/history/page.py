"""The page of traces."""

from PySide6 import QtWidgets

from operando.model.run_directory import RunDirectory
from operando.monitor.history.trace_plots import TracePlots
from operando.monitor.page import Page
from operando.monitor.reading.run_view import RunView
from operando.monitor.theme import Look


class HistoryPage(Page):
    """Voltage, current and stack pressure since the run began, with a bar for each tomogram."""

    title = "History"

    def __init__(self, run: RunDirectory, look: Look) -> None:
        super().__init__(run, look)
        self._plots = TracePlots(look)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._plots.widget)

    def set_look(self, look: Look) -> None:
        """Take another size."""
        super().set_look(look)
        self._plots.set_look(look)

    def show_run(self, view: RunView, wall_s: float) -> None:
        """Draw what has changed."""
        del wall_s
        self._plots.show_run(view)
