"""The guard's log: its tables, the writer that only the guard uses, and readers for everybody else."""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

from operando.model.cell_log_opening import USUAL_WAIT_S, open_log
from operando.model.clock_fit import ClockFit

TABLES = {
    # time_s: run's clock at reading; wall_s: host's wall clock; period_s: declared period of that moment
    "potentiostat": (
        "elapsed_s",
        "voltage_v",
        "current_a",
        "charge_mah",
        "instrument_charge_mah",
        "state",
        "technique_index",
    ),
    "load_cell": ("counts", "force_n", "stack_pressure_mpa"),
    "temperature": ("temperature_c",),
}
_COMMON = (
    "id INTEGER PRIMARY KEY, time_s REAL NOT NULL, wall_s REAL NOT NULL, period_s REAL NOT NULL, quality TEXT NOT NULL"
)
_EVENTS = (
    "CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, time_s REAL NOT NULL, wall_s REAL NOT NULL, "
    "kind TEXT NOT NULL, text TEXT NOT NULL, data TEXT NOT NULL)"
)
# fits of an instrument's clock, of the same meaning as ClockFit; time_s is when each was made
_FIT = tuple(field.name for field in fields(ClockFit))
_CLOCK_FITS = (
    "CREATE TABLE IF NOT EXISTS clock_fits (id INTEGER PRIMARY KEY, time_s REAL NOT NULL, wall_s REAL NOT NULL, "
    f"clock TEXT NOT NULL, {', '.join(f'{column} REAL NOT NULL' for column in _FIT)})"
)

LONGEST_WAIT_FOR_LOCK_S = 0.5  # nobody else may write; one who does must not keep the guard from opening the circuit
_LARGEST_ID = 2**63 - 1  # of SQLite
_NO_LIMIT = -1  # of a SELECT
_CHECKPOINT_PAGES = 1000  # SQLite's own default


