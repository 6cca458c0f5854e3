"""Whether the charge that the instrument counts is the integral of the current that it shows."""

from collections import deque
from dataclasses import dataclass
from math import isfinite

from operando.guard.charge import AMPERE_SECONDS_PER_MAH, jumped
from operando.guard.limit_reading import CellReading

NUM_KEPT = 64
NUM_POLLS_LATE = 2.0  # a reading may hold the charge of a poll before its current, at both ends
SMALLEST_CURRENT = 1e-3  # of the largest allowed; below it readings are noise


@dataclass
class _Stretch:
    """Readings of one technique, in A s: what passed, by how much the two counts differ, and by how much they may."""

    begin_s: float
    end_s: float
    passed: float
    difference: float
    allowed: float
    largest_a: float


@dataclass(frozen=True)
class Agreement:
    """How two counts compare over the last time, in mAh; ``uncertain_mah`` is what sampling alone may explain."""

    passed_mah: float
    difference_mah: float
    uncertain_mah: float


class ChargeAgreement:
    """Compares the two over a sliding time, leaving out the moments at which the current is switched.

    Between two readings the integral is taken as a trapezoid, which of a current that rises or falls is wrong by at
    most half its change: that much is allowed, so that a sparse sampling raises no alarm.

    Parameters
    ----------
    over_s
        Time over which both are summed, by the instrument's clock.
    poll_s
        How often the instrument's server reads it.
    """

    def __init__(self, over_s: float, *, poll_s: float, largest_current_a: float) -> None:
        self._over_s = over_s
        self._poll_s = poll_s
        self._smallest_a = SMALLEST_CURRENT * largest_current_a
        self._stretches: deque[_Stretch] = deque()
        self._last: tuple[float, float, float, tuple[float, ...] | None] | None = None
        self._just_switched = False

    def look(self, reading: CellReading) -> Agreement | None:
        """Take one reading; return how the two compare, ``None`` if it does not tell."""
        snapshot = reading.snapshot
        if snapshot is None or snapshot.charge_mah is None:
            return None
        now = snapshot.elapsed_s, snapshot.current_a, snapshot.charge_mah * AMPERE_SECONDS_PER_MAH, reading.operation
        if not all(isfinite(number) for number in now[:3]):
            self._last = None
            return None
        before, self._last = self._last, now
        if before is None or now[0] < before[0]:  # the first, or the instrument was restarted
            self._stretches.clear()
            return None
        switched = now[3] != before[3] or jumped(before[1], now[1])
        if not switched and not self._just_switched and now[0] > before[0]:
            self._add(before[:3], now[:3])
        self._just_switched = switched
        return self._agreement()

    def _add(self, before: tuple[float, float, float], now: tuple[float, float, float]) -> None:
        interval_s, counted = now[0] - before[0], now[2] - before[2]
        integral = (before[1] + now[1]) / 2 * interval_s
        new = _Stretch(
            before[0], now[0], abs(integral), counted - integral, abs(now[1] - before[1]) / 2 * interval_s,
            max(abs(before[1]), abs(now[1]), self._smallest_a),
        )  # fmt: skip
        last = self._stretches[-1] if self._stretches else None
        if last is not None and last.end_s == new.begin_s and new.end_s - last.begin_s < self._over_s / NUM_KEPT:
            last.end_s = new.end_s
            last.passed += new.passed
            last.difference += new.difference
            last.allowed += new.allowed
            last.largest_a = max(last.largest_a, new.largest_a)
        else:
            self._stretches.append(new)
        while len(self._stretches) > 1 and new.end_s - self._stretches[0].end_s > self._over_s:
            self._stretches.popleft()

    def _agreement(self) -> Agreement:
        late = sum(
            NUM_POLLS_LATE * self._poll_s * stretch.largest_a
            for number, stretch in enumerate(self._stretches)
            if number == 0 or self._stretches[number - 1].end_s != stretch.begin_s
        )
        passed, difference, allowed = (
            sum(getattr(stretch, name) for stretch in self._stretches) for name in ("passed", "difference", "allowed")
        )
        return Agreement(
            passed / AMPERE_SECONDS_PER_MAH,
            difference / AMPERE_SECONDS_PER_MAH,
            (allowed + late) / AMPERE_SECONDS_PER_MAH,
        )
