"""Writing in a thread of its own, so that a disk which stalls keeps nobody from guarding."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

PATIENCE_S = 0.5  # of the host's time
MOST_WAITING = 40_000  # some 110 MB; eleven hours of a sample every second

_logger = logging.getLogger(__name__)


@dataclass
class _Piece:
    write: Callable[[], object]
    given_s: float
    done: bool = False


class WritingThread:
    """Writes what it is given, in order; whoever waits for it does so for a bounded time.

    Parameters
    ----------
    patience_s
        Longest wait for a piece, counted from when the oldest that is unwritten was given: a disk that stalls costs
        this once, not once for each piece.
    most_waiting
        Pieces that are kept in memory before :meth:`give` takes no more.
    """

    def __init__(self, *, patience_s: float = PATIENCE_S, most_waiting: int = MOST_WAITING) -> None:
        self._patience_s = patience_s
        self._most_waiting = most_waiting
        self._pieces: deque[_Piece] = deque()  # the first is being written
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    @property
    def behind_s(self) -> float:
        """How long the oldest piece that is unwritten has waited for longer than anybody waits for it; 0 for none."""
        with self._changed:
            late_s = monotonic() - self._pieces[0].given_s if self._pieces else 0.0
        return late_s if late_s > self._patience_s else 0.0

    def give(self, write: Callable[[], object]) -> bool:
        """Have something written without waiting for it; return whether there was room to keep it."""
        with self._changed:
            if len(self._pieces) >= self._most_waiting:
                return False
            self._append(write)
            return True

    def give_and_wait(self, write: Callable[[], object], *, longest_s: float = PATIENCE_S) -> bool:
        """Have something written, for which there is always room; return whether it was when patience ended."""
        with self._changed:
            piece = self._append(write)
            now_s = monotonic()
            end_s = min(now_s + longest_s, self._pieces[0].given_s + self._patience_s)
            return self._changed.wait_for(lambda: piece.done, max(0.0, end_s - now_s))

    def wait(self) -> None:
        """Return when all that was given so far is written, however long that takes."""
        with self._changed:
            self._changed.wait_for(lambda: not self._pieces)

    def close(self) -> None:
        """Return when all that was given is written, however long that takes."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _append(self, write: Callable[[], object]) -> _Piece:
        piece = _Piece(write, monotonic())
        self._pieces.append(piece)
        self._changed.notify_all()
        return piece

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pieces or self._closed)
                if not self._pieces:
                    return
                piece = self._pieces[0]
            try:
                piece.write()
            except Exception:  # a mistake in one piece must cost no other
                _logger.exception("A piece of the log could not be written.")
            with self._changed:
                self._pieces.popleft()
                piece.done = True
                self._changed.notify_all()
