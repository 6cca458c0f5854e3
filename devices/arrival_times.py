"""When values arrive at this host, whatever the clock of their server shows."""

from collections import deque
from dataclasses import dataclass
from typing import Any

from operando.model.clock import Clock, RehearsalClock

MOST_KEPT = 10_000  # if nobody takes them


@dataclass(frozen=True)
class Arrival:
    """A value, its server's time stamp and the time of its arrival by a clock of ours, both s since the Unix epoch.

    A rehearsal's clock may jump while a value is on its way, and its servers stamp by that same clock: there the time
    stamp is the arrival.
    """

    value: float
    stamp_s: float
    arrival_s: float


class ArrivalTimes:
    """Collects the arrivals of one signal's changes in the background.

    The first after a connection does not count: it is what the server holds, and nobody knows since when.
    """

    def __init__(self, signal: Any, clock: Clock) -> None:
        self._clock = clock
        self._arrived: deque[Arrival] = deque(maxlen=MOST_KEPT)
        self._follows = False
        signal.subscribe(self._connection, event_type=signal.SUB_META, run=False)
        signal.subscribe(self._value, run=False)

    def taken(self) -> list[Arrival]:
        """Return what arrived since the last call, in order."""
        return [self._arrived.popleft() for _ in range(len(self._arrived))]

    def _connection(self, *, connected: bool | None = None, **_: Any) -> None:
        if connected is False:
            self._follows = False

    def _value(self, *, value: Any, timestamp: float | None = None, **_: Any) -> None:
        now_s = self._clock.now()
        if self._follows and timestamp is not None:
            arrival_s = timestamp if isinstance(self._clock, RehearsalClock) else now_s
            self._arrived.append(Arrival(float(value), float(timestamp), float(arrival_s)))
        self._follows = True
