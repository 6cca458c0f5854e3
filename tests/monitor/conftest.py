import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest
from PySide6 import QtWidgets

from operando.model.clock import SystemClock
from operando.model.run_directory import RunDirectory
from operando.monitor.reading.run_view import RunView
from operando.monitor.window import MonitorWindow
from tests.support.run_directories import FakedRun, finished_run

TIMEOUT_S = 20.0


class OpenMonitor:
    """A monitor window without a display, and waiting for what it shows."""

    def __init__(self, run: RunDirectory, application: QtWidgets.QApplication) -> None:
        self._application = application
        self.window = MonitorWindow(run, SystemClock())

    @property
    def texts(self) -> str:
        """What all labels of the window say."""
        return "\n".join(label.text() for label in self.window.findChildren(QtWidgets.QLabel))

    def until(self, wanted: Callable[[RunView], bool], timeout_s: float = TIMEOUT_S) -> RunView:
        give_up_s = monotonic() + timeout_s
        while monotonic() < give_up_s:
            self._application.processEvents()
            self.window.refresh()
            if self.window.view is not None and wanted(self.window.view):
                return self.window.view
            sleep(0.005)
        raise AssertionError(f"the monitor did not show it within {timeout_s} s; last: {self.window.view}")


@pytest.fixture
def open_monitor(qapp: QtWidgets.QApplication) -> Iterator[Callable[[RunDirectory], OpenMonitor]]:
    opened: list[OpenMonitor] = []
    gc.disable()  # as in the monitor's process: a widget that a reading thread collects crashes Qt

    def open_on(run: RunDirectory) -> OpenMonitor:
        opened.append(OpenMonitor(run, qapp))
        return opened[-1]

    yield open_on
    for monitor in opened:
        monitor.window.close()
        monitor.window.deleteLater()
    opened.clear()
    qapp.processEvents()
    gc.collect()
    gc.enable()


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return finished_run(tmp_path_factory.mktemp("finished")).run


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[FakedRun]:
    faked = FakedRun(tmp_path / "growing")
    yield faked
    faked.close()
