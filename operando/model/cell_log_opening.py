"""Opening the guard's log for reading, beside the guard, and also where nothing can be written beside it."""

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

USUAL_WAIT_S = 5.0
_KIND_OF_ERROR = 0xFF  # the lowest byte of SQLite's codes
_NOTHING_BESIDE_IT = sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY


def open_log(path: Path, *, longest_wait_s: float = USUAL_WAIT_S) -> sqlite3.Connection:
    """Open a log; nothing can be written through what is returned.

    Parameters
    ----------
    longest_wait_s
        For whoever holds the log alone, which the guard does for moments only.

    Raises
    ------
    sqlite3.Error, OSError
        If there is no log. What is damaged in it, and whether somebody holds it, is found by reading.
    """
    database = _connected(path, "mode=ro", longest_wait_s)
    if is_writable(path.parent):
        return database
    try:
        database.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & _KIND_OF_ERROR in _NOTHING_BESIDE_IT:
            database.close()
            return _opened_alone(path)
    return database


def is_writable(folder: Path) -> bool:
    """Return whether files can be made in a folder."""
    return os.access(folder, os.W_OK)


def _opened_alone(path: Path) -> sqlite3.Connection:
    """Open a log that was copied while its guard lived, where SQLite cannot make the files that it needs beside it."""
    ahead = path.with_name(f"{path.name}-wal")
    if not ahead.exists() or ahead.stat().st_size == 0:
        return _connected(path, "mode=ro&immutable=1", 0.0)
    with tempfile.TemporaryDirectory() as folder:  # its files live on as long as they are open
        copy = Path(folder) / path.name
        shutil.copyfile(ahead, copy.with_name(ahead.name))
        shutil.copyfile(path, copy)
        database = _connected(copy, "mode=ro", 0.0)
        database.execute("SELECT 1 FROM sqlite_master").fetchone()
        return database


def _connected(path: Path, options: str, longest_wait_s: float) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?{options}",
        longest_wait_s,
        isolation_level=None,
        uri=True,
        check_same_thread=False,
    )
