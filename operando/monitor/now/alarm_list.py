"""The alarms of a run, apart from the ordinary log: what goes on first, then the newest."""

from PySide6 import QtGui, QtWidgets

from operando.monitor.now.event_list import since_text
from operando.monitor.now.word_list import WordList
from operando.monitor.reading.alarms import AlarmView
from operando.monitor.reading.run_view import RunView
from operando.monitor.reading.time_of_day import time_of_day
from operando.monitor.theme import Look


class AlarmList(WordList):
    """Each alarm with its time and cause; one that goes on is drawn inverted and says so."""

    def __init__(self, look: Look) -> None:
        super().__init__(look, size_px=16, gap_px=4)
        self._shown: tuple[object, ...] | None = None

    def show_alarms(self, view: RunView) -> None:
        """Fill the list, if anything has changed."""
        num_older = view.situation.num_older_alarms
        present = view.situation.alarms, num_older, view.start_s, bool(view.ended), bool(view.events), view.log_is_read
        if present == self._shown:
            return
        self._shown = present
        self.clear()
        colours, alarms = self.look.colours, view.situation.alarms
        for alarm in sorted(alarms, key=lambda alarm: (alarm.is_on, alarm.time_s))[::-1]:
            item = QtWidgets.QListWidgetItem(alarm_text(alarm, view.start_s, ended=bool(view.ended)))
            if alarm.is_on and not view.ended:
                item.setBackground(QtGui.QColor(colours.alarm))
                item.setForeground(QtGui.QColor(colours.background))
            else:
                item.setForeground(QtGui.QColor(colours.alarm))
            self.addItem(item)
        note = f"{num_older} older ones are in the guard's log only" if num_older else ""
        if not alarms:
            note = "no alarm since the run began" if view.events else "nothing logged yet"
        if not view.log_is_read:
            note = "The guard's log cannot be read: there may be others."
        if note:
            item = QtWidgets.QListWidgetItem(note)
            item.setForeground(QtGui.QColor(colours.dim))
            self.addItem(item)


def alarm_text(alarm: AlarmView, start_s: float, *, ended: bool) -> str:
    """Write one alarm: what, when on the run's clock and on the wall, why, and when it was over."""
    goes_on = "ON NOW" if alarm.is_on and not ended else ""
    head = goes_on, alarm.word, since_text(alarm.time_s - start_s), time_of_day(alarm.wall_s, "%a %H:%M:%S")
    lines = [f"▲ {' · '.join(filter(None, head))}", alarm.text]
    if alarm.over_s >= alarm.time_s:
        lines.append(f"Over at {since_text(alarm.over_s - start_s)}. {alarm.ending}".rstrip())
    elif alarm.is_on and ended:
        lines.append("Not over when the run ended.")
    return "\n".join(lines)
