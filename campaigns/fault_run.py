"""One rehearsal in which things go wrong: disturbed from outside, resumed until it is over, never left running."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from campaigns.command import ROOT, command
from campaigns.fault_classes import DISK, EVERYTHING, MONITOR
from campaigns.fault_plan import PlannedFault
from campaigns.small_disk import SmallDisk
from campaigns.toml_text import toml_text
from campaigns.witness import Witness
from operando.model.experiment_file import load_experiment
from operando.model.json_lines import read_json_lines
from operando.model.outcome import Outcome
from operando.model.process_files import read_pid_files
from operando.model.run_directory import RunDirectory
from operando.model.schedule import step_key
from operando.session.errors import EXIT_COMPLETE, EXIT_FAILED, EXIT_MISTAKE

EXPERIMENT = ROOT / "experiments" / "campaign.toml"
LONGEST_S = 240.0  # of one command, which takes 25 s undisturbed, on a busy computer
LONGEST_ALONE_S = 30.0
LONGEST_ENDING_S = 2 * LONGEST_ALONE_S + 45.0  # the guard sees that it is alone and tries once more; then the server
MAX_COMMANDS = 8
POLL_S = 0.05
ROLES = ("acquisition", "simulator", "guard", "analysis")


@dataclass
class DisturbedRun:
    """What came of a run.

    ``commands`` holds what was called, one after the other, with its exit code, None if it had to be killed;
    ``signals`` when each fault from outside happened, on the host's clock; ``left`` what was alive in the end, ``lost``
    what had been in its files before and is gone.
    """

    directory: Path
    commands: list[tuple[str, int | None]] = field(default_factory=list)
    signals: list[tuple[PlannedFault, float]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    took_s: float = 0.0

    @property
    def exit_code(self) -> int | None:
        """Exit code of the last command."""
        return self.commands[-1][1]

    @property
    def output(self) -> str:
        """What all commands printed."""
        return self.directory.with_suffix(".out").read_text(encoding="utf-8", errors="replace")


def run_disturbed(directory: Path, faults: Sequence[PlannedFault]) -> DisturbedRun:
    """Rehearse ``experiments/campaign.toml`` in ``directory`` with faults, and resume it until its schedule is over.

    What tripped is cleared, as a person does who has looked after it.
    """
    begin_s = time.perf_counter()
    if all(fault.role != DISK for fault in faults):
        run = _run(directory, faults, None)
    else:
        with SmallDisk(directory.with_suffix(".disk")) as disk:
            run = _run(disk.folder / directory.name, faults, disk)
            for path in disk.folder.iterdir():
                if path.name.startswith(directory.name):
                    shutil.move(path, directory.parent / path.name)
        run.directory = directory
    run.took_s = time.perf_counter() - begin_s
    return run


def _run(directory: Path, faults: Sequence[PlannedFault], disk: SmallDisk | None) -> DisturbedRun:
    tables = [fault.table for fault in faults if fault.table is not None]
    file = directory.with_suffix(".faults.toml")
    file.write_text(toml_text({"fault": tables}) if tables else "", encoding="utf-8")
    run = DisturbedRun(directory)
    outside = _FromOutside(RunDirectory(directory), faults, disk, run.signals)
    alone = ["--longest-alone", repr(LONGEST_ALONE_S)]
    try:
        _call(run, outside, "run", str(EXPERIMENT), "--run-dir", str(directory), "--faults", str(file), *alone)
        while run.exit_code is not None and _is_unfinished(run) and len(run.commands) < MAX_COMMANDS:
            if run.commands[-1] == ("resume", EXIT_MISTAKE):
                _call(run, outside, "ask", str(directory), "clear-trip", "the campaign has looked after it")
                if run.exit_code != EXIT_COMPLETE:  # the instrument is still silent: guard and beamline give it up
                    threading.Event().wait(LONGEST_ENDING_S)
            _call(run, outside, "resume", str(directory))
            if run.exit_code == EXIT_FAILED:
                outside.wait_for_ends()  # as of a full disk: a person makes room before the next
        outside.wait_for_ends()  # as of a monitor that is still to be killed
        run.left = [] if run.exit_code is None else _left_after(directory)
        run.lost = list(outside.witness.lost(RunDirectory(directory)))
    finally:
        outside.end()
        for process in processes_of(directory):
            _send(process, signal.SIGKILL)
    return run


def _is_unfinished(run: DisturbedRun) -> bool:
    """Whether a person would resume it: its schedule is not over, or its last command was killed."""
    return (run.exit_code or 0) < 0 or not is_over(run.directory)


def is_over(directory: Path) -> bool:
    """Return whether every step of a run's schedule has ended."""
    run = RunDirectory(directory)
    if not run.experiment.is_file():
        return True
    ended = {
        line.get("name")
        for line in read_json_lines(run.schedule)
        if line.get("entry") == "step" and line.get("outcome") in (Outcome.COMPLETE, Outcome.MISSED)
    }
    return all(step_key(step.name, cycle) in ended for cycle, step in load_experiment(run.experiment).steps)


