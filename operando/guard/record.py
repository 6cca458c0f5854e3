"""What the guard writes down: samples and events in the cell's log, and the row ids that may be published."""

import logging
import math
import sqlite3
from collections.abc import Callable
from time import perf_counter
from typing import Any

from operando.guard.samples import Sample
from operando.model.cell_log import TABLES, CellLogWriter
from operando.model.clock import Clock
from operando.model.clock_fit import ClockFit

LONGEST_UNCOMMITTED_S = 0.1  # of the host's time
LATCHING = ("trip", "trip_cleared")  # kinds of events that the guard that follows must know

_logger = logging.getLogger(__name__)


class Record:
    """Appends to the log, commits at most every 100 ms of the host's time, and knows what is committed.

    A log that cannot be written, as on a full disk, keeps nobody from guarding: it is said once, what fits is kept in
    memory and written when it can be, and row ids stay those of the last commit. A trip that was refused, or its
    clearing, is written before anything else, with the time at which it was.

    Parameters
    ----------
    clock
        The run's clock.
    host_clock
        The host's clock, for the wall time of each row and the pace of commits.
    """

    def __init__(self, log: CellLogWriter, clock: Clock, host_clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._host_clock = host_clock
        self._written = dict.fromkeys(TABLES, 0)
        self._committed_at_s = -math.inf
        self._unwritable = False
        self._appended = False  # since the last commit
        self._owed: list[tuple[str, str, float, float, dict[str, Any]]] = []  # latching, not known to be committed
        self.writing_s = 0.0  # of the host's time, since the beginning
        self.committed_rows = dict.fromkeys(TABLES, 0)

    def sample(self, sample: Sample, *, charge_mah: float | None, period_s: float) -> None:
        """Append one row for each instrument; what it did not say is empty."""
        snapshot = sample.potentiostat
        values: dict[str, tuple[str, tuple[float | None, ...]]] = {
            "potentiostat": (
                sample.potentiostat_quality,
                (None,) * len(TABLES["potentiostat"])
                if snapshot is None
                else (
                    snapshot.elapsed_s,
                    snapshot.voltage_v,
                    snapshot.current_a,
                    charge_mah,
                    snapshot.charge_mah,
                    float(snapshot.state),
                    float(snapshot.technique_index),
                ),
            ),
            "load_cell": (sample.load_cell_quality, (sample.load_cell.counts, sample.force_n, sample.pressure_mpa)),
            "temperature": (
                sample.temperature_quality,
                (None if sample.temperature is None else sample.temperature.temperature_c,),
            ),
        }
        wall_s = self._host_clock.now()

        def append() -> None:
            for table, (quality, row) in values.items():
                self._written[table] = self._log.sample(
                    table, time_s=sample.time_s, wall_s=wall_s, period_s=period_s, quality=str(quality), values=row
                )

        if self._try(append):
            self._appended = True

    def event(self, kind: str, text: str, *, level: int = logging.INFO, **data: Any) -> None:
        """Append one event; it is on disk on return, if the disk takes anything."""
        _logger.log(level, "%s: %s", kind, text)
        time_s, wall_s = self._clock.now(), self._host_clock.now()
        if self._try(lambda: self._log.event(kind, text, time_s=time_s, wall_s=wall_s, data=data)):
            self._appended = True
        self._owe(kind, text, time_s, wall_s, data)
        self.commit()

    def clock_fit(self, clock: str, fit: ClockFit) -> None:
        """Append what is known of an instrument's clock."""
        time_s, wall_s = self._clock.now(), self._host_clock.now()
        if self._try(lambda: self._log.clock_fit(clock, fit, time_s=time_s, wall_s=wall_s)):
            self._appended = True

    def event_without_delay(self, kind: str, text: str, **data: Any) -> None:
        """Append one event that a kill of this process cannot undo; for the disk itself the next commit waits."""
        _logger.error("%s: %s", kind, text)
        time_s, wall_s = self._clock.now(), self._host_clock.now()
        if self._try(lambda: self._log.event_without_delay(kind, text, time_s=time_s, wall_s=wall_s, data=data)):
            self._appended = True
        else:
            self._owe(kind, text, time_s, wall_s, data)

    def commit_if_due(self, *, fast_forward: bool) -> None:
        """Commit; while a rehearsal fast-forwards through many samples a second, only when the last is 100 ms old."""
        if not fast_forward or self._host_clock.steady() - self._committed_at_s >= LONGEST_UNCOMMITTED_S:
            self.commit()

    def commit(self) -> None:
        """Commit now."""
        if self._try(self._log.commit):
            self._owed.clear()
            if self._appended:
                self.committed_rows = dict(self._written)
                self._unwritable = self._appended = False
        self._committed_at_s = self._host_clock.steady()

    def close(self) -> None:
        """Commit and fold the log into one plain file."""
        self._try(self._log.close)

    def _owe(self, kind: str, text: str, time_s: float, wall_s: float, data: dict[str, Any]) -> None:
        """Keep an event that must be in the log until it is committed."""
        if kind in LATCHING:
            self._owed.append((kind, text, time_s, wall_s, data))

    def _append_owed(self) -> None:
        for kind, text, time_s, wall_s, data in self._owed:
            if not self._log.has_event(kind, time_s=time_s, wall_s=wall_s):
                self._log.event(kind, text, time_s=time_s, wall_s=wall_s, data=data)

    def _try(self, write: Callable[[], object]) -> bool:
        """Write to the log, first what is owed to it; return whether it could be."""
        began_s = perf_counter()
        try:
            self._append_owed()
            write()
        except sqlite3.DatabaseError as error:
            if not self._unwritable:
                _logger.critical("The log cannot be written (%s); the guard goes on. Make room on the disk.", error)
            self._unwritable, self._appended = True, False  # SQLite may have taken back what was appended before
            return False
        finally:
            self.writing_s += perf_counter() - began_s
        return True
