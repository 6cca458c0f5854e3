"""Log lines of the guard, written in a thread of their own: their file may lie on a disk that stalls."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import QueueHandler, QueueListener
from queue import SimpleQueue
from typing import TextIO

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@contextmanager
def lines_beside(stream: TextIO) -> Iterator[None]:
    """Have what is logged written to ``stream`` by another thread; on leaving, wait until it is."""
    lines: SimpleQueue[logging.LogRecord] = SimpleQueue()
    written = logging.StreamHandler(stream)
    written.setFormatter(logging.Formatter(_FORMAT))
    queued = QueueHandler(lines)
    listener = QueueListener(lines, written)
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(queued)
    listener.start()
    try:
        yield
    finally:
        root.removeHandler(queued)
        listener.stop()
