"""What is known of a long table before all of its rows are read: first a few here and there, then every bin's extremes.

Looking for the least and the largest value of rows takes SQLite a third of the time that it takes to hand them over.
"""

import contextlib
import sqlite3
from math import nan

import numpy as np

from operando.monitor.history.table_queries import DamagedRowsError, TableQueries, as_values
from operando.monitor.history.trace import NOTHING, Envelope

ROWS_IN_BIN, MOST_BINS = 512, 4096  # one for each column of the widest screen
NUM_SPARSE_BINS, ROWS_IN_SPARSE_BIN = 1024, 16
SPARSE_BINS_AT_ONCE, BINS_AT_ONCE = 64, 16  # a few milliseconds each


class RoughPast:
    """The extremes of all rows up to one, bin by bin.

    Parameters
    ----------
    queries
        The table.
    last_id
        The last row it is about; 0 for nothing at all.
    """

    def __init__(self, queries: TableQueries, last_id: int) -> None:
        self._queries = queries
        self._bin_rows = max(ROWS_IN_BIN, -(-last_id // MOST_BINS))
        num = -(-last_id // self._bin_rows)
        self._bins = np.full((num, 1 + 2 * len(queries.columns)), nan)
        self._sparse = list(range(0, num, max(num // NUM_SPARSE_BINS, 1)))[::-1]  # taken from the end
        self._next_bin = num
        self.num_read = 0

    @property
    def is_sparse(self) -> bool:
        """Whether some of the rows have not been looked at."""
        return self._next_bin > 0

    @property
    def has_seen_whole_length(self) -> bool:
        """Whether there is something from everywhere."""
        return not self._sparse

    def read(self, log: sqlite3.Connection) -> None:
        """Do the next bit of work."""
        if self._sparse:
            for number in [self._sparse.pop() for _ in self._sparse[:SPARSE_BINS_AT_ONCE]]:
                self._read_bin(log, number, ROWS_IN_SPARSE_BIN)
        else:
            begin = max(self._next_bin - BINS_AT_ONCE, 0)
            for number in range(begin, self._next_bin):
                self._read_bin(log, number, self._bin_rows)
            self._next_bin = begin

    def envelopes(self, until_id: int) -> list[Envelope]:
        """Return what is known of each column from the beginning up to a row."""
        known = self._bins[: -(-until_id // self._bin_rows)]
        known = known[np.isfinite(known[:, 0])]
        if len(known) == 0:
            return [NOTHING] * len(self._queries.columns)
        times_s = np.maximum.accumulate(known[:, 0])  # while the clock was set back it stands still here
        values = as_values(known[:, 1:])
        return [Envelope(times_s, lows, highs) for lows, highs in zip(values.T[::2], values.T[1::2], strict=True)]

    def _read_bin(self, log: sqlite3.Connection, number: int, num_rows: int) -> None:
        after_id = number * self._bin_rows
        with contextlib.suppress(DamagedRowsError):
            self._bins[number] = self._queries.extremes(log, after_id, after_id + num_rows)
        self.num_read += 1
