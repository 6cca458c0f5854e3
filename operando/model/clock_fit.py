"""An instrument's clock against the host's: a straight line under all delays, with its uncertainty, fitted live.

A value is read after it was made, never before, so the line lies below the read-outs and touches the quickest of them;
a line through their middle would be late by the mean delay. Of all such lines it is the one from which the read-outs
lie the least above in the mean, which is the most probable one for exponential delays.

References
----------
Moon, Skelly and Towsley, Proc. IEEE INFOCOM (1999) 227; Mills, RFC 5905 (2010) section 10 (minimum-delay filter).
"""

from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from math import hypot

MIN_POINTS = 8  # fewer say nothing about the scatter of the delays
MAX_POINTS = 256
LONGEST_BLOCK_S = 64.0  # so that a fit looks back at 4.5 h: the drift of a quartz changes with temperature
LARGEST_DRIFT = 500e-6  # quartzes are good for 100e-6; more is a scatter of delays over too short a time
RESOLUTION_S = 1e-3  # to which two processes agree about a moment
JUMP_S = 0.02  # a clock that is further off than this, and than its uncertainty explains, has jumped
NUM_LATE = 10  # read-outs in a row that are late by the same amount: not the way is long, the clock was set back
_LATE_SPREAD = 0.25  # of their smallest lateness, the most by which it may scatter
_NUM_SIGMAS = 5.0
_LONGEST_S = 1e11  # since 1970, or since it was switched on; garbage from an instrument is more
_REFIT_SHARE = 1 / 16  # of the points that are new, for the next fit; one that lies below the line is fitted at once
# How many mean delays, divided by the number of points, are one standard uncertainty. Found by hand on 2026-11-21 on
# 50000 invented series of 8 to 300 read-outs with exponential, uniform and mixed delays, so that three hold the truth
# in practically all; the mean error is a tenth to half of one, so they may be twice too large.
_OFFSET_FACTOR = 8.0
_DRIFT_FACTOR = 30.0


@dataclass(frozen=True)
class ClockFit:
    """What is known of an instrument's clock.

    Parameters
    ----------
    begin_s
        Host time since which this clock runs without a jump.
    instrument_s, host_s
        One moment on both clocks, in the middle of what was fitted.
    drift
        By how much the instrument's clock runs faster than the host's; 5e-5 is 50 ppm.
    offset_uncertainty_s, drift_uncertainty
        Standard uncertainties of ``host_s`` and ``drift``. A delay that all read-outs have in common cannot be seen.
    delay_s
        Typical delay of a read-out, after the quickest.
    num_points
        Read-outs that were fitted, the quickest of each block of time.
    """

    begin_s: float
    instrument_s: float
    host_s: float
    drift: float
    offset_uncertainty_s: float
    drift_uncertainty: float
    delay_s: float
    num_points: int

    def host_time_s(self, instrument_s: float) -> float:
        """Return the host's time when the instrument's clock showed ``instrument_s``."""
        return self.host_s + (instrument_s - self.instrument_s) / (1 + self.drift)

    def uncertainty_s(self, instrument_s: float) -> float:
        """Return the standard uncertainty of :meth:`host_time_s`."""
        return hypot(self.offset_uncertainty_s, self.drift_uncertainty * (instrument_s - self.instrument_s))

    @property
    def zero_s(self) -> float:
        """Host time at which the instrument's clock showed zero."""
        return self.host_time_s(0.0)


