"""Opens the monitor on a run, in a window or as one picture of it."""

import os
from pathlib import Path

from operando.model.clock import SystemClock
from operando.model.run_directory import RunDirectory

DRAWING_TIMEOUT_S = 30.0


def run_monitor(run: RunDirectory, headless_png: Path | None = None) -> int:
    """Show the monitor until its window is closed; with ``headless_png`` draw it once, without a display.

    Returns
    -------
    int
        Exit status: 0, or 1 if the picture could not be drawn or saved.
    """
    if headless_png is not None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"  # Qt reads it when the application is made
    import pyqtgraph

    from operando.monitor.window import MonitorWindow

    application = pyqtgraph.mkQApp("operando monitor")
    clock = SystemClock()
    window = MonitorWindow(run, clock)
    if headless_png is None:
        window.show()
        return int(application.exec())
    give_up_s = clock.now() + DRAWING_TIMEOUT_S
    while (window.view is None or not window.view.history_is_complete) and clock.now() < give_up_s:
        application.processEvents()
        window.refresh()
        clock.sleep_until(clock.now() + 0.02)
    window.grab()  # linked axes find their ranges while they are drawn for the first time
    application.processEvents()
    saved = window.view is not None and window.grab().save(str(headless_png))
    window.close()
    return 0 if saved else 1