class CellLogWriter:
    """Appends samples and events; :meth:`commit` makes them durable.

    The log is opened by what is first written; where that fails, as on a full disk, by what is written next.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: sqlite3.Connection | None = None
        self._relaxed = False  # commits do not wait for the disk

    def sample(
        self, table: str, *, time_s: float, wall_s: float, period_s: float, quality: str, values: Iterable[float | None]
    ) -> int:
        """Append one sample; return its row id, which counts only after :meth:`commit`."""
        row = (time_s, wall_s, period_s, quality, *values)
        columns = ", ".join(("time_s", "wall_s", "period_s", "quality", *TABLES[table]))
        return self._insert(f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(row))})", row)

    def event(self, kind: str, text: str, *, time_s: float, wall_s: float, data: dict[str, Any] | None = None) -> int:
        """Append one event (a limit, a command, a trip, a note)."""
        # A person's text may hold halves of characters (from JSON), which SQLite refuses.
        whole = text.encode("utf-8", "backslashreplace").decode("utf-8")
        row = (time_s, wall_s, kind, whole, json.dumps(data or {}))
        return self._insert("INSERT INTO events (time_s, wall_s, kind, text, data) VALUES (?, ?, ?, ?, ?)", row)

    def has_event(self, kind: str, *, time_s: float, wall_s: float) -> bool:
        """Return whether an event was appended, committed or not; an error may have taken it back."""
        found = self._database.execute(
            "SELECT 1 FROM events WHERE kind = ? AND time_s = ? AND wall_s = ? LIMIT 1", (kind, time_s, wall_s)
        )
        return found.fetchone() is not None

    def clock_fit(self, clock: str, fit: ClockFit, *, time_s: float, wall_s: float) -> int:
        """Append what is known of an instrument's clock."""
        row = (time_s, wall_s, clock, *astuple(fit))
        columns = ", ".join(("time_s", "wall_s", "clock", *_FIT))
        return self._insert(f"INSERT INTO clock_fits ({columns}) VALUES ({', '.join('?' * len(row))})", row)

    def commit(self) -> None:
        """Return when the disk has everything; after an error, as of a full disk, it can be tried again."""
        if self._database.in_transaction:
            self._database.execute("COMMIT")
        if self._relaxed:
            self._database.execute("PRAGMA synchronous=FULL")
            self._relaxed = False

    def event_without_delay(
        self, kind: str, text: str, *, time_s: float, wall_s: float, data: dict[str, Any] | None = None
    ) -> int:
        """Append one event that outlives this process on return, and a loss of power only after the next commit.

        It takes a fraction of a millisecond where a commit waits for the disk, unless samples are uncommitted.
        """
        if self._database.in_transaction:  # its durability can be chosen before it begins only
            row_id = self.event(kind, text, time_s=time_s, wall_s=wall_s, data=data)
            self.commit()
            return row_id
        try:
            self._database.execute("PRAGMA wal_autocheckpoint=0")  # it would wait for the disk
            self._database.execute("PRAGMA synchronous=NORMAL")
            self._relaxed = True
            row_id = self.event(kind, text, time_s=time_s, wall_s=wall_s, data=data)
            self.commit()
        finally:
            self._database.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        return row_id

    def close(self) -> None:
        """Commit and fold the write-ahead log into one plain file."""
        self.commit()
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with contextlib.suppress(sqlite3.OperationalError):  # a reader is still there; the checkpoint has it all
            self._database.execute("PRAGMA journal_mode=DELETE")
        self._database.close()

    @property
    def _database(self) -> sqlite3.Connection:
        if self._opened is None:
            database = sqlite3.connect(
                self._path, LONGEST_WAIT_FOR_LOCK_S, isolation_level=None, check_same_thread=False
            )
            try:
                database.execute("PRAGMA journal_mode=WAL")
                database.execute("PRAGMA synchronous=FULL")
                for table, columns in TABLES.items():
                    declared = ", ".join(f"{column} REAL" for column in columns)
                    database.execute(f"CREATE TABLE IF NOT EXISTS {table} ({_COMMON}, {declared})")
                database.execute(_EVENTS)
                database.execute(_CLOCK_FITS)
            except sqlite3.DatabaseError:
                database.close()
                raise
            self._opened = database
        return self._opened

    def _insert(self, statement: str, row: tuple[object, ...]) -> int:
        if not self._database.in_transaction:
            self._database.execute("BEGIN")
        row_id = self._database.execute(statement, row).lastrowid
        assert row_id is not None
        return row_id


