"""A small table of facts with a title; what a person should look at stands out in colour and weight."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from PySide6 import QtCore, QtGui, QtWidgets

from operando.monitor.theme import Look
from operando.monitor.tool_tip import plain_tip

WIDEST_PX = 200  # a longer name is cut, so that the numbers beside it stay in view
COLUMN_GAP_PX = 2.0


class Tone(StrEnum):
    """How loudly something is said."""

    PLAIN = "plain"
    DIM = "dim"
    ALARM = "alarm"


@dataclass(frozen=True)
class Fact:
    """One cell of a table; ``hint`` is shown to whoever points at it."""

    text: str
    tone: Tone = Tone.PLAIN
    hint: str = ""


class FactTable(QtWidgets.QWidget):
    """Rows of facts below headings; numbers stand at the right.

    Parameters
    ----------
    title
        Above the table.
    headings
        Of its columns, with their units.
    empty
        What is said while there is no row.
    """

    def __init__(self, title: str, headings: Sequence[str], empty: str, look: Look) -> None:
        super().__init__()
        self._look, self._empty = look, empty
        heading, self._note = QtWidgets.QLabel(title), QtWidgets.QLabel(empty)
        heading.setProperty("role", "heading")
        self._note.setProperty("role", "dim")
        self.table = QtWidgets.QTableWidget(0, len(headings))
        self.table.setHorizontalHeaderLabels(list(headings))
        self.table.horizontalHeader().setDefaultAlignment(QtCore.Qt.AlignmentFlag.AlignLeft)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setEditTriggers(QtWidgets.QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.NoSelection)
        self.table.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(heading)
        layout.addWidget(self.table, 1)
        layout.addWidget(self._note)
        self._shown: Sequence[Sequence[Fact]] | None = None

    def set_look(self, look: Look) -> None:
        """Take another size."""
        self._look, shown, self._shown = look, self._shown or (), None
        self.show_rows(shown)

    def show_rows(self, rows: Sequence[Sequence[Fact]]) -> None:
        """Fill the table, if anything has changed."""
        if rows == self._shown:
            return
        self._shown = rows
        self._note.setVisible(not rows)
        self.table.setRowCount(len(rows))
        for row, facts in enumerate(rows):
            for column, fact in enumerate(facts):
                self.table.setItem(row, column, self._item(fact))
        self.table.verticalHeader().setDefaultSectionSize(self._look.px(24))
        self.table.horizontalHeader().setFixedHeight(self._look.px(26))
        self.table.resizeColumnsToContents()
        for column in range(self.table.columnCount() - 1):
            width = self.table.columnWidth(column) + self._look.px(COLUMN_GAP_PX)
            self.table.setColumnWidth(column, min(width, self._look.px(WIDEST_PX)))

    def _item(self, fact: Fact) -> QtWidgets.QTableWidgetItem:
        item = QtWidgets.QTableWidgetItem(fact.text)
        colours = self._look.colours
        colour = {Tone.PLAIN: colours.text, Tone.DIM: colours.dim, Tone.ALARM: colours.alarm}[fact.tone]
        item.setForeground(QtGui.QColor(colour))
        font = item.font()
        font.setBold(fact.tone is Tone.ALARM)
        item.setFont(font)
        item.setToolTip(plain_tip(fact.hint))
        return item
