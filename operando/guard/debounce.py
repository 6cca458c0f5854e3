"""When something outside its limit counts: not before it has lasted, and not over before it has ended for a while."""

from dataclasses import dataclass
from enum import Enum, auto

SETTLE_S = 10.0  # noise at a limit would otherwise begin and end it at every second reading
TOLERANCE_S = 1e-6  # samples lie on a grid of the clock


class Turn(Enum):
    """What a reading changed."""

    NOTHING = auto()
    BEGAN = auto()  # it has lasted for the delay: it counts from now on
    OVER = auto()  # it counted and has ended
    PASSED = auto()  # it ended before it counted


@dataclass
class Debounce:
    """One limit's memory; times are s of the run's clock.

    A reading outside counts at once if ``delay_s`` is 0, else when the first one lies that far back and no stretch
    as long lay inside meanwhile. So a reading alone counts for nothing, and one that is outside every second time
    is not forgotten.
    """

    delay_s: float
    counts: bool = False
    _outside_since_s: float | None = None
    _inside_since_s: float | None = None

    @property
    def pending(self) -> bool:
        """Whether it was outside and neither counts nor is forgotten yet."""
        return self._outside_since_s is not None and not self.counts

    def look(self, time_s: float, *, outside: bool) -> Turn:
        """Take one reading; return what it changed."""
        if outside:
            self._inside_since_s = None
            if self._outside_since_s is None or self._outside_since_s > time_s:  # the host's clock was set back
                self._outside_since_s = time_s
            if self.counts or time_s - self._outside_since_s < self.delay_s - TOLERANCE_S:
                return Turn.NOTHING
            self.counts = True
            return Turn.BEGAN
        if self._outside_since_s is None:
            return Turn.NOTHING
        if self._inside_since_s is None or self._inside_since_s > time_s:
            self._inside_since_s = time_s
        if time_s - self._inside_since_s < (SETTLE_S if self.counts else self.delay_s) - TOLERANCE_S:
            return Turn.NOTHING
        turn = Turn.OVER if self.counts else Turn.PASSED
        self.counts, self._outside_since_s, self._inside_since_s = False, None, None
        return turn
