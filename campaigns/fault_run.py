"""One rehearsal in which things go wrong: started, disturbed from outside, watched to its end, never left running."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from campaigns.fault_classes import DISK
from campaigns.fault_plan import PlannedFault
from campaigns.small_disk import SmallDisk
from campaigns.toml_text import toml_text
from operando.model.run_directory import RunDirectory
from operando.session.processes import read_pid_files

_ROOT = Path(__file__).parents[1]
EXPERIMENT = _ROOT / "experiments" / "campaign.toml"
LONGEST_S = 240.0  # of a rehearsal that takes 25 s undisturbed, on a busy computer
LONGEST_ENDING_S = 30.0
POLL_S = 0.05


@dataclass(frozen=True)
class DisturbedRun:
    """What came of a run: its exit code, None if it had to be killed, and what was still alive after it."""

    directory: Path
    exit_code: int | None
    took_s: float
    signals: dict[str, float]  # name of a fault: when its signal was sent, on the host's clock
    left: list[str]

    @property
    def output(self) -> str:
        """What it printed."""
        return self.directory.with_suffix(".out").read_text(encoding="utf-8", errors="replace")


def run_disturbed(directory: Path, faults: Sequence[PlannedFault]) -> DisturbedRun:
    """Rehearse ``experiments/campaign.toml`` in ``directory`` with faults; return what came of it."""
    if all(fault.role != DISK for fault in faults):
        return _run(directory, faults, None)
    with SmallDisk(directory.with_suffix(".disk")) as disk:
        run = _run(disk.folder / directory.name, faults, disk)
        for path in disk.folder.iterdir():
            if path.name.startswith(directory.name):
                shutil.move(path, directory.parent / path.name)
    return replace(run, directory=directory)


def _run(directory: Path, faults: Sequence[PlannedFault], disk: SmallDisk | None) -> DisturbedRun:
    tables = [fault.table for fault in faults if fault.table is not None]
    file = directory.with_suffix(".faults.toml")
    file.write_text(toml_text({"fault": tables}) if tables else "", encoding="utf-8")
    arguments = ["run", str(EXPERIMENT), "--run-dir", str(directory), "--faults", str(file), "--longest-alone", "20"]
    begin_s = time.perf_counter()
    with directory.with_suffix(".out").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "operando.cli", *arguments],
            cwd=_ROOT,
            env=os.environ | {"PYTHONPATH": str(_ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    signals: dict[str, float] = {}
    try:
        exit_code = _watched(process, RunDirectory(directory), faults, signals, disk)
        took_s = time.perf_counter() - begin_s
        left = [] if exit_code is None else _left_after(directory)
    finally:
        _end(process, directory)
    return DisturbedRun(directory, exit_code, took_s, signals, left)


def _watched(
    process: "subprocess.Popen[bytes]",
    run: RunDirectory,
    faults: Sequence[PlannedFault],
    signals: dict[str, float],
    disk: SmallDisk | None,
) -> int | None:
    """Send the signals when it is time; return the exit code, None if the run does not end."""
    waiting = [fault for fault in faults if fault.table is None]
    lasting: list[tuple[float, Callable[[], None]]] = []
    pause = threading.Event()
    deadline_s, begun_s = time.monotonic() + LONGEST_S, None
    while process.poll() is None and time.monotonic() < deadline_s:
        now_s = time.monotonic()
        if begun_s is None and run.schedule.exists() and run.schedule.stat().st_size:
            begun_s = now_s
        if begun_s is not None and waiting and now_s >= begun_s + waiting[0].after_s:
            fault = waiting.pop(0)
            end = _disturb(run, fault, disk)
            if end is not None:
                signals[fault.name] = time.time()
                lasting.append((now_s + (fault.hangs_s or 0.0), end))
        for each in tuple(lasting):
            until_s, end = each
            if now_s >= until_s:
                lasting.remove(each)
                end()
        pause.wait(POLL_S)
    for _, end in lasting:
        end()
    return process.poll()


def _disturb(run: RunDirectory, fault: PlannedFault, disk: SmallDisk | None) -> Callable[[], None] | None:
    """Fill the disk, or send the fault's signal to its process; return what ends it, None if there is no process."""
    if fault.role == DISK:
        assert disk is not None
        disk.fill()
        return disk.make_room
    target = _process(run, fault.role)
    if target is None:
        return None
    target.send_signal(signal.SIGKILL if fault.hangs_s is None else signal.SIGSTOP)
    return lambda: _go_on(target)


def _process(run: RunDirectory, role: str) -> psutil.Process | None:
    for record in read_pid_files(run.processes):
        if record.role == role and record.alive:
            return psutil.Process(record.pid)
    return None


def _go_on(target: psutil.Process) -> None:
    try:
        target.send_signal(signal.SIGCONT)
    except psutil.NoSuchProcess:
        return


def processes_of(directory: Path) -> list[psutil.Process]:
    """Return the living processes whose command line names a run's directory."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        named = any(argument.startswith(str(directory)) for argument in process.info["cmdline"] or [])
        if named and process.info["status"] != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
            found.append(process)
    return found


def _left_after(directory: Path) -> list[str]:
    """Return the command lines of what is still alive when everything should have ended."""
    pause = threading.Event()
    deadline_s = time.monotonic() + LONGEST_ENDING_S
    while (left := processes_of(directory)) and time.monotonic() < deadline_s:
        pause.wait(0.2)
    return [" ".join(process.info["cmdline"] or []) for process in left]


def _end(process: "subprocess.Popen[bytes]", directory: Path) -> None:
    """Kill everything that belongs to a run, also if whoever waited for it was interrupted."""
    if process.poll() is None:
        process.kill()
        process.wait()
    for left in processes_of(directory):
        try:
            left.kill()
        except psutil.NoSuchProcess:
            continue
