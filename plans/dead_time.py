"""Where the seconds of a tomogram went: by phase, in the run's clock and in the computer's."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from operando.model.clock import Clock


class DeadTime:
    """A ledger of phases; a phase entered twice is summed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seconds: dict[str, tuple[float, float]] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Charge what happens inside to ``name``, also when it fails."""
        clock_s, wall_s = self._clock.now(), time.perf_counter()
        try:
            yield
        finally:
            spent_s, cost_s = self._seconds.get(name, (0.0, 0.0))
            self._seconds[name] = (
                spent_s + self._clock.now() - clock_s,
                cost_s + time.perf_counter() - wall_s,
            )

    def as_table(self) -> dict[str, dict[str, float]]:
        """Return seconds by phase: ``{phase: {"clock_s": ..., "wall_s": ...}}``."""
        return {
            name: {"clock_s": round(spent_s, 6), "wall_s": round(cost_s, 6)}
            for name, (spent_s, cost_s) in self._seconds.items()
        }
