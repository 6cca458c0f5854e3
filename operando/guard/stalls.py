"""How long the disk takes nothing of the log: said when that begins, and told when it is over, once a minute."""

import logging
import math
from dataclasses import dataclass
from time import monotonic

TOLD_EVERY_S = 60.0  # a disk that is slow all the time must not fill the log

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stalled:
    """What is to be told of one stall of the disk, or of several that followed each other."""

    longest_s: float
    num_stalls: int
    num_dropped: int

    @property
    def text(self) -> str:
        """A sentence or more for a person."""
        how_long = (
            f"for {self.longest_s:.1f} s"
            if self.num_stalls == 1
            else f"{self.num_stalls} times since this was told last, for {self.longest_s:.1f} s at most"
        )
        lost = (
            f"{self.num_dropped} of its rows found no room there and are lost."
            if self.num_dropped
            else "Memory had room for all of it."
        )
        return (
            f"The disk did not take the log {how_long}. Limits were looked at meanwhile, and what was to be written "
            f"was kept in memory. {lost} See that the run's disk is a local one and not too busy."
        )


class Stalls:
    """Follows by how much the log is behind; times are the host's."""

    def __init__(self) -> None:
        self._since_s: float | None = None
        self._is_said = False
        self._said_s = self._told_s = -math.inf
        self._longest_s, self._num_stalls, self._num_dropped = 0.0, 0, 0

    def dropped(self) -> None:
        """Count what found no room in memory."""
        self._num_dropped += 1

    def look(self, behind_s: float) -> None:
        """Take notice of how long the oldest piece waits, 0 for none that waits too long."""
        now_s = monotonic()
        if behind_s:
            self._since_s = now_s - behind_s if self._since_s is None else self._since_s
            self._say(behind_s, now_s)
        elif self._since_s is not None:
            self._longest_s = max(self._longest_s, now_s - self._since_s)
            self._num_stalls += 1
            self._since_s, self._is_said = None, False

    def to_tell(self, *, at_once: bool = False) -> Stalled | None:
        """Return, once, what is over and to be told now; ``at_once`` does not wait for its minute."""
        now_s = monotonic()
        if not self._num_stalls or (now_s - self._told_s < TOLD_EVERY_S and not at_once):
            return None
        told = Stalled(self._longest_s, self._num_stalls, self._num_dropped)
        self._longest_s, self._num_stalls, self._num_dropped = 0.0, 0, 0
        self._told_s = now_s
        return told

    def _say(self, behind_s: float, now_s: float) -> None:
        if not self._is_said and now_s - self._said_s >= TOLD_EVERY_S:
            _logger.critical("The disk has not taken the log for %.1f s; the guard goes on.", behind_s)
            self._is_said, self._said_s = True, now_s