class ClockFitter:
    """Takes pairs of instrument time and the host's time of its arrival, in order, and keeps :attr:`fit` up to date.

    Memory and time are bounded: of each block of time the quickest read-out is kept; blocks begin as short as the
    read-outs are apart and grow until they are ``LONGEST_BLOCK_S`` long, then the oldest are forgotten. A clock that
    jumps is fitted anew from there.
    """

    def __init__(self) -> None:
        self._points: deque[tuple[float, float]] = deque()  # instrument time and excess, both since the first pair
        self._late: deque[tuple[float, float]] = deque(maxlen=NUM_LATE)
        self._begin: tuple[float, float] | None = None
        self._last_s = float("-inf")
        self._block_s = 0.0
        self._num_unfitted = 0
        self.fit: ClockFit | None = None

    def add(self, instrument_s: float, host_s: float) -> float | None:
        """Take one pair; return by how much the clock has jumped ahead, in s, if that is what the pair shows.

        A pair with a time that is none, or with the instrument time of the pair before, says nothing.
        """
        if not (abs(instrument_s) < _LONGEST_S and abs(host_s) < _LONGEST_S) or instrument_s == self._last_s:
            return None
        if self._begin is None:
            self._restart([(instrument_s, host_s)])
            return None
        ahead_s = self._ahead_s(instrument_s, host_s)
        margin_s = JUMP_S + _NUM_SIGMAS * (0.0 if self.fit is None else self.fit.uncertainty_s(instrument_s))
        if instrument_s < self._last_s or (self.fit is not None and ahead_s > margin_s):
            self._restart([(instrument_s, host_s)])
            return ahead_s
        self._last_s = instrument_s
        if -ahead_s <= margin_s:
            self._late.clear()
        else:
            self._late.append((instrument_s, host_s))
            if self._all_equally_late():
                self._restart(list(self._late))
                return ahead_s
        self._put(instrument_s, host_s)
        return None

    def _ahead_s(self, instrument_s: float, host_s: float) -> float:
        """How far the instrument's clock is ahead of what is known of it; delays make this negative."""
        if self.fit is not None:
            return self.fit.host_time_s(instrument_s) - host_s
        return -self._excess_s(instrument_s, host_s)

    def _all_equally_late(self) -> bool:
        if self.fit is None or len(self._late) < NUM_LATE:
            return False
        lateness_s = [host_s - self.fit.host_time_s(instrument_s) for instrument_s, host_s in self._late]
        return max(lateness_s) - min(lateness_s) < _LATE_SPREAD * min(lateness_s)

    def _restart(self, pairs: list[tuple[float, float]]) -> None:
        self._points.clear()
        self._late.clear()
        self._begin, self._block_s, self.fit = pairs[0], 0.0, None
        for instrument_s, host_s in pairs:
            self._last_s = instrument_s
            self._put(instrument_s, host_s)

    def _excess_s(self, instrument_s: float, host_s: float) -> float:
        """How much more the host's clock went on than the instrument's; small numbers, unlike seconds since 1970."""
        assert self._begin is not None
        return (host_s - self._begin[1]) - (instrument_s - self._begin[0])

    def _put(self, instrument_s: float, host_s: float) -> None:
        assert self._begin is not None
        point = instrument_s - self._begin[0], self._excess_s(instrument_s, host_s)
        self._points.append(point)
        self._merge_last()
        if len(self._points) > MAX_POINTS:
            if self._block_s < LONGEST_BLOCK_S:
                self._double_blocks()
            else:
                self._points.popleft()
        self._num_unfitted += 1
        due = self.fit is None or self._num_unfitted > len(self._points) * _REFIT_SHARE
        early = self.fit is not None and host_s < self.fit.host_time_s(instrument_s) - RESOLUTION_S
        if len(self._points) >= MIN_POINTS and (due or early):
            self.fit, self._num_unfitted = self._fitted(), 0

    def _merge_last(self) -> None:
        """Keep the quicker of the last two if they are of one block."""
        if len(self._points) < 2 or not self._block_s:
            return
        before, last = self._points[-2], self._points[-1]
        if before[0] // self._block_s == last[0] // self._block_s:
            self._points.pop()
            self._points[-1] = min(before, last, key=lambda point: point[1])

    def _double_blocks(self) -> None:
        span_s = self._points[-1][0] - self._points[0][0]
        self._block_s = min(max(2 * self._block_s, 2 * span_s / MAX_POINTS), LONGEST_BLOCK_S)
        points, self._points = self._points, deque()
        for point in points:
            self._points.append(point)
            self._merge_last()
        while len(self._points) > MAX_POINTS:
            self._points.popleft()

    def _fitted(self) -> ClockFit:
        assert self._begin is not None
        begin_instrument_s, begin_host_s = self._begin
        num = len(self._points)
        middle_s = sum(time_s for time_s, _ in self._points) / num
        floor_s, slope = _line_below(self._points, middle_s)
        above_s = [excess_s - floor_s - slope * (time_s - middle_s) for time_s, excess_s in self._points]
        delay_s = sum(above_s) / (num - 2)  # two points lie on the line
        span_s = self._points[-1][0] - self._points[0][0]
        offset_uncertainty_s = hypot(RESOLUTION_S, _OFFSET_FACTOR * delay_s / num)
        drift_uncertainty = hypot(RESOLUTION_S, _DRIFT_FACTOR * delay_s / num) / span_s
        return ClockFit(
            begin_s=begin_host_s,
            instrument_s=begin_instrument_s + middle_s,
            host_s=begin_host_s + middle_s + floor_s,
            drift=1 / (1 + slope) - 1,
            offset_uncertainty_s=offset_uncertainty_s,
            drift_uncertainty=min(drift_uncertainty, LARGEST_DRIFT),
            delay_s=delay_s,
            num_points=num,
        )


def _line_below(points: "deque[tuple[float, float]]", middle_s: float) -> tuple[float, float]:
    """Return height at ``middle_s`` and slope of the line below all points that is nearest to them in the mean."""
    hull: list[tuple[float, float]] = []
    for point in points:
        while len(hull) >= 2 and _turns_down(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    left, right = next(pair for pair in pairwise(hull) if pair[1][0] >= middle_s)
    slope = (right[1] - left[1]) / (right[0] - left[0])
    if abs(slope) > LARGEST_DRIFT:
        slope = LARGEST_DRIFT if slope > 0 else -LARGEST_DRIFT
    return min(excess_s - slope * (time_s - middle_s) for time_s, excess_s in hull), slope


def _turns_down(first: tuple[float, float], second: tuple[float, float], third: tuple[float, float]) -> bool:
    ahead_s, excess_s = second[0] - first[0], second[1] - first[1]
    return ahead_s * (third[1] - first[1]) <= (third[0] - first[0]) * excess_s
