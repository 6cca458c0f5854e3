"""Follows the samples in the guard's log, live or finished, whatever happens to the file."""

import sqlite3
from collections.abc import Mapping, Sequence
from math import isfinite, nan
from pathlib import Path
from time import perf_counter

from operando.model.cell_log_opening import open_log
from operando.model.ordinary_file import ordinary_file
from operando.monitor.history.table_history import MOST_STEPS_BACK
from operando.monitor.history.table_queries import NewestRow
from operando.monitor.history.table_reader import TableReader
from operando.monitor.history.trace import Trace

LONGEST_WAIT_S = 0.1  # for whoever holds the log alone: what else there is to be seen does not wait


class LogHistory:
    """The samples of a log in columns, with as much of the past as there was time to read.

    Parameters
    ----------
    path
        The log, which need not be there yet.
    columns
        Which columns of which tables are wanted.
    """

    def __init__(self, path: Path, columns: Mapping[str, Sequence[str]]) -> None:
        self._path, self._columns = path, columns
        self._log: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None  # which file it was, for the system
        self._gone = False
        self.generation = 0  # grows when another log has taken its place
        self._tables: list[TableReader] = []
        self._begin_anew()

    @property
    def newest(self) -> dict[str, NewestRow]:
        """The newest row of every table that has one."""
        return {table.table: table.newest for table in self._tables if table.newest is not None}

    @property
    def is_complete(self) -> bool:
        """Whether all rows that were there at the last update have been read."""
        return all(table.is_complete for table in self._tables)

    @property
    def oldest_s(self) -> float:
        """Time of the oldest sample of all, s since 1970; NaN if there is none."""
        return min((table.oldest_s for table in self._tables if isfinite(table.oldest_s)), default=nan)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the log, in words."""
        found = ["is gone; what was read of it is shown"] if self._gone else []
        for table in self._tables:
            if table.end_is_damaged:
                found.append(f"the end of {table.table} is damaged; it is shown as far as it can be read")
            if table.num_damaged:
                found.append(f"about {table.num_damaged} rows of {table.table} are damaged and left out")
            if table.history.num_held:
                found.append(
                    f"the times of {table.table} go back more than {MOST_STEPS_BACK} times; "
                    f"{table.history.num_held} steps back are shown as standing still"
                )
        return tuple(found)

    def update(self, budget_s: float) -> None:
        """Read what is new; then, until ``budget_s`` have passed since the call, what is old, newest first.

        Raises
        ------
        sqlite3.Error, OSError
            If the log cannot be read now; the next call tries again.
        """
        began_s = perf_counter()
        try:
            log = self._opened()
            if log is not None:
                self._read(log, began_s + budget_s)
        except (sqlite3.Error, OSError):
            self.close()
            raise

    def traces(self) -> dict[tuple[str, str], Trace]:
        """Return all columns as they are now, by table and column."""
        return {
            (table.table, column): trace
            for table in self._tables
            for column, trace in table.traces(self.generation).items()
        }

    def close(self) -> None:
        """Close the log; the next update opens it again."""
        if self._log is not None:
            self._log.close()
            self._log = None

    def _begin_anew(self) -> None:
        self.generation += 1
        self._tables = [TableReader(table, columns) for table, columns in self._columns.items()]

    def _opened(self) -> sqlite3.Connection | None:
        """Return the log, if there is one to read; it may have come, gone or been replaced since the last call."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._gone = self._file is not None
            self.close()
            return None
        self._gone = False
        if (found.st_dev, found.st_ino) != self._file:
            self.close()
            if self._file is not None:
                self._begin_anew()
            self._file = found.st_dev, found.st_ino
        if self._log is None:
            self._log = open_log(ordinary_file(self._path), longest_wait_s=LONGEST_WAIT_S)
            self._log.text_factory = _text
            # Nothing is written here; without it SQLite refuses all of a file that was cut off while it was copied.
            self._log.execute("PRAGMA writable_schema=ON")
        return self._log

    def _read(self, log: sqlite3.Connection, until_s: float) -> None:
        present = {name for (name,) in log.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not all(
            table.is_the_same(log) if table.table in present else table.newest is None for table in self._tables
        ):
            self._begin_anew()  # written over in its place
        tables = [table for table in self._tables if table.table in present]
        for table in tables:
            while table.read_new(log) and perf_counter() < until_s:
                pass
        while perf_counter() < until_s:
            unfinished = [table for table in tables if table.num_unread]
            if not unfinished:
                return
            max(unfinished, key=lambda table: table.urgency).read_older(log)


def _text(damaged_or_not: bytes) -> str:
    return damaged_or_not.decode("utf-8", "replace")
