"""What one look at the processes of a run finds: memory and descriptors of each, and how far the run is."""

import contextlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from live_analysis.results import read_analysis_runs
from operando.model.process_files import read_pid_files
from operando.model.run_directory import RunDirectory


@dataclass(frozen=True)
class ProcessSample:
    """One process: private memory in bytes, open descriptors, threads, and its processor time in s."""

    role: str
    pid: int
    private_bytes: int
    num_descriptors: int
    num_threads: int
    processor_s: float


@dataclass(frozen=True)
class SoakSample:
    """One look; ``time_s`` is on the host's clock since the soak began."""

    time_s: float
    num_guard_samples: int
    num_tomograms: int
    processes: tuple[ProcessSample, ...]

    def as_line(self) -> str:
        """Return it as a line of JSON."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def of_line(cls, line: str) -> "SoakSample":
        """Read what `as_line` wrote."""
        content = json.loads(line)
        processes = tuple(ProcessSample(**process) for process in content.pop("processes"))
        return cls(processes=processes, **content)


def look_at(run: RunDirectory, time_s: float) -> SoakSample:
    """Look at the living processes of a run; what is not there yet counts as nothing."""
    return SoakSample(time_s, _num_guard_samples(run.cell_log), _num_measured(run), tuple(_processes(run)))


def _processes(run: RunDirectory) -> Sequence[ProcessSample]:
    found = []
    for record in read_pid_files(run.processes):
        with contextlib.suppress(psutil.Error):
            if record.alive:
                process = psutil.Process(record.pid)
                spent = process.cpu_times()
                found.append(
                    ProcessSample(
                        record.role,
                        record.pid,
                        _private_bytes(process),
                        process.num_fds(),
                        process.num_threads(),
                        spent.user + spent.system,
                    )
                )
    return found


def _private_bytes(process: psutil.Process) -> int:
    """Return what the process alone has written; pages of a library's file count for nobody, however few read them."""
    return sum(each.private_dirty + each.swap for each in process.memory_maps())


def _num_guard_samples(log: Path) -> int:
    if not log.is_file():
        return 0
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"{log.as_uri()}?mode=ro", uri=True)) as rows,
    ):
        return int(rows.execute("SELECT max(id) FROM potentiostat").fetchone()[0] or 0)
    return 0


def _num_measured(run: RunDirectory) -> int:
    if not run.results.is_file():
        return 0
    return len({entry.tomogram for entry in read_analysis_runs(run.results) if not entry.failures})
