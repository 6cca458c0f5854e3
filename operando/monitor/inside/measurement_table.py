"""What was measured: tomograms down, quantities across."""

from PySide6 import QtCore, QtWidgets

from operando.monitor.reading.run_view import MeasurementView

FIRST_COLUMNS = ("voltage", "stack_pressure", "capacity", "high_attenuation_volume")


class MeasurementTable(QtWidgets.QTableWidget):
    """Tomograms down, quantities with their units across."""

    def __init__(self) -> None:
        super().__init__()
        self.verticalHeader().hide()
        self.setEditTriggers(QtWidgets.QAbstractItemView.EditTrigger.NoEditTriggers)
        self._shown: tuple[MeasurementView, ...] = ()

    def show_measurements(self, measurements: tuple[MeasurementView, ...]) -> None:
        """Fill the table, if anything has changed."""
        if measurements == self._shown:
            return
        self._shown = measurements
        tomograms = list(dict.fromkeys(entry.tomogram for entry in measurements))
        found = list(dict.fromkeys(entry.name for entry in measurements))
        names = [name for name in FIRST_COLUMNS if name in found]
        names += [name for name in found if name not in FIRST_COLUMNS]
        units = {entry.name: entry.unit for entry in measurements}
        self.setRowCount(len(tomograms))
        self.setColumnCount(1 + len(names))
        headings = [f"{name.replace('_', ' ')}\n{_in_brackets(units[name])}" for name in names]
        self.setHorizontalHeaderLabels(["tomogram\n", *headings])
        self.clearContents()
        for row, tomogram in enumerate(tomograms):
            self.setItem(row, 0, QtWidgets.QTableWidgetItem(tomogram))
        for entry in measurements:
            self.setItem(tomograms.index(entry.tomogram), 1 + names.index(entry.name), _cell(entry))
        self.resizeColumnsToContents()


def _in_brackets(unit: str) -> str:
    return "" if unit == "1" else f"[{unit.replace('um3', 'µm³')}]"


def _cell(entry: MeasurementView) -> QtWidgets.QTableWidgetItem:
    item = QtWidgets.QTableWidgetItem(entry.text + (" !" if entry.flags else ""))
    item.setTextAlignment(QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignVCenter)
    item.setToolTip(", ".join(entry.flags))
    return item
