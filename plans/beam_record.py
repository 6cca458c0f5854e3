"""The ring current in the documents of an experiment: now and then, whenever it has changed, and at each tomogram."""

from math import inf, isfinite, nan

from bluesky.utils import MsgGenerator

from devices.answers import NO_ANSWER
from devices.ring_current import RingCurrent
from operando.model.clock import Clock
from plans import facts

STREAM, KEY = "beam", "ring_current_ma"
EVERY_S, RETRY_S = 600.0, 60.0  # of the clock; the latter where nobody answered
LEAST_CHANGE = 0.05  # of what was told last; a decay is less in ten minutes, a loss or a refill more


class BeamRecord:
    """Writes one event with the ring current in mA, NaN where nobody answers, when it is due."""

    def __init__(self, ring_current: RingCurrent, clock: Clock) -> None:
        self._ring_current, self._clock = ring_current, clock
        self._told_ma, self._told_s = nan, -inf

    def when_due(self) -> MsgGenerator[None]:
        """Write it if ten minutes have gone by, or it has changed; into the run whose key is set around this."""
        changed = abs(self._ring_current.heard_ma - self._told_ma) > LEAST_CHANGE * abs(self._told_ma)
        longest_s = EVERY_S if isfinite(self._told_ma) else RETRY_S
        if changed or not 0 <= self._clock.now() - self._told_s < longest_s:
            yield from self.now()

    def now(self) -> MsgGenerator[None]:
        """Write it."""
        try:
            self._told_ma = self._ring_current.current_ma()
        except NO_ANSWER:
            self._told_ma = nan
        self._told_s = self._clock.now()
        yield from facts.record(STREAM, {KEY: self._told_ma}, self._clock)
