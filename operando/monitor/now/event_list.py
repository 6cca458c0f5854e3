"""The guard's log, newest entry first."""

from PySide6 import QtGui, QtWidgets

from operando.model.number_text import LONGEST_S
from operando.monitor.now.word_list import WordList
from operando.monitor.reading.run_view import EventView
from operando.monitor.theme import Look

SHORT_S = 3 * 3600.0  # before it minutes are told


class EventList(WordList):
    """What the guard wrote down, with the time since the run began; alarms are marked."""

    def __init__(self, look: Look) -> None:
        super().__init__(look, size_px=13)
        self._shown: tuple[tuple[EventView, ...], float] | None = None

    def show_events(self, events: tuple[EventView, ...], start_s: float) -> None:
        """Fill the list, if anything has changed."""
        if (events, start_s) == self._shown:
            return
        self._shown = events, start_s
        self.clear()
        for event in reversed(events):
            mark = "▲ " if event.is_alarm else ""
            item = QtWidgets.QListWidgetItem(f"{mark}{since_text(event.time_s - start_s)}  {event.kind}: {event.text}")
            if event.is_alarm:
                item.setForeground(QtGui.QColor(self.look.colours.alarm))
            self.addItem(item)


def since_text(elapsed_s: float) -> str:
    """Write a time since the run began; a dash where nobody knows it."""
    if not abs(elapsed_s) < LONGEST_S:
        return "–"
    return f"{elapsed_s / 3600:.2f} h" if elapsed_s >= SHORT_S else f"{elapsed_s / 60:.1f} min"
