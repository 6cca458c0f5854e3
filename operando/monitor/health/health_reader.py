"""What only the page about the programs needs: rates, clocks, and what the processes use of the computer."""

import contextlib
import sqlite3
from collections import deque
from dataclasses import dataclass
from math import nan

import psutil

from operando.model.cell_log import TABLES, CellLogReader
from operando.model.clock import Clock
from operando.model.ordinary_file import ordinary_file
from operando.model.run_directory import RunDirectory
from operando.monitor.history.log_history import LONGEST_WAIT_S
from operando.monitor.reading.run_processes import Life, ProcessView
from operando.monitor.reading.run_view import RunView

RATE_OVER_S, LEAST_S = 60.0, 2.0  # of the host's time


@dataclass(frozen=True)
class ClockView:
    """A fit of the potentiostat's clock; ``time_s`` is when it was made, on the run's clock."""

    time_s: float
    offset_uncertainty_s: float
    drift_ppm: float
    drift_uncertainty_ppm: float
    num_points: int


@dataclass(frozen=True)
class Usage:
    """What a process uses: private memory in bytes and processor time as a share of one core."""

    memory_bytes: float = nan
    processor_share: float = nan


@dataclass(frozen=True)
class HealthView:
    """All of it at one moment; ``rates_per_s`` are samples of each table of the guard's log, and ``frame`` s."""

    rates_per_s: dict[str, float]
    clock: ClockView | None
    usage: dict[str, Usage]


class Rate:
    """How fast a count grows, over the last minute."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, wall_s: float, count: int) -> float:
        """Take a count; return its growth per second of the host's time, NaN while they say nothing yet."""
        if self._seen and (count < self._seen[-1][1] or wall_s < self._seen[-1][0]):
            self._seen.clear()  # another file, or a clock set back
        self._seen.append((wall_s, count))
        while self._seen[-1][0] - self._seen[0][0] > RATE_OVER_S and len(self._seen) > 2:
            self._seen.popleft()
        (begin_s, first), (end_s, last) = self._seen[0], self._seen[-1]
        return (last - first) / (end_s - begin_s) if end_s - begin_s >= LEAST_S else nan


class HealthReader:
    """Looks again and again; what cannot be read is left out."""

    def __init__(self, run: RunDirectory, host_clock: Clock) -> None:
        self._run, self._clock = run, host_clock
        self._rates = {name: Rate() for name in (*TABLES, "frame")}
        self._processes: dict[int, psutil.Process] = {}

    def read(self, view: RunView) -> HealthView:
        """Look now."""
        clock, rates = None, dict.fromkeys(self._rates, nan)
        path = self._run.cell_log
        if path.exists():
            with (
                contextlib.suppress(sqlite3.Error, OSError),
                contextlib.closing(CellLogReader(ordinary_file(path), longest_wait_s=LONGEST_WAIT_S)) as log,
            ):
                clock = _clock_view(log)
                for table in TABLES:
                    last = log.last(table)
                    rates[table] = self._rate(table, 0 if last is None else int(last["id"]))
        running = view.running_tomogram
        if running is not None:
            rates["frame"] = self._rate("frame", running.num_acquired)
        return HealthView(rates, clock, {process.role: self._usage(process) for process in view.processes})

    def _rate(self, name: str, count: int) -> float:
        return self._rates[name].add(self._clock.now(), count)

    def _usage(self, process: ProcessView) -> Usage:
        if process.life not in (Life.LIVES, Life.STANDS_STILL):
            return Usage()
        try:
            known = self._processes.setdefault(process.pid, psutil.Process(process.pid))
            return Usage(float(known.memory_info().rss), known.cpu_percent() / 100.0)
        except psutil.Error:  # it has just died, or belongs to somebody else
            self._processes.pop(process.pid, None)
            return Usage()


def _clock_view(log: CellLogReader) -> ClockView | None:
    row = log.last("clock_fits")
    if row is None:
        return None
    return ClockView(
        float(row["time_s"]),
        float(row["offset_uncertainty_s"]),
        1e6 * float(row["drift"]),
        1e6 * float(row["drift_uncertainty"]),
        int(row["num_points"]),
    )
