"""Timeouts that mean "nothing has changed for so long", by the run's clock, never "it took longer than expected"."""

from operando.model.clock import Clock


class ProgressWatch:
    """Remembers when something last changed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: tuple[object, ...] = ()
        self._changed_at_s = clock.steady()

    def restart(self) -> None:
        """Count from now on."""
        self._seen, self._changed_at_s = (), self._clock.steady()

    def quiet_s(self, *values: object) -> float:
        """Return for how many seconds of the clock ``values`` have been what they are."""
        now_s = self._clock.steady()
        if values != self._seen:
            self._seen, self._changed_at_s = values, now_s
        return now_s - self._changed_at_s
