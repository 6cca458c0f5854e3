"""The guard's log, newest entry first."""

from PySide6 import QtCore, QtGui, QtWidgets

from operando.monitor.reading.run_view import EventView
from operando.monitor.theme import Look

SHORT_S = 3 * 3600.0  # before it minutes are told


class EventList(QtWidgets.QListWidget):
    """What the guard wrote down, with the time since the run began; what a person should look at is red."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
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
                item.setForeground(QtGui.QColor(self._look.colours.alarm))
            self.addItem(item)


def _since(elapsed_s: float) -> str:
    return f"{elapsed_s / 3600:.2f} h" if elapsed_s >= SHORT_S else f"{elapsed_s / 60:.1f} min"
