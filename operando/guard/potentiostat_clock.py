"""The potentiostat's clock as the guard follows it: fitted, shown, written down, and told when it jumps."""

import logging
import math
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Protocol

from devices.arrival_times import ArrivalTimes
from devices.potentiostat_reading import Snapshot
from operando.guard.record import Record
from operando.model.clock import Clock, RehearsalClock
from operando.model.clock_fit import ClockFit, ClockFitter
from operando.model.clock_words import JUDGED_NUM_POINTS, clock_sentence, server_sentence

CLOCK = "potentiostat"  # its name in the log
UNKNOWN = dict.fromkeys(
    (
        "MADE_TIME",
        "CLOCK_UNCERTAINTY",
        "CLOCK_OFFSET",
        "CLOCK_DRIFT",
        "CLOCK_DRIFT_UNCERTAINTY",
        "CLOCK_DELAY",
        "CLOCK_SERVER_BEHIND",
    ),
    math.nan,
)
NUM_COMPARED = 100  # values whose time stamps are compared with their arrival
WRITTEN_EVERY_S = 60.0  # of the instrument's time; a drift changes over hours


class ReadOuts(Protocol):
    """Where pairs of instrument time and the run's time come from."""

    @property
    def server_behind_s(self) -> float:
        """How far the clock of the potentiostat's server is behind, NaN if that was not compared."""

    def pairs(self, snapshot: Snapshot | None) -> Iterable[tuple[float, float]]:
        """Return the pairs since the last sample, which is ``snapshot``."""


class StampedReadOuts:
    """Pairs of instrument time and time stamp, of what was polled.

    For rehearsals: there the server stamps by the very clock of the run, which may jump while a value is on its way.
    """

    server_behind_s = math.nan

    def pairs(self, snapshot: Snapshot | None) -> Iterable[tuple[float, float]]:
        """Return the pair of this sample."""
        return () if snapshot is None else ((snapshot.elapsed_s, snapshot.time_s),)


class ArrivingReadOuts:
    """Pairs of instrument time and time of arrival, whatever the clock of the server shows.

    The guard polls at times of its own, which may stay behind the server's by the same half a second for hours; what
    the server posts by itself arrives at once.
    """

    def __init__(self, arrivals: ArrivalTimes) -> None:
        self._arrivals = arrivals
        self._behind_s: deque[float] = deque(maxlen=NUM_COMPARED)

    @property
    def server_behind_s(self) -> float:
        """The least difference of arrival and time stamp among the newest values."""
        return min(self._behind_s, default=math.nan)

    def pairs(self, snapshot: Snapshot | None) -> Iterable[tuple[float, float]]:
        """Return what arrived since the last sample."""
        for arrival in self._arrivals.taken():
            self._behind_s.append(arrival.arrival_s - arrival.stamp_s)
            yield arrival.value, arrival.arrival_s


def read_outs(signal: object, clock: Clock) -> ReadOuts:
    """Return how the potentiostat's elapsed time, ``signal``, is compared with ``clock``."""
    return StampedReadOuts() if isinstance(clock, RehearsalClock) else ArrivingReadOuts(ArrivalTimes(signal, clock))


class PotentiostatClock:
    """Keeps the fit of the potentiostat's clock."""

    def __init__(self, read_outs: ReadOuts, record: Record) -> None:
        self._read_outs = read_outs
        self._record = record
        self._fitter = ClockFitter()
        self._written: ClockFit | None = None
        self._is_told = False

    def follow(self, snapshot: Snapshot | None) -> Mapping[str, float]:
        """Take in a sample; return what is known now by the names of the guard's process variables, NaN if unknown."""
        for instrument_s, host_s in self._read_outs.pairs(snapshot):
            jump_s = self._fitter.add(instrument_s, host_s)
            if jump_s is not None:
                text = f"The potentiostat's clock jumped by {jump_s:+.3f} s: it is fitted anew from here."
                self._record.event("clock", text, level=logging.WARNING, jump_s=jump_s)
        fit = self._fitter.fit
        if fit is None:
            return UNKNOWN
        self._write_down(fit)
        elapsed_s = math.nan if snapshot is None else snapshot.elapsed_s
        values = fit.host_time_s(elapsed_s), fit.uncertainty_s(elapsed_s), fit.zero_s
        ppm = 1e6 * fit.drift, 1e6 * fit.drift_uncertainty
        return dict(zip(UNKNOWN, (*values, *ppm, fit.delay_s, self._read_outs.server_behind_s), strict=True))

    def _write_down(self, fit: ClockFit) -> None:
        if fit.num_points >= JUDGED_NUM_POINTS and not self._is_told:
            sentence = clock_sentence("The potentiostat's clock", fit)
            behind_s = self._read_outs.server_behind_s
            sentences = " ".join(filter(None, (sentence, server_sentence(behind_s))))
            self._record.event("clock", sentences, drift_ppm=1e6 * fit.drift, offset_s=fit.zero_s)
            self._is_told = True
        before = self._written
        if (
            before is None
            or fit.begin_s != before.begin_s
            or fit.instrument_s - before.instrument_s >= WRITTEN_EVERY_S / 2  # the middle moves half as fast as time
            or fit.num_points >= 2 * before.num_points
        ):
            self._record.clock_fit(CLOCK, fit)
            self._written = fit
