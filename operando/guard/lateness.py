"""How late a sample comes on the host's time, and what the guard did instead: until then it looks at no limit."""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from operando.guard.record import Record
from operando.model.clock import Clock, SystemClock

LATE_PERIODS = 2.0
LATE_S = 2.0  # or so many periods, whichever is longer
TOLD_EVERY_S = 60.0  # a slow disk must not fill the log


class Lateness:
    """Writes down that a sample came late. A rehearsal's never does: its clock waits for the guard.

    What a command takes is no lateness: it is bounded by the instrument's polls, and the log tells of it.
    """

    def __init__(self, record: Record, clock: Clock) -> None:
        self._record = record
        self._looks = isinstance(clock, SystemClock)
        self._began_s, self._due_s, self._allowed_s = 0.0, math.inf, math.inf
        self._written_s = self._asking_s = self._obeying_s = 0.0
        self._late: tuple[float, float, float] | None = None
        self._told_s = -math.inf
        self._num_untold = 0

    def begin(self) -> None:
        """Look at the time: a sample begins."""
        now_s, written_s = perf_counter(), self._record.writing_s
        late_s = now_s - self._due_s - self._obeying_s
        if self._looks and late_s > self._allowed_s:
            self._late = late_s, written_s - self._written_s, self._asking_s
        self._began_s, self._written_s, self._asking_s, self._obeying_s = now_s, written_s, 0.0, 0.0

    def tell(self, period_s: float) -> None:
        """Write down that the sample was late, once its readings were judged; the next is due after ``period_s``."""
        late, self._late = self._late, None
        if late is not None:
            self._write_down(*late)
        self._due_s, self._allowed_s = self._began_s + period_s, max(LATE_PERIODS * period_s, LATE_S)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Count what it takes as waiting for instruments."""
        began_s = self._beside_log_s()
        try:
            yield
        finally:
            self._asking_s += self._beside_log_s() - began_s

    @contextmanager
    def obeying(self) -> Iterator[None]:
        """Count what it takes as a command's."""
        began_s = self._beside_log_s()
        try:
            yield
        finally:
            self._obeying_s += self._beside_log_s() - began_s

    def _beside_log_s(self) -> float:
        """Return the host's time, which stands still while the log is written."""
        return perf_counter() - self._record.writing_s

    def _write_down(self, late_s: float, log_s: float, instruments_s: float) -> None:
        if self._began_s - self._told_s < TOLD_EVERY_S:
            self._num_untold += 1
            return
        again = f" {self._num_untold} more were late since it was told last." if self._num_untold else ""
        self._record.event(
            "late",
            f"A sample came {late_s:.1f} s later than it was due; until then no limit was looked at. Writing the log "
            f"took {log_s:.1f} s, waiting for instruments {instruments_s:.1f} s.{again}",
            level=logging.WARNING,
            late_s=late_s,
            log_s=log_s,
            instruments_s=instruments_s,
        )
        self._told_s, self._num_untold = self._began_s, 0
