"""Reading in a thread of its own, so that a slow disk never stops the window."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from math import inf
from queue import SimpleQueue
from typing import Any

Work = tuple[Callable[[], Any], Future[Any]]
LONGEST_END_S = 2.0  # that closing waits for a disk; whoever closes a window wants it closed


class Background:
    """Does one piece of work at a time; what comes of it is fetched from the window's thread.

    Parameters
    ----------
    name
        Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._asked: SimpleQueue[Work | None] = SimpleQueue()
        # A daemon: a disk that never answers must not keep the process from ending.
        self._thread = threading.Thread(target=_work, args=(self._asked,), name=name, daemon=True)
        self._thread.start()
        self._pending: Future[Any] | None = None
        self._begun_s = -inf

    def begin(self, work: Callable[[], Any], now_s: float, period_s: float) -> None:
        """Begin ``work``, unless some is not fetched yet or was begun less than ``period_s`` ago."""
        if self._pending is None and not 0 <= now_s - self._begun_s < period_s:
            self._begun_s, self._pending = now_s, Future()
            self._asked.put((work, self._pending))

    def finished(self) -> Future[Any] | None:
        """Return the work that has been done since it was last asked, None if there is none."""
        if self._pending is None or not self._pending.done():
            return None
        done, self._pending = self._pending, None
        return done

    def busy_s(self, now_s: float) -> float:
        """Return how long the work that is under way has taken; 0 if none is."""
        return 0.0 if self._pending is None else max(now_s - self._begun_s, 0.0)

    def close(self, longest_s: float = LONGEST_END_S) -> bool:
        """End; return whether nothing goes on any more, which is waited for ``longest_s`` at most."""
        self._asked.put(None)
        self._thread.join(longest_s)
        return not self._thread.is_alive()


def _work(asked: SimpleQueue[Work | None]) -> None:
    while (entry := asked.get()) is not None:
        work, future = entry
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)
        del entry, work, future  # else the last result lives until the next
