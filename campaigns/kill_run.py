"""One rehearsal of which a process is killed at a random moment, resumed until its schedule has ended."""

import contextlib
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from campaigns.command import command
from campaigns.fault_run import processes_of
from operando.model.json_lines import read_json_lines
from operando.model.process_files import read_pid_files
from operando.model.run_directory import RunDirectory
from operando.session.errors import EXIT_COMPLETE, EXIT_MISTAKE

SHARES = {"acquisition": 50, "guard": 15, "analysis": 15, "simulator": 20}
LONGEST_S = 240.0  # of one command, on a busy computer
LONGEST_ENDING_S = 30.0
MAX_RESUMES = 6
POLL_S = 0.02


@dataclass(frozen=True)
class PlannedKill:
    """Which process is killed so long after its run has made its pid file; ``again`` says it of the resumed run too."""

    role: str
    after_s: float
    again: "PlannedKill | None" = None


@dataclass
class KilledRun:
    """What happened: the entry of the schedule that was under way, exit codes of all commands, what they printed."""

    phase: str
    exit_codes: list[int | None]
    output: str
    left: list[str]
    took_s: float


def role_that_lags(killed: Counter[str]) -> str:
    """Return the process whose turn it is, so that all are killed by their shares at any time."""
    num = sum(killed.values()) + 1
    return max(SHARES, key=lambda role: SHARES[role] * num / sum(SHARES.values()) - killed[role])


def planned_kill(seed: int, number: int, role: str, *, longest_s: float) -> PlannedKill:
    """Return the kill of a run; of one run in five the resumed run is hit, too, whichever process of it."""
    chance = random.Random(f"{seed}/{number}")
    after_s, again_s = chance.uniform(0.0, longest_s), chance.uniform(0.0, longest_s)
    (other,) = chance.choices(list(SHARES), list(SHARES.values()))
    return PlannedKill(role, after_s, PlannedKill(other, again_s) if chance.random() < 0.2 else None)


def run_killed(experiment: Path, directory: Path, kill: PlannedKill) -> KilledRun:
    """Rehearse, kill, and resume until it is over; a trip that the lost beamline has brought is cleared."""
    begin_s = time.perf_counter()
    run, output = RunDirectory(directory), directory.with_suffix(".out")
    killed = KilledRun("", [], "", [], 0.0)
    try:
        with command(output, "run", str(experiment), "--run-dir", str(directory)) as process:
            killed.phase = _killed(process, run, kill)
            killed.exit_codes.append(_waited_for(process))
        waiting = kill.again
        while killed.exit_codes[-1] != EXIT_COMPLETE and len(killed.exit_codes) <= MAX_RESUMES:
            if killed.exit_codes[-1] == EXIT_MISTAKE:
                with command(
                    output, "ask", str(directory), "clear-trip", "its simulated beamline was killed"
                ) as asking:
                    _waited_for(asking)
            with command(output, "resume", str(directory)) as process:
                if waiting is not None:
                    killed.phase += f"; {_killed(process, run, waiting)}"
                    waiting = None
                killed.exit_codes.append(_waited_for(process))
        killed.left = _left_after(directory)
    finally:
        for left in processes_of(directory):
            with contextlib.suppress(ProcessLookupError):
                os.kill(left.pid, signal.SIGKILL)
    killed.output = output.read_text(errors="replace")
    killed.took_s = time.perf_counter() - begin_s
    return killed


def _killed(process: "subprocess.Popen[bytes]", run: RunDirectory, kill: PlannedKill) -> str:
    """Kill at the moment; return what was under way, empty if the run was over before."""
    pause, begun_s = threading.Event(), None
    deadline_s = time.monotonic() + LONGEST_S
    while process.poll() is None and (now_s := time.monotonic()) < deadline_s:
        living = {record.role: record.pid for record in read_pid_files(run.processes) if record.alive}
        if begun_s is None and living.get("acquisition") == process.pid:
            begun_s = now_s
        if begun_s is not None and now_s >= begun_s + kill.after_s and kill.role in living:
            with contextlib.suppress(ProcessLookupError):
                os.kill(living[kill.role], signal.SIGKILL)
            return f"{kill.role} {_under_way(run)}"
        pause.wait(POLL_S)
    return ""


def _under_way(run: RunDirectory) -> str:
    lines = [line for line in read_json_lines(run.schedule) if isinstance(line, dict) and "entry" in line]
    return f"after {lines[-1]['event']} of {lines[-1]['name']}" if lines else "before the schedule began"


def _waited_for(process: "subprocess.Popen[bytes]") -> int | None:
    try:
        return process.wait(LONGEST_S)
    except subprocess.TimeoutExpired:
        return None


def _left_after(directory: Path) -> list[str]:
    pause, deadline_s = threading.Event(), time.monotonic() + LONGEST_ENDING_S
    while (left := processes_of(directory)) and time.monotonic() < deadline_s:
        pause.wait(0.2)
    return [" ".join(process.info["cmdline"] or []) for process in left]
