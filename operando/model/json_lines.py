"""Append-only files of one JSON value per line: durable when asked, a torn last line ignored, followed live."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from operando.model.ordinary_file import ordinary_file

MAX_LINE_BYTES = 2**26  # a page of a week's samples is a tenth of it


def plain(value: object) -> Any:
    """Turn what JSON does not know (numpy values, paths) into plain values."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON: give plain numbers, text, lists or tables.")


class JsonLinesWriter:
    """Appends values to a file; a torn last line left by a killed process is closed first."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8")
        if _is_torn(path):
            self._file.write("\n")
            self.flush()

    def append(self, value: object, *, durable: bool = True) -> None:
        """Write one value, which outlives this process; with ``durable`` return only when the disk has it."""
        line = json.dumps(value, default=plain, allow_nan=True) + "\n"
        with self._lock:
            self._file.write(line)
            self._file.flush()
        if durable:
            self.flush()

    def flush(self) -> None:
        """Return when the disk has everything written so far."""
        with self._lock:
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Flush and close."""
        self.flush()
        self._file.close()


def _is_torn(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


class JsonLinesReader:
    """Reads whole lines from the beginning and, when asked again, those that were added since.

    Parameters
    ----------
    path
        The file, which need not be there yet.
    leave_out
        Lines that begin so are passed over unread.
    longest_bytes
        Longer lines are passed over, in parts that are never read again.
    """

    def __init__(self, path: Path, *, leave_out: bytes | None = None, longest_bytes: int | None = None) -> None:
        self._path, self._leave_out = path, leave_out
        self._longest_bytes = MAX_LINE_BYTES if longest_bytes is None else longest_bytes
        self._offset = 0
        self._is_endless = False  # the line that is being passed over
        self.has_more = False  # than was read by the last call, which had to stop
        self._file: tuple[int, int] | None = None  # which file it was, for the system
        self.num_damaged = 0

    @property
    def is_gone(self) -> bool:
        """Whether the file was there and is not any more."""
        return self._file is not None and not self._path.exists()

    @property
    def is_another(self) -> bool:
        """Whether another file has taken its place, or it was cut off: what was read of it is of the past."""
        try:
            found = self._path.stat()
        except OSError:
            return False
        return self._file is not None and ((found.st_dev, found.st_ino) != self._file or found.st_size < self._offset)

    def new_values(self, enough: Callable[[], bool] = lambda: False) -> Iterator[Any]:
        """Yield the values of every whole line not yet read; a damaged or endless line is counted and left out.

        ``enough`` is asked after each line and each part of an endless one: whether the rest is left for the next call.
        """
        self.has_more = False
        if not self._path.exists():
            return
        with ordinary_file(self._path).open("rb") as file:
            status = os.fstat(file.fileno())
            self._file = status.st_dev, status.st_ino
            file.seek(self._offset)
            while line := file.readline(self._longest_bytes):
                is_whole, was_endless = line.endswith(b"\n"), self._is_endless
                if not is_whole and not was_endless and len(line) < self._longest_bytes:
                    return  # still being written, or torn by a power cut
                self._offset, self._is_endless = file.tell(), not is_whole
                if was_endless or not is_whole:
                    self.num_damaged += not was_endless
                elif line.strip() and (self._leave_out is None or not line.startswith(self._leave_out)):
                    try:
                        value = json.loads(line)
                    except (ValueError, RecursionError):
                        self.num_damaged += 1
                    else:
                        yield value
                if enough():
                    self.has_more = True
                    return


def read_json_lines(path: Path) -> list[Any]:
    """Return the values of every whole line; an absent file has none."""
    return list(JsonLinesReader(path).new_values())
