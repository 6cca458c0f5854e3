"""One rehearsal in which the voltage breaks its limit while acquisition stands still and everything else is busy."""

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from campaigns.command import ROOT, command
from campaigns.fault_run import processes_of
from operando.model.frames import FrameKind
from operando.model.run_directory import RunDirectory

EXPERIMENT = ROOT / "experiments" / "campaign.toml"
BLOCKED_S = 2.0  # of the host's time: the event loop of the acquisition does nothing meanwhile
SPIKE = ("spike", "sensor=potentiostat", "size=5 V")  # above every limit, one reading long
LONGEST_S = 300.0  # for each thing that is waited for, on a busy computer that compiles its kernels first
POLL_S = 0.02


@dataclass(frozen=True)
class MeasuredReaction:
    """A trip: times on the host's clock since the violating reading arrived, and how long acquisition stood still."""

    seed: int
    run: int
    attempt: int
    blocked_s: float
    sent_after_s: float
    taken_after_s: float
    seen_after_s: float
    verified_after_clock_s: float
    num_attempts: int


class NoTripError(RuntimeError):
    """A rehearsal that ended, or went on, without the trip that it was made for."""


def experiment_without_delay(folder: Path) -> Path:
    """Write the campaign's experiment with limits that act on the first reading; return its file."""
    text = EXPERIMENT.read_text(encoding="utf-8")
    file = folder / "reactions.toml"
    file.write_text(text.replace("[limits]\n", '[limits]\ndelay = "0 s"\n', 1), encoding="utf-8")
    for cell in EXPERIMENT.parent.glob("*.cell.toml"):
        shutil.copyfile(cell, folder / cell.name)
    return file


def measured_reaction(folder: Path, experiment: Path, seed: int, number: int) -> MeasuredReaction:
    """Rehearse until the projections of one of the two tomograms come, break the limit, and return how that went.

    Raises
    ------
    NoTripError
        If no open circuit was verified.
    """
    chance = random.Random(f"{seed}/{number}")
    attempt, later_s = chance.choice((1, 2)), chance.uniform(0.0, 0.3)
    run = RunDirectory(folder / f"seed_{seed}_run_{number:04d}")
    shutil.rmtree(run.path, ignore_errors=True)
    output = run.path.with_suffix(".out")
    output.unlink(missing_ok=True)
    with contextlib.ExitStack() as ending:
        acquisition = ending.enter_context(command(output, "run", str(experiment), "--run-dir", str(run.path)))
        ending.callback(_end_all, run.path)
        _until(lambda: run.schedule.exists() or acquisition.poll() is not None, "the rehearsal did not begin")
        ending.enter_context(_drawn(run))
        frames = run.frames_file(attempt, FrameKind.PROJECTION)
        _until(lambda: frames.exists() or acquisition.poll() is not None, f"attempt {attempt} took no projections")
        threading.Event().wait(later_s)
        if acquisition.poll() is not None:
            raise NoTripError(f"run {number}: the rehearsal ended with exit code {acquisition.poll()} before the trip")
        blocked_s = _break_limit_while_blocked(run, output, acquisition.pid)
        _until(lambda: acquisition.poll() is not None, "the rehearsal did not end after the trip")
    first = _safe_events(run)[0]
    shutil.rmtree(run.path)
    output.unlink()
    return MeasuredReaction(
        seed,
        number,
        attempt,
        blocked_s,
        first["sent_after_s"],
        first["taken_after_s"],
        first["seen_after_s"],
        first["verified_after_clock_s"],
        int(first["num_attempts"]),
    )


def _break_limit_while_blocked(run: RunDirectory, output: Path, acquisition_pid: int) -> float:
    began_s = time.monotonic()
    os.kill(acquisition_pid, signal.SIGSTOP)
    try:
        with command(output, "inject", str(run.path), *SPIKE) as asking:
            _until(lambda: asking.poll() is not None, "the spike was not taken")
        _until(lambda: _safe_events(run) != [], "the spike brought no open circuit")
        threading.Event().wait(max(0.0, BLOCKED_S - (time.monotonic() - began_s)))
        return time.monotonic() - began_s
    finally:
        os.kill(acquisition_pid, signal.SIGCONT)


@contextlib.contextmanager
def _drawn(run: RunDirectory) -> Iterator[None]:
    """Let a monitor draw the run all the time, without a display."""
    monitor = subprocess.Popen(
        [sys.executable, "-m", "operando.monitor", "window", str(run.path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        monitor.kill()
        monitor.wait()


def _safe_events(run: RunDirectory) -> list[dict[str, float]]:
    if not run.cell_log.is_file():
        return []
    with contextlib.closing(sqlite3.connect(f"{run.cell_log.as_uri()}?mode=ro", uri=True)) as log:
        found = log.execute("SELECT data FROM events WHERE kind = 'safe' ORDER BY id").fetchall()
    return [json.loads(data) for (data,) in found]


def _until(holds: Callable[[], bool], failure: str) -> None:
    pause, deadline_s = threading.Event(), time.monotonic() + LONGEST_S
    while not holds():
        if time.monotonic() > deadline_s:
            raise NoTripError(f"{failure} within {LONGEST_S:.0f} s")
        pause.wait(POLL_S)


def _end_all(directory: Path) -> None:
    for process in processes_of(directory):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
