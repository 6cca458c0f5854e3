"""The page about the programs themselves."""

from datetime import datetime
from math import isfinite

from PySide6 import QtGui, QtWidgets

from operando.model.number_text import duration_text
from operando.model.run_directory import RunDirectory
from operando.monitor.page import Page
from operando.monitor.reading.run_processes import Life, ProcessView
from operando.monitor.reading.run_view import RunView
from operando.monitor.theme import Look

HEADINGS = ("process", "pid", "state", "since", "for")


class HealthPage(Page):
    """Which processes live."""

    title = "Health"
    period_s = 0.5

    def __init__(self, run: RunDirectory, look: Look) -> None:
        super().__init__(run, look)
        self._processes = QtWidgets.QTableWidget(0, len(HEADINGS))
        self._processes.setHorizontalHeaderLabels(HEADINGS)
        self._processes.verticalHeader().hide()
        self._processes.setEditTriggers(QtWidgets.QAbstractItemView.EditTrigger.NoEditTriggers)
        layout = QtWidgets.QVBoxLayout(self)
        layout.addWidget(self._processes)

    def show_run(self, view: RunView, wall_s: float) -> None:
        """Show how it is with each process."""
        self._processes.setRowCount(len(view.processes))
        for row, process in enumerate(view.processes):
            for column, text in enumerate(_texts(process, wall_s)):
                item = QtWidgets.QTableWidgetItem(text)
                if process.is_missing:
                    item.setForeground(QtGui.QColor(self.look.colours.alarm))
                self._processes.setItem(row, column, item)
        self._processes.resizeColumnsToContents()


def _texts(process: ProcessView, wall_s: float) -> tuple[str, ...]:
    life = f"{process.life} {process.host}" if process.life is Life.ELSEWHERE else str(process.life)
    if not isfinite(process.since_s):
        return process.role, str(process.pid), life, "–", "–"
    since = datetime.fromtimestamp(process.since_s).strftime("%Y-%m-%d %H:%M:%S")
    return process.role, str(process.pid), life, since, duration_text(max(wall_s - process.since_s, 0.0))
