"""Append-only files of one JSON value per line: durable when asked, a torn last line ignored, followed live."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

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

    Lines that begin with ``leave_out`` are passed over unread.
    """

    def __init__(self, path: Path, *, leave_out: bytes | None = None) -> None:
        self._path, self._leave_out = path, leave_out
        self._offset = 0
        self.num_damaged = 0

    def new_values(self) -> Iterator[Any]:
        """Yield the values of every whole line not yet read; a damaged or endless line is counted and left out."""
        if not self._path.exists():
            return
        with ordinary_file(self._path).open("rb") as file:
            file.seek(self._offset)
            while line := file.readline(MAX_LINE_BYTES):
                if not line.endswith(b"\n"):
                    if len(line) < MAX_LINE_BYTES or not _passes_line(file):
                        return  # still being written, or torn by a power cut
                    line = b"endless"
                self._offset = file.tell()
                if not line.strip() or (self._leave_out is not None and line.startswith(self._leave_out)):
                    continue
                try:
                    value = json.loads(line)
                except (ValueError, RecursionError):
                    self.num_damaged += 1
                else:
                    yield value


def _passes_line(file: BinaryIO) -> bool:
    """Read on to the end of a line that is too long to be kept; return whether it has one."""
    while part := file.readline(MAX_LINE_BYTES):
        if part.endswith(b"\n"):
            return True
    return False


def read_json_lines(path: Path) -> list[Any]:
    """Return the values of every whole line; an absent file has none."""
    return list(JsonLinesReader(path).new_values())