class CellLogReader:
    """Reads the log of a run, live or finished, without disturbing the guard.

    Parameters
    ----------
    path
        The log.
    longest_wait_s
        For whoever holds it alone.
    despite_damage
        Read as far as can be of a file that was cut off, all of which SQLite refuses otherwise.
    """

    def __init__(self, path: Path, *, longest_wait_s: float = USUAL_WAIT_S, despite_damage: bool = False) -> None:
        self._database = open_log(path, longest_wait_s=longest_wait_s)
        self._database.row_factory = sqlite3.Row
        self._database.text_factory = _text
        if despite_damage:
            self._database.execute("PRAGMA writable_schema=ON")

    @property
    def empty(self) -> bool:
        """Whether its writer never came to make the tables."""
        tables = self._database.execute("SELECT name FROM sqlite_master WHERE name = 'events'")
        return tables.fetchone() is None

    def rows(
        self,
        table: str,
        *,
        after_id: int = 0,
        until_id: int | None = None,
        since_s: float | None = None,
        max_num: int | None = None,
    ) -> list[dict[str, Any]]:
        """Return the committed rows of ``table`` (or ``events``) in order, at most ``max_num``.

        They come after one row id, up to and with another, and since a time of the run's clock.
        """
        latest_id = _LARGEST_ID if until_id is None else until_id
        earliest_s = float("-inf") if since_s is None else since_s
        return list(self._found(table, after_id, latest_id, earliest_s, _NO_LIMIT if max_num is None else max_num))

    def each_row(self, table: str, *, after_id: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the rows after one row id one by one, so that those before a damaged place are known."""
        return self._found(table, after_id, _LARGEST_ID, float("-inf"), _NO_LIMIT)

    def newest_first(self, table: str, *, after_id: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the rows after one row id from the newest back, one by one."""
        _check_table(table)
        return map(dict, self._database.execute(f"SELECT * FROM {table} WHERE id > ? ORDER BY id DESC", (after_id,)))

    def _found(
        self, table: str, after_id: int, until_id: int, since_s: float, max_num: int
    ) -> Iterator[dict[str, Any]]:
        _check_table(table)
        found = self._database.execute(
            f"SELECT * FROM {table} WHERE id > ? AND id <= ? AND time_s >= ? ORDER BY id LIMIT ?",
            (after_id, until_id, since_s, max_num),
        )
        return map(dict, found)

    def clock_fits(self, clock: str) -> list[ClockFit]:
        """Return all fits of an instrument's clock in order; none of a log that was written before there were any."""
        return self._clock_fits("clock = :clock", clock=clock) if self._clock_begins(clock) else []

    def clock_fits_about(
        self, clock: str, *, read_s: tuple[float, float], instrument_s: tuple[float, float]
    ) -> list[ClockFit]:
        """Return those fits of a clock that say when values were made: a run of months has more than are wanted.

        Parameters
        ----------
        read_s
            The first and the last time, s of the host's clock, at which the values were read.
        instrument_s
            Their smallest and largest time by the instrument's clock.
        """
        begins_s = self._clock_begins(clock)
        is_before = [begin_s for begin_s in begins_s if begin_s <= read_s[0]]
        within_s = [begin_s for begin_s in begins_s if read_s[0] < begin_s <= read_s[1]]
        return [
            fit
            for begin_s in dict.fromkeys([*(is_before[-1:] or begins_s[:1]), *within_s])
            for fit in self._clock_fits(
                "clock = :clock AND begin_s = :begin_s"
                " AND instrument_s >= coalesce((SELECT max(instrument_s) FROM clock_fits WHERE clock = :clock"
                " AND begin_s = :begin_s AND instrument_s <= :first_s), :first_s)"
                " AND instrument_s <= coalesce((SELECT min(instrument_s) FROM clock_fits WHERE clock = :clock"
                " AND begin_s = :begin_s AND instrument_s >= :last_s), :last_s)",
                clock=clock,
                begin_s=begin_s,
                first_s=instrument_s[0],
                last_s=instrument_s[1],
            )
        ]

    def _clock_begins(self, clock: str) -> list[float]:
        if self._database.execute("SELECT 1 FROM sqlite_master WHERE name = 'clock_fits'").fetchone() is None:
            return []
        found = self._database.execute("SELECT DISTINCT begin_s FROM clock_fits WHERE clock = ?", (clock,))
        return sorted(row["begin_s"] for row in found)

    def _clock_fits(self, condition: str, **values: Any) -> list[ClockFit]:
        found = self._database.execute(
            f"SELECT {', '.join(_FIT)} FROM clock_fits WHERE {condition} ORDER BY id", values
        )
        return [ClockFit(**{**dict(row), "num_points": int(row["num_points"])}) for row in found]

    def last(self, table: str) -> dict[str, Any] | None:
        """Return the newest committed row."""
        row = self._database.execute(f"SELECT * FROM {table} ORDER BY id DESC LIMIT 1").fetchone()
        return None if row is None else dict(row)

    def latched_trip(self) -> str:
        """Return why the cell is tripped, empty if it is not."""
        row = self._database.execute(
            "SELECT kind, text FROM events WHERE kind IN ('trip', 'trip_cleared') ORDER BY id DESC LIMIT 1"
        ).fetchone()
        return str(row["text"]) if row is not None and row["kind"] == "trip" else ""

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def _check_table(name: str) -> None:
    if name not in TABLES and name != "events":
        raise KeyError(f"{name!r} is no table of the cell log; there are {', '.join(TABLES)}, events.")


def _text(damaged_or_not: bytes) -> str:
    return damaged_or_not.decode("utf-8", "replace")
