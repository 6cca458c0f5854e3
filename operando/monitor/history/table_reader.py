"""Reads one table of the guard's log into columns: what is new at once, what is old newest first and bit by bit.

Of a long table first a few rows here and there are looked at, then the least and largest value of every few hundred
rows, then all rows. Each call does a few milliseconds of work. Rows are found by their id, so that none is read twice.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import chain
from math import isfinite, nan
from typing import Any

import numpy as np

from operando.monitor.history.pyramid import Floats
from operando.monitor.history.table_history import TableHistory
from operando.monitor.history.trace import NOTHING, Envelope, Times, Trace, Unread

ROWS_AT_ONCE = 8192
LEAST_ROWS_AT_ONCE = 64  # about a page of the file, of which damage makes all rows unreadable
SHORT_TABLE_ROWS = 65_536  # read in less than 0.1 s, sooner than anybody can look
ROWS_IN_BIN, MOST_BINS = 512, 16_384
NUM_SPARSE_BINS, ROWS_IN_SPARSE_BIN = 1024, 16
SPARSE_BINS_AT_ONCE, BINS_AT_ONCE = 64, 16
LEAST_SHRINKING = 8  # of the rows at once where some are damaged


class Stage(IntEnum):
    """What is done next for the older part of a table."""

    SPARSE = 0
    ENVELOPE = 1
    SAMPLES = 2
    DONE = 3


@dataclass(frozen=True)
class NewestRow:
    """The newest row: values by column, with NaN for a missing one."""

    id: int
    time_s: float
    wall_s: float
    period_s: float
    quality: str
    values: dict[str, float]


class DamagedRowsError(Exception):
    """Rows cannot be read because the file is damaged there."""


class TableReader:
    """Follows one table; every method takes the log that was opened for reading.

    Parameters
    ----------
    table
        A name in :data:`operando.model.cell_log.TABLES`.
    columns
        Which of its columns are wanted.
    """

    def __init__(self, table: str, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self.table = table
        wanted = ", ".join(f"ifnull({column}, 9e999)" for column in columns)  # SQLite knows no NaN
        self._select_samples = f"SELECT time_s, {wanted} FROM {table} WHERE id > ? AND id <= ? ORDER BY id"
        extremes = ", ".join(f"min({column}), max({column})" for column in columns)
        self._select_extremes = f"SELECT time_s, {extremes} FROM {table} WHERE id > ? AND id <= ?"
        self.history = TableHistory(columns)
        self.newest: NewestRow | None = None
        self._newest_stamp: Any = None  # its wall_s as it was found
        self.oldest_s = nan
        self.num_damaged = 0  # rows that were left out
        self.end_is_damaged = False  # so that nobody knows how many rows there are
        self._attached = False
        self._newest_seen_id = 0
        self._last_id = self._next_id = 0  # all rows from the one after next to last were read
        self._rows_at_once = self._new_rows_at_once = ROWS_AT_ONCE
        self._bin_rows, self._next_bin, self._next_sparse_bin = ROWS_IN_BIN, 0, 0
        self._bins = np.empty((0, 1 + 2 * len(columns)))
        self._revision = 0
        self.stage = Stage.DONE

    @property
    def num_unread(self) -> int:
        """How many rows are still to be read, if none was left out when they were numbered."""
        return self._next_id

    @property
    def is_complete(self) -> bool:
        """Whether all rows were read that were there at the last call."""
        return self.stage is Stage.DONE and self._last_id == self._newest_seen_id

    def is_the_same(self, log: sqlite3.Connection) -> bool:
        """Whether the newest row that was seen is still there as it was."""
        if self.newest is None:
            return True
        with contextlib.suppress(DamagedRowsError):
            return _rows(log, f"SELECT wall_s FROM {self.table} WHERE id = ?", self.newest.id) == [
                (self._newest_stamp,)
            ]
        return True

    def read_new(self, log: sqlite3.Connection) -> bool:
        """Read rows that were added since the last call, a bounded number of them; return whether there are more."""
        newest_id = self._newest_seen_id = self._newest_id(log)
        if newest_id == 0:
            return False
        if not self._attached:
            self._attach(log, newest_id)
        if self.newest is None or newest_id != self.newest.id:
            self._read_newest(log, newest_id)
        if newest_id == self._last_id:
            return False
        until_id = min(self._last_id + self._new_rows_at_once, newest_id)
        try:
            times_s, values = self._samples(log, self._last_id, until_id)
        except DamagedRowsError:
            if self._new_rows_at_once > LEAST_ROWS_AT_ONCE:
                self._new_rows_at_once //= LEAST_SHRINKING
                return True
            times_s, values = self._damaged(until_id - self._last_id, self.history.end_s)
        self._new_rows_at_once = min(self._new_rows_at_once * LEAST_SHRINKING, ROWS_AT_ONCE)
        self.history.append(times_s, values)
        self._last_id = until_id
        if len(times_s) == 0 and until_id < newest_id:
            self._last_id = self._id(log, "min(id)", "id > ?", until_id) - 1
        return self._last_id < newest_id

    def read_older(self, log: sqlite3.Connection) -> None:
        """Do the next bit of work for the older part."""
        if self.stage is Stage.SPARSE:
            bins = range(self._next_sparse_bin, len(self._bins), max(len(self._bins) // NUM_SPARSE_BINS, 1))
            for number in bins[:SPARSE_BINS_AT_ONCE]:
                self._read_bin(log, number, ROWS_IN_SPARSE_BIN)
            self._next_sparse_bin = bins[SPARSE_BINS_AT_ONCE] if len(bins) > SPARSE_BINS_AT_ONCE else len(self._bins)
            self.stage = Stage.SPARSE if self._next_sparse_bin < len(self._bins) else Stage.ENVELOPE
        elif self.stage is Stage.ENVELOPE:
            for number in range(self._next_bin - 1, max(self._next_bin - BINS_AT_ONCE, 0) - 1, -1):
                self._read_bin(log, number, self._bin_rows)
            self._next_bin = max(self._next_bin - BINS_AT_ONCE, 0)
            self.stage = Stage.ENVELOPE if self._next_bin else Stage.SAMPLES
        elif self.stage is Stage.SAMPLES:
            self._read_older_samples(log)
            if self._next_id == 0:
                self.stage, self._bins = Stage.DONE, self._bins[:0]

    def traces(self, generation: int) -> dict[str, Trace]:
        """Return all columns as they are now; ``generation`` goes before their version."""
        unread = None
        if self.stage is not Stage.DONE:
            end_s = self.history.begin_s if len(self.history) else self.newest.time_s if self.newest else nan
            begin_s = self.oldest_s if isfinite(self.oldest_s) else end_s
            unread = Unread(begin_s, end_s, self._next_id, self.stage <= Stage.ENVELOPE)
        version = generation, self._revision, self._next_id
        known = self._bins[: -(-self._next_id // self._bin_rows)]
        known = known[np.isfinite(known[:, 0])]
        times_s = np.maximum.accumulate(known[:, 0])
        return {
            column: self.history.trace(
                column,
                Envelope(times_s, _as_values(known[:, 1 + 2 * place]), _as_values(known[:, 2 + 2 * place]))
                if len(known)
                else NOTHING,
                unread,
                version,
            )
            for place, column in enumerate(self._columns)
        }

    def _attach(self, log: sqlite3.Connection, newest_id: int) -> None:
        self._attached = True
        with contextlib.suppress(DamagedRowsError):
            self.oldest_s = _number(
                _rows(log, f"SELECT time_s FROM {self.table} WHERE id > 0 ORDER BY id LIMIT 1")[0][0]
            )
        if self.end_is_damaged:
            return  # then the rows are read forwards, as far as they go
        self._last_id = self._next_id = newest_id
        self.stage = Stage.SAMPLES
        if newest_id > SHORT_TABLE_ROWS:
            self.stage = Stage.SPARSE
            self._bin_rows = max(ROWS_IN_BIN, -(-newest_id // MOST_BINS))
            self._next_bin = -(-newest_id // self._bin_rows)
            self._bins = np.full((self._next_bin, 1 + 2 * len(self._columns)), nan)

    def _newest_id(self, log: sqlite3.Connection) -> int:
        """Return the largest id, or, if the table's end is damaged, the largest up to which rows can be read now."""
        try:
            newest_id = self._id(log, "max(id)", "id > ?", 0)
            self.end_is_damaged = False
            return newest_id
        except DamagedRowsError:
            self.end_is_damaged = True
        rows_at_once = ROWS_AT_ONCE
        while rows_at_once:
            following = f"(SELECT id FROM {self.table} WHERE id > ? ORDER BY id LIMIT {rows_at_once})"
            with contextlib.suppress(DamagedRowsError):
                return int(_rows(log, f"SELECT max(id) FROM {following}", self._last_id)[0][0] or self._last_id)
            rows_at_once //= LEAST_SHRINKING
        return self._last_id

    def _read_newest(self, log: sqlite3.Connection, newest_id: int) -> None:
        wanted = ", ".join(("time_s", "wall_s", "period_s", "quality", *self._columns))
        try:
            found = _rows(log, f"SELECT {wanted} FROM {self.table} WHERE id = ?", newest_id)
        except DamagedRowsError:
            return
        for time_s, wall_s, period_s, quality, *values in found:
            numbers = dict(zip(self._columns, map(_number, values), strict=True))
            self._newest_stamp = wall_s
            self.newest = NewestRow(
                newest_id, _number(time_s), _number(wall_s), _number(period_s), str(quality), numbers
            )

    def _read_older_samples(self, log: sqlite3.Connection) -> None:
        after_id = max(self._next_id - self._rows_at_once, 0)
        try:
            times_s, values = self._samples(log, after_id, self._next_id)
            if len(times_s) == 0:
                after_id = self._id(log, "max(id)", "id > 0 AND id <= ?", after_id)
        except DamagedRowsError:
            if self._rows_at_once > LEAST_ROWS_AT_ONCE:
                self._rows_at_once //= LEAST_SHRINKING
                return
            times_s, values = self._damaged(self._next_id - after_id, self.history.begin_s)
        self._rows_at_once = min(self._rows_at_once * LEAST_SHRINKING, ROWS_AT_ONCE)
        self.history.prepend(times_s, values)
        self._next_id = after_id

    def _damaged(self, num_rows: int, time_s: float) -> tuple[Times, Floats]:
        """Count rows that cannot be read; return a missing sample in their place, beside one that was read."""
        self.num_damaged += num_rows
        num = int(np.isfinite(time_s))
        return np.full(num, time_s), np.full((num, len(self._columns)), np.nan, np.float32)

    def _read_bin(self, log: sqlite3.Connection, number: int, num_rows: int) -> None:
        after_id = number * self._bin_rows
        try:
            found = _rows(log, self._select_extremes, after_id, after_id + num_rows)
        except DamagedRowsError:
            return
        self._bins[number] = [_number(cell) for cell in found[0]]
        self._revision += 1

    def _samples(self, log: sqlite3.Connection, after_id: int, until_id: int) -> tuple[Times, Floats]:
        with _damage_told():
            try:
                rows = log.execute(self._select_samples, (after_id, until_id))
                numbers = np.fromiter(chain.from_iterable(rows), np.float64)
            except (TypeError, ValueError):  # SQLite keeps text in a column of numbers, if somebody writes it
                rows = log.execute(self._select_samples, (after_id, until_id))
                numbers = np.array([_number(cell) for row in rows for cell in row], np.float64)
        table = numbers.reshape(-1, 1 + len(self._columns))
        table = table[np.isfinite(table[:, 0])]
        return table[:, 0].copy(), _as_values(table[:, 1:])

    def _id(self, log: sqlite3.Connection, what: str, where: str, bound: int) -> int:
        return int(_rows(log, f"SELECT {what} FROM {self.table} WHERE {where}", bound)[0][0] or 0)


def _rows(log: sqlite3.Connection, select: str, *bounds: int) -> list[tuple[Any, ...]]:
    with _damage_told():
        return log.execute(select, bounds).fetchall()


@contextlib.contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:  # the lowest byte is the kind of error
            raise
        raise DamagedRowsError from error


def _number(cell: object) -> float:
    return float(cell) if isinstance(cell, int | float) and isfinite(cell) else nan


def _as_values(numbers: Times) -> Floats:
    with np.errstate(over="ignore"):
        values = numbers.astype(np.float32)
    values[~np.isfinite(values)] = np.nan
    return values