def _call(run: DisturbedRun, outside: "_FromOutside", *arguments: str) -> None:
    """Call the command line, disturb what it does, and note its exit code."""
    with command(run.directory.with_suffix(".out"), *arguments) as process:
        pause, deadline_s = threading.Event(), time.monotonic() + LONGEST_S
        while process.poll() is None and time.monotonic() < deadline_s:
            outside.look()
            pause.wait(POLL_S)
        run.commands.append((arguments[0], process.poll()))


class _FromOutside:
    """Faults that no simulated instrument can have: signals to processes, and a full disk."""

    def __init__(
        self,
        run: RunDirectory,
        faults: Sequence[PlannedFault],
        disk: SmallDisk | None,
        signals: list[tuple[PlannedFault, float]],
    ) -> None:
        self.witness = Witness(run)
        self._run, self._disk, self._signals = run, disk, signals
        self._waiting = [fault for fault in faults if fault.table is None]
        self._lasting: list[tuple[float, Callable[[], None]]] = []
        self._begun_s: float | None = None

    def look(self) -> None:
        """Begin and end what is due."""
        self.witness.look()
        now_s = time.monotonic()
        if self._begun_s is None and self._run.schedule.exists() and self._run.schedule.stat().st_size:
            self._begun_s = now_s
        if self._begun_s is not None and self._waiting and now_s >= self._begun_s + self._waiting[0].after_s:
            fault = self._waiting.pop(0)
            end = self._begin(fault)
            if end is not None:
                self._signals.append((fault, time.time()))
                self._lasting.append((now_s + (fault.hangs_s or 0.0), end))
        for each in tuple(self._lasting):
            until_s, end = each
            if now_s >= until_s:
                self._lasting.remove(each)
                end()

    def wait_for_ends(self) -> None:
        """Wait until nothing lasts any more."""
        pause = threading.Event()
        while self._lasting:
            self.look()
            pause.wait(POLL_S)

    def end(self) -> None:
        """End everything that lasts."""
        for _, end in self._lasting:
            end()

    def _begin(self, fault: PlannedFault) -> Callable[[], None] | None:
        """Do it; return what ends it, None if there is nobody whom it could hit."""
        self.witness.look(now=True)
        if fault.role == MONITOR:
            return self._watch()
        if fault.role == DISK:
            assert self._disk is not None
            self._disk.fill()
            return self._disk.make_room
        roles = ROLES if fault.role == EVERYTHING else (fault.role,)
        records = [record for record in read_pid_files(self._run.processes) if record.role in roles and record.alive]
        targets = [psutil.Process(record.pid) for record in records]
        for target in targets:
            _send(target, signal.SIGKILL if fault.hangs_s is None else signal.SIGSTOP)

        def go_on() -> None:
            for target in targets:
                _send(target, signal.SIGCONT)

        return go_on if targets else None

    def _watch(self) -> Callable[[], None]:
        """Let somebody watch the run; later all that runs in this person's terminal is killed."""
        command = [sys.executable, "-m", "operando.cli", "watch", str(self._run.path)]
        nowhere = subprocess.DEVNULL
        watching = subprocess.Popen(
            command, cwd=ROOT, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True
        )

        def kill() -> None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(watching.pid, signal.SIGKILL)
            watching.wait()

        return kill


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
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
