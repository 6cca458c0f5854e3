"""What stood in a run's files while it went on, so that afterwards nothing of it may be gone."""

import contextlib
import hashlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from operando.model.cell_log import TABLES
from operando.model.run_directory import RunDirectory

LOOK_ROUND_S = 1.0


class Witness:
    """Remembers, about once a second, the whole lines of journals and the last rows of the guard's log.

    Parameters
    ----------
    run
        Its directory, which need not be there yet.
    """

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._looked_at = 0.0
        self._lines: dict[str, tuple[int, str]] = {}  # by file: bytes up to the last whole line, and their digest
        self._rows: dict[str, dict[int, float]] = {table: {} for table in TABLES}  # time_s by row id

    def look(self, *, now: bool = False) -> None:
        """Remember what is there, at most once a second unless it must be ``now``."""
        if not now and time.monotonic() < self._looked_at + LOOK_ROUND_S:
            return
        self._looked_at = time.monotonic()
        for path in (self._run.documents, self._run.schedule, self._run.results):
            with contextlib.suppress(OSError):
                whole = path.read_bytes()
                whole = whole[: whole.rfind(b"\n") + 1]
                self._lines[path.name] = len(whole), hashlib.sha256(whole).hexdigest()
        for table in self._rows:
            if (last := self._last_row(table)) is not None:
                self._rows[table][last[0]] = last[1]

    def lost(self, run: RunDirectory) -> Iterator[str]:
        """Yield a sentence for everything that was there and is not in ``run``, where it lies now."""
        for path in (run.documents, run.schedule, run.results):
            length, digest = self._lines.get(path.name, (0, ""))
            if length and hashlib.sha256(path.read_bytes()[:length]).hexdigest() != digest:
                yield f"the first {length} bytes of {path.name} are not what they were while the run went on"
        for table, rows in self._rows.items():
            found = self._times_s(run.cell_log, table)
            gone = [row for row, time_s in rows.items() if found.get(row) != time_s]
            if gone:
                yield f"rows {gone} of {table} were in cell.sqlite and are gone"

    def _last_row(self, table: str) -> tuple[int, float] | None:
        with contextlib.suppress(sqlite3.Error, OSError), contextlib.closing(_opened(self._run.cell_log)) as log:
            row = log.execute(f"SELECT id, time_s FROM {table} ORDER BY id DESC LIMIT 1").fetchone()
            return None if row is None else (int(row[0]), float(row[1]))
        return None

    def _times_s(self, path: Path, table: str) -> dict[int, float]:
        with contextlib.suppress(sqlite3.Error, OSError), contextlib.closing(_opened(path)) as log:
            return dict(log.execute(f"SELECT id, time_s FROM {table}").fetchall())
        return {}


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", timeout=0.1, uri=True)
