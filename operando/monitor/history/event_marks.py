"""Which of the guard's events are marked in the history, read from its log."""

from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from pathlib import Path

from operando.model.cell_log import CellLogReader
from operando.model.ordinary_file import ordinary_file
from operando.monitor.history.log_history import LONGEST_WAIT_S
from operando.monitor.reading.shown_text import shown_text

ROWS_AT_ONCE = 10_000


class MarkKind(StrEnum):
    """What a mark says."""

    TRIP = "trip"
    LIMIT = "limit"
    STEP = "step"
    NOTE = "note"


KINDS = {  # of the guard's events
    "trip": MarkKind.TRIP,
    "unsafe": MarkKind.TRIP,
    "trip_cleared": MarkKind.NOTE,
    "limit": MarkKind.LIMIT,
    "limit_missed": MarkKind.LIMIT,
    "late": MarkKind.LIMIT,
    "log_late": MarkKind.LIMIT,
    "step": MarkKind.STEP,
    "note": MarkKind.NOTE,
}
WORDS = {
    "trip_cleared": "trip cleared",
    "limit_missed": "limit missed",
    "late": "late sample",
    "log_late": "late log",
    "step": "step begun",
}


@dataclass(frozen=True)
class EventMark:
    """One event at a time in s since 1970."""

    time_s: float
    kind: MarkKind
    text: str


class EventMarkReader:
    """Reads the marks of a log, each once; another log in its place is read from the beginning."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: tuple[int, int] | None = None
        self._last_id = 0
        self._marks: tuple[EventMark, ...] = ()

    def read(self) -> tuple[EventMark, ...]:
        """Return all marks in the order they were written; those known stay if the log goes.

        Raises
        ------
        sqlite3.Error, OSError
            If the log cannot be read now; the next call tries again.
        """
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return self._marks
        if (found.st_dev, found.st_ino) != self._file:
            self._file, self._last_id, self._marks = (found.st_dev, found.st_ino), 0, ()
        with closing(
            CellLogReader(ordinary_file(self._path), longest_wait_s=LONGEST_WAIT_S, despite_damage=True)
        ) as log:
            if log.empty:
                return self._marks
            last = log.last("events")
            if last is not None and last["id"] < self._last_id:  # written over in its place
                self._last_id, self._marks = 0, ()
            while rows := log.rows("events", after_id=self._last_id, max_num=ROWS_AT_ONCE):
                self._last_id = rows[-1]["id"]
                self._marks += tuple(
                    _mark(float(row["time_s"]), str(row["kind"]), str(row["text"]))
                    for row in rows
                    if row["kind"] in KINDS and isinstance(row["time_s"], int | float) and isfinite(row["time_s"])
                )
        return self._marks


def _mark(time_s: float, kind: str, text: str) -> EventMark:
    return EventMark(time_s, KINDS[kind], f"{WORDS.get(kind, kind)}: {shown_text(text)}")
