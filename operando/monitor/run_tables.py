"""The lists of the monitor: a table of measurements, one row per tomogram, and the guard's log, newest first."""

from PySide6 import QtCore, QtGui, QtWidgets

from operando.monitor.run_view import EventView, MeasurementView

FIRST_COLUMNS = ("voltage", "stack_pressure", "capacity", "high_attenuation_volume")
ROW_HEIGHT_PX = 22
SHORT_S = 3 * 3600.0  # before it minutes are told
ALARM_COLOUR = "#ff6b5e"


class MeasurementTable(QtWidgets.QTableWidget):
    """Tomograms down, quantities with their units across."""

    def __init__(self) -> None:
        super().__init__()
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT_PX)
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


class EventList(QtWidgets.QListWidget):
    """What the guard wrote down, with the time since the run began; what a person should look at is red."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._shown: tuple[EventView, ...] = ()

    def show_events(self, events: tuple[EventView, ...], start_s: float) -> None:
        """Fill the list, if anything has changed."""
        if events == self._shown:
            return
        self._shown = events
        self.clear()
        for event in reversed(events):
            item = QtWidgets.QListWidgetItem(f"{_since(event.time_s - start_s)}  {event.kind}: {event.text}")
            if event.is_alarm:
                item.setForeground(QtGui.QColor(ALARM_COLOUR))
            self.addItem(item)


def _since(elapsed_s: float) -> str:
    return f"{elapsed_s / 3600:.2f} h" if elapsed_s >= SHORT_S else f"{elapsed_s / 60:.1f} min"


def _in_brackets(unit: str) -> str:
    return "" if unit == "1" else f"[{unit.replace('um3', 'µm³')}]"


def _cell(entry: MeasurementView) -> QtWidgets.QTableWidgetItem:
    item = QtWidgets.QTableWidgetItem(entry.text + (" !" if entry.flags else ""))
    item.setTextAlignment(QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignVCenter)
    item.setToolTip(", ".join(entry.flags))
    return item
