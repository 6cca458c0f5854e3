"""Half cycles of a cell, from the sign of its current: a rest or a hold between two of one sign belongs to them."""

from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from operando.monitor.history.trace import Times

MOST_SAMPLES = 200_000  # that are looked at: of a week at 10 per second every 31st; then ends are looked for in between
REST_SHARE = 0.02  # of the current that 99 % of all samples do not exceed; what is below is a rest
LEAST_SHARE = 1e-3  # of the largest charge of all; what passes less is noise around no current

Values = NDArray[np.floating]


@dataclass(frozen=True)
class HalfCycle:
    """Samples at positions ``start`` to ``stop`` - 1, their first and last time, and charge in mAh.

    ``cycle`` counts from 1 and begins with each half cycle of the first one's sign. ``charge_mah`` is what has passed,
    negative on discharge; ``begin_mah`` is the logged charge when it began.
    """

    cycle: int
    start: int
    stop: int
    begin_s: float
    end_s: float
    begin_mah: float
    charge_mah: float

    @property
    def is_charge(self) -> bool:
        """Whether the current was positive."""
        return self.charge_mah > 0

    @property
    def name(self) -> str:
        """As people call it."""
        return f"cycle {self.cycle} {'charge' if self.is_charge else 'discharge'}"


def find_half_cycles(times_s: Times, current_a: Values, charge_mah: Values) -> tuple[HalfCycle, ...]:
    """Return the half cycles in order; all arrays have shape (sample,), a missing value is NaN.

    The charge tells what a current was worth: of half cycles that follow each other none has the sign of the one
    before, and none passes less than a thousandth of the largest.
    """
    stride = max(-(-len(times_s) // MOST_SAMPLES), 1)
    signs, threshold_a = _signs(current_a[::stride])
    known = np.flatnonzero((signs != 0) & np.isfinite(charge_mah[::stride]))
    if len(known) == 0:
        return ()
    turns = np.flatnonzero(np.diff(signs[known])) + 1
    firsts, lasts = known[np.append(0, turns)], known[np.append(turns, len(known)) - 1]
    passed = charge_mah[lasts * stride].astype(np.float64) - charge_mah[firsts * stride]
    told = (np.abs(passed) >= LEAST_SHARE * np.abs(passed).max()) & (np.sign(passed) == signs[firsts])
    ends = zip(signs[firsts[told]], firsts[told], lasts[told], strict=True)
    found: list[HalfCycle] = []
    for sign, group in groupby(ends, key=lambda end: end[0]):
        members = list(group)
        first = _first(current_a, int(members[0][1]) * stride, stride, sign * threshold_a)
        last = _last(current_a, int(members[-1][2]) * stride, stride, sign * threshold_a)
        inside = charge_mah[first : last + 1]
        begin_mah, end_mah = (float(inside[np.isfinite(inside)][end]) for end in (0, -1))
        first_sign = np.sign(found[0].charge_mah) if found else sign
        cycle = (found[-1].cycle if found else 0) + (sign == first_sign)
        if end_mah != begin_mah:
            found.append(
                HalfCycle(
                    cycle=int(cycle),
                    start=first,
                    stop=last + 1,
                    begin_s=float(times_s[first]),
                    end_s=float(times_s[last]),
                    begin_mah=begin_mah,
                    charge_mah=end_mah - begin_mah,
                )
            )
    return tuple(found)


def _signs(current_a: Values) -> tuple[NDArray[np.int8], float]:
    """Return 1, -1 or, at rest or where nothing was measured, 0 for each sample; and the least current that counts."""
    finite = np.abs(current_a[np.isfinite(current_a)])
    if len(finite) == 0:
        return np.zeros(len(current_a), np.int8), 0.0
    threshold_a = max(REST_SHARE * float(np.percentile(finite, 99)), float(np.finfo(np.float32).tiny))
    known = np.nan_to_num(current_a)
    return (np.abs(known) > threshold_a).astype(np.int8) * np.sign(known).astype(np.int8), threshold_a


def _first(current_a: Values, position: int, stride: int, threshold_a: float) -> int:
    """Return the first sample with the current's sign since the one that was looked at before ``position``."""
    begin = max(position - stride + 1, 0)
    over = current_a[begin : position + 1] * np.sign(threshold_a) > abs(threshold_a)
    return begin + int(np.argmax(over))


def _last(current_a: Values, position: int, stride: int, threshold_a: float) -> int:
    over = current_a[position : position + stride] * np.sign(threshold_a) > abs(threshold_a)
    return position + int(np.flatnonzero(over)[-1])
