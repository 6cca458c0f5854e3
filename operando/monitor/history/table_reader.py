"""Follows one table of the guard's log: what is new at once, what is old newest first and bit by bit.

Rows are found by their id, so that none is read twice, whatever is written meanwhile. Each call takes milliseconds.
"""

import contextlib
import sqlite3
from collections.abc import Sequence
from math import inf, isfinite, nan

import numpy as np

from operando.monitor.history.pyramid import Floats
from operando.monitor.history.rough_past import RoughPast
from operando.monitor.history.table_history import TableHistory
from operando.monitor.history.table_queries import DamagedRowsError, NewestRow, TableQueries
from operando.monitor.history.trace import Times, Trace, Unread

ROWS_AT_ONCE = 8192
LEAST_ROWS_AT_ONCE = 64  # about a page of the file, of which damage makes all rows unreadable
SHORT_TABLE_ROWS = 65_536  # read in less than 0.1 s, sooner than anybody can look
STRIDE_FACTOR = 8


class TableReader:
    """Every method takes the log that was opened for reading.

    Parameters
    ----------
    table, columns
        What is wanted, as :data:`operando.model.cell_log.TABLES` names it.
    """

    def __init__(self, table: str, columns: Sequence[str]) -> None:
        self.table = table
        self._queries = TableQueries(table, columns)
        self.history = TableHistory(columns)
        self.newest: NewestRow | None = None
        self.oldest_s = nan
        self.num_damaged = 0  # rows that were left out
        self.end_is_damaged = False  # so that nobody knows how many rows there are
        self.num_unread = 0  # older rows that are still to be read, or rather ids
        self._begun = False
        self._newest_id = self._last_id = 0  # what there is, what was read
        self._new, self._older = _Stride(), _Stride()
        self._rough = RoughPast(self._queries, 0)

    @property
    def is_complete(self) -> bool:
        """Whether all rows were read that were there at the last call."""
        return self.num_unread == 0 and self._last_id == self._newest_id

    @property
    def urgency(self) -> tuple[bool, bool, int]:
        """Sorts tables by what should be done next: something of the whole length, extremes of all rows, all rows."""
        return not self._rough.has_seen_whole_length, self._rough.is_sparse, self.num_unread

    def is_the_same(self, log: sqlite3.Connection) -> bool:
        """Whether the newest row that was seen is still there as it was."""
        if self.newest is None:
            return True
        with contextlib.suppress(DamagedRowsError):
            found = self._queries.newest_row(log, self.newest.id)
            return found is not None and found.stamp == self.newest.stamp
        return True

    def read_new(self, log: sqlite3.Connection) -> bool:
        """Read rows that were added since the last call, a bounded number of them; return whether there are more."""
        self._newest_id = self._find_newest_id(log)
        if self._newest_id and not self._begun:
            self._begin(log)
        if self._newest_id == self._last_id and self.newest is not None:
            return False
        if self.newest is None or self._newest_id != self.newest.id:
            with contextlib.suppress(DamagedRowsError):
                self.newest = self._queries.newest_row(log, self._newest_id)
        until_id = min(self._last_id + self._new.num_ids, self._newest_id)
        if until_id == self._last_id:
            return False
        try:
            samples = self._queries.samples(log, self._last_id, until_id)
            if len(samples[0]) == 0 and until_id < self._newest_id:
                until_id = self._queries.following_ids(log, until_id, 1)[0] - 1
            self._new.succeeded()
        except DamagedRowsError:
            left_out = self._new.failed()
            until_id = min(self._last_id + left_out, self._newest_id)
            samples = self._missing(until_id - self._last_id, self.history.end_s)
        self.history.append(*samples)
        self._last_id = until_id
        return self._last_id < self._newest_id

    def read_older(self, log: sqlite3.Connection) -> None:
        """Do the next bit of work for what was there before the first call."""
        if self._rough.is_sparse:
            self._rough.read(log)
            return
        after_id = max(self.num_unread - self._older.num_ids, 0)
        try:
            samples = self._queries.samples(log, after_id, self.num_unread)
            if len(samples[0]) == 0:
                after_id = self._queries.last_id(log, after_id)
            self._older.succeeded()
        except DamagedRowsError:
            after_id = max(self.num_unread - self._older.failed(), 0)
            samples = self._missing(self.num_unread - after_id, self.history.begin_s)
        self.history.prepend(*samples)
        self.num_unread = after_id
        if after_id == 0:
            self._rough = RoughPast(self._queries, 0)

    def traces(self, generation: int) -> dict[str, Trace]:
        """Return all columns as they are now; ``generation`` goes into their version."""
        unread = None
        if self.num_unread:
            end_s = self.history.begin_s if len(self.history) else self.newest.time_s if self.newest else nan
            begin_s = self.oldest_s if isfinite(self.oldest_s) else end_s
            unread = Unread(begin_s, end_s, self.num_unread, self._rough.is_sparse)
        version = generation, self._rough.num_read, self.num_unread
        return {
            column: self.history.trace(column, known, unread, version)
            for column, known in zip(self._queries.columns, self._rough.envelopes(self.num_unread), strict=True)
        }

    def _begin(self, log: sqlite3.Connection) -> None:
        self._begun = True
        with contextlib.suppress(DamagedRowsError):
            self.oldest_s = self._queries.oldest_s(log)
        if not self.end_is_damaged:  # else rows are read from the first one on, as far as they go
            self._last_id = self.num_unread = self._newest_id
            self._rough = RoughPast(self._queries, self._newest_id if self._newest_id > SHORT_TABLE_ROWS else 0)

    def _find_newest_id(self, log: sqlite3.Connection) -> int:
        """Return the largest id, or, if the table's end is damaged, the largest up to which rows can be read now."""
        try:
            newest_id = self._queries.last_id(log)
            self.end_is_damaged = False
            return newest_id
        except DamagedRowsError:
            self.end_is_damaged = True
        num = ROWS_AT_ONCE
        while num:
            with contextlib.suppress(DamagedRowsError):
                return self._queries.following_ids(log, self._last_id, num)[1]
            num //= STRIDE_FACTOR
        return self._last_id

    def _missing(self, num_rows: int, time_s: float) -> tuple[Times, Floats, Times]:
        """Count rows that cannot be read; return a missing sample in their place, beside one that was read."""
        self.num_damaged += num_rows
        num = int(num_rows > 0 and isfinite(time_s))
        return np.full(num, time_s), np.full((num, len(self._queries.columns)), np.nan, np.float32), np.full(num, inf)


class _Stride:
    """How many ids are asked for at once: fewer where some rows are damaged, and where all are, ever more left out."""

    def __init__(self) -> None:
        self.num_ids = ROWS_AT_ONCE
        self._left_out = LEAST_ROWS_AT_ONCE

    def succeeded(self) -> None:
        self.num_ids, self._left_out = min(self.num_ids * STRIDE_FACTOR, ROWS_AT_ONCE), LEAST_ROWS_AT_ONCE

    def failed(self) -> int:
        """Return how many ids to leave out: none as long as fewer can be tried."""
        if self.num_ids > LEAST_ROWS_AT_ONCE:
            self.num_ids = max(self.num_ids // STRIDE_FACTOR, LEAST_ROWS_AT_ONCE)
            return 0
        left_out, self._left_out = self._left_out, 2 * self._left_out
        return left_out
