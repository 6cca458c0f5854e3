"""What was measured: states and steps down, quantities across."""

from collections.abc import Callable
from typing import Any

from PySide6 import QtCore, QtWidgets

from operando.monitor.inside.quantity_words import quantity_text, unit_text
from operando.monitor.reading.run_view import MeasurementView
from operando.monitor.theme import Look
from operando.monitor.tool_tip import plain_tip

FIRST_COLUMNS = ("voltage", "stack_pressure", "capacity", "high_attenuation_volume")
HEADING_PX, ROW_PX, WIDEST_PX = 42, 24, 220  # a longer name is cut, so that the values stay in view
NUM_ROWS_FOR_WIDTH = 50  # looked at when columns choose their width
Index = QtCore.QModelIndex | QtCore.QPersistentModelIndex


class MeasurementTable(QtWidgets.QTableView):
    """States and steps down, quantities with their units across; a flagged value is marked and says why."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._model = _Measurements()
        self.setModel(self._model)
        self.verticalHeader().hide()
        self.horizontalHeader().setResizeContentsPrecision(NUM_ROWS_FOR_WIDTH)
        self.set_look(look)

    def show_measurements(self, measurements: tuple[MeasurementView, ...]) -> None:
        """Fill the table."""
        self._model.fill(measurements)
        self.resizeColumnsToContents()

    def set_look(self, look: Look) -> None:
        """Take another size."""
        self.horizontalHeader().setFixedHeight(look.px(HEADING_PX))
        self.horizontalHeader().setMaximumSectionSize(look.px(WIDEST_PX))
        self.verticalHeader().setDefaultSectionSize(look.px(ROW_PX))
        self.resizeColumnsToContents()


class _Measurements(QtCore.QAbstractTableModel):
    """The cells; made when they are looked at, so that a thousand states fill no window's time."""

    def __init__(self) -> None:
        super().__init__()
        self._states: list[str] = []
        self._names: list[str] = []
        self._units: dict[str, str] = {}
        self._entries: dict[tuple[str, str], MeasurementView] = {}

    def fill(self, measurements: tuple[MeasurementView, ...]) -> None:
        """Take other measurements."""
        self.beginResetModel()
        self._states = list(dict.fromkeys(entry.tomogram for entry in measurements))
        found = dict.fromkeys(entry.name for entry in measurements)
        self._names = [name for name in FIRST_COLUMNS if name in found]
        self._names += [name for name in found if name not in FIRST_COLUMNS]
        self._units = {entry.name: entry.unit for entry in measurements}
        self._entries = {(entry.tomogram, entry.name): entry for entry in measurements}
        self.endResetModel()

    def rowCount(self, parent: Index = QtCore.QModelIndex()) -> int:  # noqa: B008, N802 - Qt's own form and name
        """Return the number of states and steps."""
        return 0 if parent.isValid() else len(self._states)

    def columnCount(self, parent: Index = QtCore.QModelIndex()) -> int:  # noqa: B008, N802 - Qt's own form and name
        """Return the number of quantities and one for the name."""
        return 0 if parent.isValid() or not self._states else 1 + len(self._names)

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: QtCore.Qt.Orientation, role: int = QtCore.Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the name of a quantity above its unit."""
        if role != QtCore.Qt.ItemDataRole.DisplayRole or orientation != QtCore.Qt.Orientation.Horizontal:
            return None
        if section == 0:
            return "state or step\n"
        name = self._names[section - 1]
        return f"{quantity_text(name)}\n{unit_text(self._units[name])}"

    def data(self, index: Index, role: int = QtCore.Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what stands in a cell, on which side, and what a pointer at it is told."""
        if index.column() == 0:
            return self._states[index.row()] if role == QtCore.Qt.ItemDataRole.DisplayRole else None
        entry = self._entries.get((self._states[index.row()], self._names[index.column() - 1]))
        answers: dict[int, Callable[[MeasurementView], Any]] = {
            QtCore.Qt.ItemDataRole.DisplayRole: lambda entry: entry.text + (" !" if entry.flags else ""),
            QtCore.Qt.ItemDataRole.TextAlignmentRole: lambda _: (
                QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignVCenter
            ),
            QtCore.Qt.ItemDataRole.ToolTipRole: lambda entry: plain_tip(
                ", ".join(flag.replace("_", " ") for flag in entry.flags)
            ),
        }
        return None if entry is None or role not in answers else answers[role](entry)
