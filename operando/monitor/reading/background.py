"""Reading in a thread of its own, so that a slow disk never stops the window."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from math import inf
from typing import Any


class Background:
    """Does one piece of work at a time; what comes of it is fetched from the window's thread.

    Parameters
    ----------
    name
        Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._worker = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._pending: Future[Any] | None = None
        self._begun_s = -inf

    def begin(self, work: Callable[[], Any], now_s: float, period_s: float) -> None:
        """Begin ``work``, unless some is not fetched yet or was begun less than ``period_s`` ago."""
        if self._pending is None and not 0 <= now_s - self._begun_s < period_s:
            self._begun_s = now_s
            self._pending = self._worker.submit(work)

    def finished(self) -> Future[Any] | None:
        """Return the work that has been done since it was last asked, None if there is none."""
        if self._pending is None or not self._pending.done():
            return None
        done, self._pending = self._pending, None
        return done

    def close(self) -> None:
        """Wait for what goes on and end."""
        self._worker.shutdown(wait=True)
