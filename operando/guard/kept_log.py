"""The cell's log on a disk that may be full: nothing raised, nothing shown as committed that is not, no trip lost."""

import logging
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from operando.model.cell_log import TABLES, CellLogWriter
from operando.model.clock_fit import ClockFit

MOST_UNCOMMITTED = 1000  # rows: what a full disk takes back of those that a stalled one had kept waiting
LATCHING = ("trip", "trip_cleared")  # kinds of events that the guard that follows must know

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event:
    """One event, with the run's time and the wall time at which it was."""

    kind: str
    text: str
    time_s: float
    wall_s: float
    data: dict[str, Any]


class KeptLog:
    """Appends to the log and knows what is committed.

    A log that cannot be written, as on a full disk, is said once; row ids stay those of the last commit. A trip that
    was refused, or its clearing, is written before anything else, with the time at which it was.
    """

    def __init__(self, log: CellLogWriter) -> None:
        self._log = log
        self._written = dict.fromkeys(TABLES, 0)
        self._unwritable = False
        self._appended = False  # since the last commit
        self._num_uncommitted = 0
        self._owed: list[Event] = []  # latching, not known to be committed
        self.committed_rows = dict.fromkeys(TABLES, 0)  # replaced as a whole, for who reads it in another thread

    def samples(
        self,
        rows: Mapping[str, tuple[str, tuple[float | None, ...]]],
        *,
        time_s: float,
        wall_s: float,
        period_s: float,
    ) -> None:
        """Append quality and values of one row to each table that is named; many of them are committed."""

        def append() -> None:
            for table, (quality, row) in rows.items():
                self._written[table] = self._log.sample(
                    table, time_s=time_s, wall_s=wall_s, period_s=period_s, quality=quality, values=row
                )

        if self._try(append):
            self._appended = True
            self._num_uncommitted += 1
        if self._num_uncommitted >= MOST_UNCOMMITTED:
            self.commit()

    def event(self, event: Event) -> None:
        """Append one event and commit."""
        if self._try(lambda: self._append(event)):
            self._appended = True
        self._owe(event)
        self.commit()

    def event_without_delay(self, event: Event) -> None:
        """Append one event that a kill of this process cannot undo; for the disk itself the next commit waits."""
        if self._try(lambda: self._append_without_delay(event)):
            self._appended = True
        else:
            self._owe(event)

    def clock_fit(self, clock: str, fit: ClockFit, *, time_s: float, wall_s: float) -> None:
        """Append what is known of an instrument's clock."""
        if self._try(lambda: self._log.clock_fit(clock, fit, time_s=time_s, wall_s=wall_s)):
            self._appended = True

    def commit(self) -> None:
        """Commit what was appended."""
        self._num_uncommitted = 0
        if self._try(self._log.commit):
            self._owed.clear()
            if self._appended:
                self.committed_rows = dict(self._written)
                self._unwritable = self._appended = False

    def close(self) -> None:
        """Commit and fold the log into one plain file."""
        self._try(self._log.close)

    def _append(self, event: Event) -> None:
        self._log.event(event.kind, event.text, time_s=event.time_s, wall_s=event.wall_s, data=event.data)

    def _append_without_delay(self, event: Event) -> None:
        self._log.event_without_delay(event.kind, event.text, time_s=event.time_s, wall_s=event.wall_s, data=event.data)

    def _owe(self, event: Event) -> None:
        """Keep an event that must be in the log until it is committed."""
        if event.kind in LATCHING:
            self._owed.append(event)

    def _append_owed(self) -> None:
        for event in self._owed:
            if not self._log.has_event(event.kind, time_s=event.time_s, wall_s=event.wall_s):
                self._append(event)

    def _try(self, write: Callable[[], object]) -> bool:
        """Write to the log, first what is owed to it; return whether it could be."""
        try:
            self._append_owed()
            write()
        except sqlite3.DatabaseError as error:
            if not self._unwritable:
                _logger.critical("The log cannot be written (%s); the guard goes on. Make room on the disk.", error)
            self._unwritable, self._appended = True, False  # SQLite may have taken back what was appended before
            return False
        return True
