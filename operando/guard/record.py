"""What the guard writes down: samples and events in the cell's log, and the row ids that may be published."""

import logging
import math
from collections.abc import Callable
from time import perf_counter
from typing import Any

from operando.guard.kept_log import Event, KeptLog
from operando.guard.samples import Sample
from operando.guard.stalls import Stalls
from operando.guard.writing_thread import MOST_WAITING, PATIENCE_S, WritingThread
from operando.model.cell_log import TABLES, CellLogWriter
from operando.model.clock import Clock
from operando.model.clock_fit import ClockFit

LONGEST_UNCOMMITTED_S = 0.1  # of the host's time
LONGEST_BEFORE_A_STOP_S = 0.02  # that a trip waits for its line in the log; usually a millisecond is enough

_logger = logging.getLogger(__name__)


class Record:
    """Appends to the log, commits at most every 100 ms of the host's time, and knows what is committed.

    A disk that takes nothing, be it full or stalled, keeps nobody from guarding. What a stalled one did not take is
    kept in memory and written when it can be, and how long that was is told by the event ``log_late``.

    Parameters
    ----------
    clock
        The run's clock.
    host_clock
        The host's clock, for the wall time of each row and the pace of commits.
    """

    def __init__(
        self, log: CellLogWriter, clock: Clock, host_clock: Clock, *, most_waiting: int = MOST_WAITING
    ) -> None:
        self._log = KeptLog(log)
        self._thread = WritingThread(most_waiting=most_waiting)
        self._clock = clock
        self._host_clock = host_clock
        self._committed_at_s = -math.inf
        self._stalls = Stalls()
        self.writing_s = 0.0  # of the host's time, since the beginning, that was waited for the log

    @property
    def committed_rows(self) -> dict[str, int]:
        """The last row id of each table that is on the disk."""
        return self._log.committed_rows

    def sample(self, sample: Sample, *, charge_mah: float | None, period_s: float) -> None:
        """Append one row for each instrument; what it did not say is empty."""
        snapshot = sample.potentiostat
        values: dict[str, tuple[str, tuple[float | None, ...]]] = {
            "potentiostat": (
                str(sample.potentiostat_quality),
                (None,) * len(TABLES["potentiostat"])
                if snapshot is None
                else (
                    snapshot.elapsed_s,
                    snapshot.voltage_v,
                    snapshot.current_a,
                    charge_mah,
                    snapshot.charge_mah,
                    float(snapshot.state),
                    float(snapshot.technique_index),
                ),
            ),
            "load_cell": (
                str(sample.load_cell_quality),
                (sample.load_cell.counts, sample.force_n, sample.pressure_mpa),
            ),
            "temperature": (
                str(sample.temperature_quality),
                (None if sample.temperature is None else sample.temperature.temperature_c,),
            ),
        }
        wall_s = self._host_clock.now()
        self._give(lambda: self._log.samples(values, time_s=sample.time_s, wall_s=wall_s, period_s=period_s))

    def event(self, kind: str, text: str, *, level: int = logging.INFO, **data: Any) -> None:
        """Append one event; it is on disk on return, if the disk takes anything."""
        _logger.log(level, "%s: %s", kind, text)
        event = self._made(kind, text, data)
        self._wait_for(lambda: self._log.event(event))
        self._committed_at_s = self._host_clock.steady()

    def clock_fit(self, clock: str, fit: ClockFit) -> None:
        """Append what is known of an instrument's clock."""
        time_s, wall_s = self._clock.now(), self._host_clock.now()
        self._give(lambda: self._log.clock_fit(clock, fit, time_s=time_s, wall_s=wall_s))

    def event_without_delay(self, kind: str, text: str, **data: Any) -> None:
        """Append one event that a kill of this process cannot undo; for the disk itself the next commit waits."""
        _logger.error("%s: %s", kind, text)
        event = self._made(kind, text, data)
        self._wait_for(lambda: self._log.event_without_delay(event), longest_s=LONGEST_BEFORE_A_STOP_S)

    def commit_if_due(self, *, fast_forward: bool) -> None:
        """Commit; while a rehearsal fast-forwards through many samples a second, only when the last is 100 ms old."""
        if not fast_forward or self._host_clock.steady() - self._committed_at_s >= LONGEST_UNCOMMITTED_S:
            self.commit()

    def commit(self) -> None:
        """Commit now; while the disk stalls, when it takes something again."""
        if self._look_how_late():
            return
        self._wait_for(self._log.commit)
        self._committed_at_s = self._host_clock.steady()

    def close(self) -> None:
        """Commit and fold the log into one plain file, however long the disk takes."""
        if self._look_how_late():
            _logger.critical("The guard waits for the disk to take its log before it ends.")
            self._thread.wait()
            self._look_how_late()
        self._tell_stalls(at_once=True)
        self._thread.give_and_wait(self._log.close)
        self._thread.close()

    def _made(self, kind: str, text: str, data: dict[str, Any]) -> Event:
        return Event(kind, text, self._clock.now(), self._host_clock.now(), data)

    def _give(self, write: Callable[[], object]) -> None:
        if not self._thread.give(write):
            self._stalls.dropped()

    def _wait_for(self, write: Callable[[], object], *, longest_s: float = PATIENCE_S) -> None:
        began_s = perf_counter()
        self._thread.give_and_wait(write, longest_s=longest_s)
        self.writing_s += perf_counter() - began_s

    def _look_how_late(self) -> bool:
        """Return whether the disk stalls; write it down when that is over."""
        behind_s = self._thread.behind_s
        self._stalls.look(behind_s)
        if not behind_s:
            self._tell_stalls()
        return behind_s > 0.0

    def _tell_stalls(self, *, at_once: bool = False) -> None:
        if told := self._stalls.to_tell(at_once=at_once):
            self.event(
                "log_late",
                told.text,
                level=logging.WARNING,
                late_s=told.longest_s,
                num_stalls=told.num_stalls,
                num_dropped=told.num_dropped,
            )
