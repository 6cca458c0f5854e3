"""A clock for tests that jumps: a wait serves what happens until then, in order, and is over at once."""

import heapq
from collections.abc import Callable
from concurrent.futures import Future
from itertools import count


class KilledError(Exception):
    """The process that used the clock is dead: nothing that it still tries has an effect."""


class FastClock:
    def __init__(self, now_s: float = 1000.0) -> None:
        self._now_s = now_s
        self._stepped_s = 0.0
        self._number = count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self.num_waits = 0
        self.dead = False

    def require_life(self) -> None:
        if self.dead:
            raise KilledError

    def at(self, time_s: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (time_s, next(self._number), event))

    def now(self) -> float:
        self.require_life()
        return self._now_s

    def steady(self) -> float:
        return self.now() - self._stepped_s

    def set_by(self, step_s: float) -> None:
        """Step as a host's clock that is set; waits last as long as they would have."""
        self._now_s += step_s
        self._stepped_s += step_s

    def timer(self, deadline_s: float) -> "Future[float]":
        self.num_waits += 1
        self.require_life()
        stepped_s = self._stepped_s
        while self._events and self._events[0][0] <= deadline_s:
            time_s, _, event = heapq.heappop(self._events)
            self._now_s = max(self._now_s, time_s)
            event()
            self.require_life()
        self._now_s = max(self._now_s, deadline_s + (self._stepped_s - stepped_s))
        future: Future[float] = Future()
        future.set_result(self._now_s)
        return future

    def sleep_until(self, deadline_s: float) -> float:
        return self.timer(deadline_s).result()

    def close(self) -> None:
        self._events.clear()
