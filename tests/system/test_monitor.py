"""The window on a real rehearsal whose processes are killed."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from operando.model.run_directory import RunDirectory
from operando.monitor.reading.run_processes import Life
from operando.monitor.reading.run_view import Quantity, RunView
from tests.monitor.conftest import OpenMonitor, open_monitor
from tests.support.processes import Rehearsal, rehearsal

__all__ = ["open_monitor"]
SHOWN_WITHIN_S = 2.0


def life(view: RunView, role: str) -> Life | None:
    return next((process.life for process in view.processes if process.role == role), None)


def kill(run: Rehearsal, role: str) -> int:
    pid = run.pid(role)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def wait_until_told(monitor: OpenMonitor, role: str) -> None:
    """Wait for its death or, as it may be back before the monitor looks, for its restart."""
    monitor.until(lambda view: any(f"The {role} {what}" in monitor.texts for what in ("has DIED", "was restarted")))


def wait_until_back(monitor: OpenMonitor, role: str) -> RunView:
    return monitor.until(lambda view: life(view, role) is Life.LIVES and f"The {role} was restarted" in monitor.texts)


@pytest.mark.timeout(150)
def test_who_is_killed_is_told_within_two_seconds_and_the_rest_goes_on(
    tmp_path: Path, open_monitor: Callable[[RunDirectory], OpenMonitor]
) -> None:
    with rehearsal(tmp_path / "run") as run:
        run.wait(lambda: run.began("step", "discharge"))
        monitor = open_monitor(RunDirectory(run.directory))
        monitor.until(lambda view: all(life(view, role) is Life.LIVES for role in ("guard", "analysis", "acquisition")))
        for role in ("guard", "analysis"):
            killed, begin_s = kill(run, role), monotonic()
            wait_until_told(monitor, role)
            assert monotonic() - begin_s < SHOWN_WITHIN_S
            view = wait_until_back(monitor, role)
            assert killed not in [process.pid for process in view.processes]
        num_samples = len(monitor.until(lambda view: view.history_is_complete).traces[Quantity.VOLTAGE])
        kill(run, "acquisition")
        begin_s = monotonic()
        wait_until_told(monitor, "acquisition")
        assert monotonic() - begin_s < SHOWN_WITHIN_S
        monitor.until(lambda view: len(view.traces[Quantity.VOLTAGE]) > num_samples, 60.0)  # the guard goes on
