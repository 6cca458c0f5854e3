"""How fast a reading changes: over a time that noise does not reach across."""

from collections import deque
from math import isfinite

NUM_KEPT = 64  # readings of a window that are remembered; memory must not grow with the sampling


class RateHistory:
    """The newest readings of one quantity.

    Parameters
    ----------
    over_s
        Time between the two readings of which the rate is taken, or one sampling period where that is longer.
    """

    def __init__(self, over_s: float) -> None:
        self._over_s = over_s
        self._kept: deque[tuple[float, float]] = deque(maxlen=NUM_KEPT + 2)

    def forget(self) -> None:
        """Begin anew, as after a step of the cell that makes its voltage jump."""
        self._kept.clear()

    def rate(self, time_s: float, value: float) -> float | None:
        """Take one reading; return the change per s against the one ``over_s`` ago, ``None`` before there is one.

        What is not finite is left out.
        """
        if not isfinite(value):
            return None
        if self._kept and time_s <= self._kept[-1][0]:
            if time_s < self._kept[-1][0]:  # the host's clock was set back
                self.forget()
            return None
        while len(self._kept) > 1 and time_s - self._kept[1][0] >= self._over_s:
            self._kept.popleft()
        found = None
        if self._kept and time_s - self._kept[0][0] >= self._over_s:
            then_s, then = self._kept[0]
            found = (value - then) / (time_s - then_s)
        if not self._kept or time_s - self._kept[-1][0] >= self._over_s / NUM_KEPT:
            self._kept.append((time_s, value))
        return found if found is None or isfinite(found) else None
