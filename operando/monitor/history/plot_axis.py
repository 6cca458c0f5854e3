"""What traces are drawn against: time since the run began, or the charge that has passed."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from operando.monitor.history.half_cycles import HalfCycle
from operando.monitor.history.trace import Times, Trace

TIME_UNITS = ((180.0, 1.0, "s"), (10_800.0, 60.0, "min"), (np.inf, 3600.0, "h"))  # longest run, length, name
MOST_KNOTS = 16_384  # more than any screen has columns

Places = NDArray[np.float64]


class PlotAxis(Protocol):
    """Leads from times in s since 1970 to places on the axis and back, both in order."""

    @property
    def label(self) -> str:
        """Name with unit."""

    @property
    def key(self) -> tuple[object, ...]:
        """Differs from that of an axis that leads elsewhere."""

    def places(self, times_s: Times) -> Places:
        """Return where times lie."""

    def times_s(self, places: Places) -> Times:
        """Return the times at places."""


@dataclass(frozen=True)
class TimeAxis:
    """Time since ``start_s`` in units of ``unit_s``."""

    start_s: float
    unit_s: float = 1.0
    label: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        """Its numbers."""
        return self.start_s, self.unit_s

    def places(self, times_s: Times) -> Places:
        """Return times since the start."""
        return (np.asarray(times_s) - self.start_s) / self.unit_s

    def times_s(self, places: Places) -> Times:
        """Return times since 1970."""
        return self.start_s + np.asarray(places) * self.unit_s


def time_unit(length_s: float) -> tuple[float, str]:
    """Return length in s and name of the unit that suits a length of time."""
    return next((unit_s, name) for longest_s, unit_s, name in TIME_UNITS if not length_s >= longest_s)


def time_axis(start_s: float, length_s: float, *, rehearsal: bool) -> TimeAxis:
    """Return an axis in the unit that suits the length of a run."""
    unit_s, name = time_unit(length_s)
    clock = " on the rehearsal's clock" if rehearsal else ""
    return TimeAxis(start_s, unit_s, f"time since start of run{clock} [{name}]")


@dataclass(frozen=True, eq=False)
class ChargeAxis:
    """Charge that has passed either way since the run began; a rest has no length on it.

    ``knots_s`` and ``passed`` have shape (num,), at least 1, and do not fall.
    """

    knots_s: Times
    passed: Places
    label: str

    @property
    def key(self) -> tuple[object, ...]:
        """Its ends and length."""
        return len(self.knots_s), float(self.knots_s[-1]), float(self.passed[-1])

    def places(self, times_s: Times) -> Places:
        """Return the charge passed at times."""
        return np.interp(times_s, self.knots_s, self.passed)

    def times_s(self, places: Places) -> Times:
        """Return when so much had passed; beyond the ends the first and the last time."""
        return np.interp(places, self.passed, self.knots_s)


def charge_axis(charge: Trace, half_cycles: tuple[HalfCycle, ...], *, factor: float, unit: str) -> ChargeAxis | None:
    """Return the axis of the charge that half cycles passed, in mAh times ``factor``; None if there is none."""
    if not half_cycles or charge.time_range_s is None:
        return None
    begin_s, end_s = charge.time_range_s
    times, passed, before = [np.array([begin_s])], [np.zeros(1)], 0.0
    for half_cycle in half_cycles:
        num = min(max(MOST_KNOTS // len(half_cycles), 2), half_cycle.stop - half_cycle.start)
        positions = np.linspace(half_cycle.start, half_cycle.stop - 1, num).astype(np.int64)
        inside = np.abs(charge.values[positions].astype(np.float64) - half_cycle.begin_mah)
        told = np.isfinite(inside)
        times.append(charge.times_s[positions][told])
        passed.append(before + inside[told])
        before += abs(half_cycle.charge_mah)
    knots_s = np.maximum.accumulate(np.concatenate([*times, [end_s]]))
    total = np.maximum.accumulate(np.concatenate([*passed, [before]])) * factor
    return ChargeAxis(knots_s, total, f"charge passed either way since start of run [{unit}]")
