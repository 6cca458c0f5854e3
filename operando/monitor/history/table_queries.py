"""What is asked of one table of the guard's log, with damaged rows told apart from a log that cannot be read at all."""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from math import isfinite, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operando.monitor.history.pyramid import Floats
from operando.monitor.history.trace import Times

_KIND_OF_ERROR = 0xFF  # the lowest byte of SQLite's codes


class DamagedRowsError(Exception):
    """Rows cannot be read because the file is damaged there."""


@dataclass(frozen=True)
class NewestRow:
    """The newest row: values by column, NaN for a missing one; ``stamp`` is its ``wall_s`` as the log has it."""

    id: int
    time_s: float
    wall_s: float
    period_s: float
    quality: str
    values: dict[str, float]
    stamp: Any


class TableQueries:
    """Asks for rows by their id; every method takes the log, opened for reading, and may raise DamagedRowsError.

    Parameters
    ----------
    table, columns
        As :data:`operando.model.cell_log.TABLES` names them.
    """

    def __init__(self, table: str, columns: Sequence[str]) -> None:
        self.table, self.columns = table, tuple(columns)
        wanted = ", ".join(f"ifnull({column}, 9e999)" for column in columns)  # SQLite knows no NaN
        self._samples = f"SELECT time_s, period_s, {wanted} FROM {table} WHERE id > ? AND id <= ? ORDER BY id"
        extremes = ", ".join(f"min({column}), max({column})" for column in columns)
        first_s = f"(SELECT time_s FROM {table} WHERE id > ?1 ORDER BY id LIMIT 1)"  # a minimum would cost a fifth more
        self._extremes = f"SELECT {first_s}, {extremes} FROM {table} WHERE id > ?1 AND id <= ?2"
        newest = ", ".join(("time_s", "wall_s", "period_s", "quality", *columns))
        self._newest = f"SELECT {newest} FROM {table} WHERE id = ?"

    def samples(self, log: sqlite3.Connection, after_id: int, until_id: int) -> tuple[Times, Floats, Times]:
        """Return the rows after one id up to another: times, values of shape (num, columns) and periods of sampling."""
        bounds = after_id, until_id
        with _damage_told():
            try:
                numbers = np.fromiter(chain.from_iterable(log.execute(self._samples, bounds)), np.float64)
            except (TypeError, ValueError):  # SQLite keeps text in a column of numbers, if somebody writes it
                cells = chain.from_iterable(log.execute(self._samples, bounds))
                numbers = np.fromiter(map(_number, cells), np.float64)
        rows = numbers.reshape(-1, 2 + len(self.columns))
        rows = rows[np.isfinite(rows[:, 0])]
        return rows[:, 0].copy(), as_values(rows[:, 2:]), rows[:, 1]

    def extremes(self, log: sqlite3.Connection, after_id: int, until_id: int) -> NDArray[np.float64]:
        """Return the first time, then the least and the largest value of each column, shape (1 + 2 columns,).

        Where there are no rows the time is that of the next one and the values are NaN.
        """
        return np.array([_number(cell) for cell in _rows(log, self._extremes, after_id, until_id)[0]])

    def newest_row(self, log: sqlite3.Connection, row_id: int) -> NewestRow | None:
        """Return the row of an id."""
        for time_s, wall_s, period_s, quality, *values in _rows(log, self._newest, row_id):
            numbers = dict(zip(self.columns, map(_number, values), strict=True))
            return NewestRow(
                row_id, _number(time_s), _number(wall_s), _number(period_s), str(quality), numbers, stamp=wall_s
            )
        return None

    def oldest_s(self, log: sqlite3.Connection) -> float:
        """Return the time of the first row; NaN if there is none."""
        found = _rows(log, f"SELECT time_s FROM {self.table} WHERE id > 0 ORDER BY id LIMIT 1")
        return _number(found[0][0]) if found else nan

    def last_id(self, log: sqlite3.Connection, until_id: int | None = None) -> int:
        """Return the largest id, up to and with another; 0 if there is none."""
        where = "id > 0" if until_id is None else f"id > 0 AND id <= {until_id:d}"
        return int(_rows(log, f"SELECT max(id) FROM {self.table} WHERE {where}")[0][0] or 0)

    def following_ids(self, log: sqlite3.Connection, after_id: int, num: int) -> tuple[int, int]:
        """Return the first and the last of the next ``num`` ids; ``after_id`` twice if there are none."""
        following = f"SELECT id FROM {self.table} WHERE id > ? ORDER BY id LIMIT {num:d}"
        first_id, last_id = _rows(log, f"SELECT min(id), max(id) FROM ({following})", after_id)[0]
        return first_id or after_id, last_id or after_id


def as_values(numbers: NDArray[np.float64]) -> Floats:
    """Return numbers in single precision; what is not finite there is NaN."""
    with np.errstate(over="ignore"):
        values = numbers.astype(np.float32)
    values[~np.isfinite(values)] = np.nan
    return values


def _rows(log: sqlite3.Connection, select: str, *bounds: int) -> list[tuple[Any, ...]]:
    with _damage_told():
        return log.execute(select, bounds).fetchall()


@contextlib.contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & _KIND_OF_ERROR != sqlite3.SQLITE_CORRUPT:
            raise
        raise DamagedRowsError from error


def _number(cell: object) -> float:
    return float(cell) if isinstance(cell, int | float) and isfinite(cell) else nan
