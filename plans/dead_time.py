"""Where the seconds of a tomogram went: by phase, in the run's clock and the computer's, and which are software's."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from operando.model.clock import Clock


@dataclass
class _Phase:
    name: str
    begin_s: float
    end_s: float
    wall_s: float


class DeadTime:
    """A ledger of phases; a phase entered twice is summed.

    Software's are those seconds of the clock in which no instrument did what it was asked to: nothing moved, no series
    was exposed or written. Everything waited for that or for the program that runs the tomogram.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._phases: list[_Phase] = []
        self._busy: list[list[float]] = []  # begin and, once it is over, end

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Charge what happens inside to ``name``, also when it fails."""
        clock_s, wall_s = self._clock.now(), time.perf_counter()
        try:
            yield
        finally:
            self._phases.append(_Phase(name, clock_s, self._clock.now(), time.perf_counter() - wall_s))

    def busy_until(self, status: Any) -> None:
        """Take an instrument for busy from now until its status is done, however late anybody notices."""
        interval = [self._clock.now()]
        self._busy.append(interval)
        status.add_callback(lambda _: interval.append(self._clock.now()))

    def as_table(self) -> dict[str, dict[str, float]]:
        """Return seconds by phase: ``{phase: {"clock_s": ..., "wall_s": ..., "software_s": ...}}``."""
        table: dict[str, dict[str, float]] = {}
        busy = self._merged_busy()
        for phase in self._phases:
            spent_s = phase.end_s - phase.begin_s
            busy_s = sum(max(0.0, min(end_s, phase.end_s) - max(begin_s, phase.begin_s)) for begin_s, end_s in busy)
            row = table.setdefault(phase.name, {"clock_s": 0.0, "wall_s": 0.0, "software_s": 0.0})
            for column, seconds in (("clock_s", spent_s), ("wall_s", phase.wall_s), ("software_s", spent_s - busy_s)):
                row[column] = round(row[column] + seconds, 6)
        return table

    def _merged_busy(self) -> list[tuple[float, float]]:
        """Return the times at which at least one instrument was busy, in order and apart from one another."""
        now_s = self._clock.now()
        merged: list[tuple[float, float]] = []
        for begin_s, end_s in sorted((interval[0], (*interval, now_s)[1]) for interval in tuple(self._busy)):
            if merged and begin_s <= merged[-1][1]:
                merged[-1] = merged[-1][0], max(merged[-1][1], end_s)
            else:
                merged.append((begin_s, end_s))
        return merged
