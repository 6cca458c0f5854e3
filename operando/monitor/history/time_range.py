"""Which stretch of a run is shown."""

from collections.abc import Sequence
from enum import StrEnum
from math import isfinite

from operando.monitor.history.half_cycles import HalfCycle

HOUR_S = 3600.0
LEAST_S = 1.0  # that can be shown: of a run that has just begun


class RangeChoice(StrEnum):
    """What a person chose; FREE is what was moved or zoomed by hand."""

    LAST_HOUR = "last hour"
    SINCE_START = "since start"
    CYCLE = "cycle"
    FREE = "free"


def chosen_range_s(
    choice: RangeChoice, start_s: float, now_s: float, half_cycles: Sequence[HalfCycle] = (), cycle: int = 0
) -> tuple[float, float] | None:
    """Return from when to when is to be shown, in s since 1970; None if nothing tells, or a person chose by hand.

    The last hour of a shorter run is all of it. The last cycle reaches to the newest sample.
    """
    if not (isfinite(start_s) and isfinite(now_s)) or choice is RangeChoice.FREE:
        return None
    end_s = max(now_s, start_s + LEAST_S)
    if choice is RangeChoice.LAST_HOUR:
        return max(start_s, end_s - HOUR_S), end_s
    if choice is RangeChoice.SINCE_START:
        return start_s, end_s
    members = [entry for entry in half_cycles if entry.cycle == cycle]
    if not members:
        return None
    is_last = members[-1] is half_cycles[-1]
    return members[0].begin_s, max(end_s if is_last else members[-1].end_s, members[0].begin_s + LEAST_S)


def half_cycles_within(half_cycles: Sequence[HalfCycle], range_s: tuple[float, float] | None) -> tuple[HalfCycle, ...]:
    """Return those of which a part lies in a range; all without one."""
    if range_s is None:
        return tuple(half_cycles)
    return tuple(entry for entry in half_cycles if entry.begin_s < range_s[1] and entry.end_s > range_s[0])


def spread(cycles: Sequence[int], most: int) -> tuple[int, ...]:
    """Return at most so many cycles: the first, the last, and others as evenly between as can be."""
    if len(cycles) <= most:
        return tuple(cycles)
    return tuple(cycles[round(number * (len(cycles) - 1) / (most - 1))] for number in range(most))
