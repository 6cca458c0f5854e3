"""Opens the monitor on a run, in a window or as one picture of it."""

import os
from dataclasses import dataclass
from pathlib import Path

from operando.model.clock import SystemClock
from operando.model.run_directory import RunDirectory
from operando.monitor.theme import Theme

DRAWING_TIMEOUT_S = 30.0
SETTLING_S = 0.3  # what a page reads for itself comes a moment after the run


@dataclass(frozen=True)
class Picture:
    """One picture of the window, for whoever has no display."""

    path: Path
    page: str = "now"
    theme: Theme = Theme.DARK
    size_px: tuple[int, int] = (1366, 768)


def run_monitor(run: RunDirectory, picture: Picture | None = None) -> int:
    """Show the monitor until its window is closed; with ``picture`` draw it once, without a display.

    Returns
    -------
    int
        Exit status: 0, or 1 if the picture could not be drawn or saved.
    """
    if picture is not None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"  # Qt reads it when the application is made
        os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")  # what an absent display cannot do
    import pyqtgraph
    from pyqtgraph.util.garbage_collector import GarbageCollector
    from PySide6 import QtCore

    from operando.monitor.habits import Habits, LastingHabits
    from operando.monitor.window import MonitorWindow

    QtCore.QLocale.setDefault(QtCore.QLocale.c())  # numbers are written with a point, whatever the country
    application = pyqtgraph.mkQApp("operando monitor")
    collector = GarbageCollector()  # a widget that a reading thread happens to collect crashes Qt
    clock = SystemClock()
    if picture is None:
        window = MonitorWindow(run, clock, LastingHabits())
        window.show()
        return int(application.exec())
    window = MonitorWindow(run, clock, Habits(picture.theme, picture.page))
    window.resize(*picture.size_px)
    window.show()
    give_up_s = clock.now() + DRAWING_TIMEOUT_S
    while (window.view is None or not window.view.history_is_complete) and clock.now() < give_up_s:
        application.processEvents()
        window.refresh()
        clock.sleep_until(clock.now() + 0.02)
    settled_s = clock.now() + SETTLING_S
    while clock.now() < settled_s:
        application.processEvents()
        window.refresh()
        clock.sleep_until(clock.now() + 0.02)
    window.grab()  # linked axes find their ranges while they are drawn for the first time
    application.processEvents()
    saved = window.view is not None and window.grab().save(str(picture.path))
    window.close()
    collector.timer.stop()
    return 0 if saved else 1
