"""Keeps every bluesky document on disk before anyone else sees it."""

import contextlib
import threading
from pathlib import Path
from typing import Any

from operando.model.json_lines import JsonLinesWriter

FLUSH_S = 0.1


class DocumentJournal:
    """Subscribe it to the RunEngine first: later subscribers lose documents when an earlier one raises.

    Start, descriptor and stop documents are on the disk when the call returns; all others within 100 ms.
    """

    _DURABLE = frozenset({"start", "descriptor", "stop"})

    def __init__(self, path: Path) -> None:
        self._writer = JsonLinesWriter(path)
        self._changed = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._flush_often, name="journal", daemon=True)
        self._thread.start()

    def __call__(self, name: str, document: dict[str, Any]) -> None:
        """Write one document."""
        self._writer.append([name, document], durable=name in self._DURABLE)
        self._changed.set()

    def close(self) -> None:
        """Flush and close."""
        self._closed.set()
        self._changed.set()
        self._thread.join()
        self._writer.close()

    def _flush_often(self) -> None:
        while not self._closed.is_set():
            self._changed.wait()
            self._changed.clear()
            self._closed.wait(FLUSH_S)
            with contextlib.suppress(OSError):  # a full disk: the next durable document says it where it is heard
                self._writer.flush()
