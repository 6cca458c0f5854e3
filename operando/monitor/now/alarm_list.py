"""The alarms of a run, apart from the ordinary log: what goes on first, then the newest."""

from datetime import datetime

from PySide6 import QtGui, QtWidgets

from operando.monitor.now.event_list import since_text
from operando.monitor.now.word_list import WordList
from operando.monitor.reading.alarms import AlarmView
from operando.monitor.theme import Look


class AlarmList(WordList):
    """Each alarm with its time and cause; one that goes on is drawn inverted and says so."""

    def __init__(self, look: Look) -> None:
        super().__init__(look, size_px=16, gap_px=4)
        self._shown: tuple[tuple[AlarmView, ...], float] | None = None

    def show_alarms(self, alarms: tuple[AlarmView, ...], start_s: float) -> None:
        """Fill the list, if anything has changed; ``start_s`` is the run's start on its clock."""
        if (alarms, start_s) == self._shown:
            return
        self._shown = alarms, start_s
        self.clear()
        colours = self.look.colours
        for alarm in sorted(alarms, key=lambda alarm: (alarm.is_on, alarm.time_s), reverse=True):
            item = QtWidgets.QListWidgetItem(alarm_text(alarm, start_s))
            if alarm.is_on:
                item.setBackground(QtGui.QColor(colours.alarm))
                item.setForeground(QtGui.QColor(colours.background))
            else:
                item.setForeground(QtGui.QColor(colours.alarm))
            self.addItem(item)
        if not alarms:
            item = QtWidgets.QListWidgetItem("no alarm since the run began")
            item.setForeground(QtGui.QColor(colours.dim))
            self.addItem(item)


def alarm_text(alarm: AlarmView, start_s: float) -> str:
    """Write one alarm: what, when on the run's clock and on the wall, why, and when it was over."""
    day = datetime.fromtimestamp(alarm.wall_s).strftime("%a %H:%M:%S")
    goes_on = "ON NOW · " if alarm.is_on else ""
    lines = [f"▲ {goes_on}{alarm.word} · {since_text(alarm.time_s - start_s)} · {day}", alarm.text]
    if alarm.over_s >= alarm.time_s:
        lines.append(f"Over at {since_text(alarm.over_s - start_s)}. {alarm.ending}".rstrip())
    return "\n".join(lines)
