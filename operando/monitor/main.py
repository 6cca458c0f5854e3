"""Opens the monitor on a run, in a window or as one picture of it."""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operando.model.clock import SystemClock
from operando.model.run_directory import RunDirectory
from operando.monitor.theme import Theme

DRAWING_TIMEOUT_S = 30.0
NO_DISPLAY = (
    "No window can be opened here: there is no display, or Qt has no way to reach it. Use 'operando watch' in a "
    "terminal, or 'operando monitor --headless FILE.png' for a picture."
)
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
    QtCore.qInstallMessageHandler(_without_display)
    application = pyqtgraph.mkQApp("operando monitor")
    QtCore.qInstallMessageHandler(None)
    collector = GarbageCollector()  # a widget that a reading thread happens to collect crashes Qt
    clock = SystemClock()
    if picture is None:
        window = MonitorWindow(run, clock, LastingHabits())
        window.show()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: window.close())  # Python hears of it at the window's next tick
        return int(application.exec())
    window = MonitorWindow(run, clock, Habits(picture.theme, picture.page))
    window.resize(*picture.size_px)
    window.show()
    give_up_s = clock.now() + DRAWING_TIMEOUT_S
    while not window.is_settled and clock.now() < give_up_s:
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
    if window.view is None:
        problem = f"{run.path} could not be read within {DRAWING_TIMEOUT_S:.0f} s"
    else:
        saved = window.grab().save(str(picture.path))
        problem = "" if saved else f"{picture.path} could not be written; give a PNG file in a folder that is there"
    window.close()
    collector.timer.stop()
    if problem:
        print(problem, file=sys.stderr)
    return 1 if problem else 0


def _without_display(kind: Any, context: Any, text: str) -> None:
    """Say what to do where Qt would end the process because it finds no display."""
    del context
    from PySide6 import QtCore

    if kind is QtCore.QtMsgType.QtFatalMsg:
        print(NO_DISPLAY, file=sys.stderr, flush=True)
        os._exit(1)  # on return Qt aborts, with a dump of its memory
    if kind is not QtCore.QtMsgType.QtDebugMsg:
        print(text, file=sys.stderr)
