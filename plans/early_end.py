"""Techniques that ended long before they should have: somebody pressed Stop at the instrument, or it began anew."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

END_UNCERTAINTY_S = 10.0  # a technique begins some polls of the instrument before its command is answered
LATEST_PART = 0.99  # of its time: an instrument's clock is not the run's
LONGEST_GAP_S = 60.0  # between two samples; rarer ones do not show how a voltage came to its end
POLARISATION_V = 0.05  # of a cell
NUM_CHANGES = 4  # a voltage may go on to its end by so many changes like the last ones, for it goes ever faster
LEAST_GAP_S = 1e-3  # of two samples of a rehearsal, whose clock stands still at times
NUM_SAMPLES = 3  # under current, to see how fast it went


def is_long_before(now_s: float, begin_s: float, end_s: float) -> bool:
    """Return whether ``now_s`` is no time at which something ends that began at ``begin_s`` for until ``end_s``."""
    return now_s < min(end_s - END_UNCERTAINTY_S, begin_s + LATEST_PART * (end_s - begin_s))


def voltage_cut_short(rows: Iterable[Mapping[str, Any]], *, current_a: float, target_v: float) -> float | None:
    """Return at which voltage a current was stopped, ``None`` if it may have come to its target, or nobody saw it.

    Parameters
    ----------
    rows
        The guard's samples since the current was switched on, newest first.
    """
    after: Mapping[str, Any] | None = None
    under: list[Mapping[str, Any]] = []
    for row in rows:
        if row["voltage_v"] is None or row["current_a"] is None:
            continue
        if row["current_a"] / current_a > 0.5:  # what an instrument reads at open circuit is not zero
            if under and row["elapsed_s"] == under[-1]["elapsed_s"]:  # read twice: it was so early already
                under.pop()
            under.append(row)
        elif under:
            break
        else:
            after = row  # the first one without current
        if len(under) == NUM_SAMPLES:
            break
    if after is None or len(under) < 2:
        return None
    unseen_s = _gap_s(after, under[0])
    if unseen_s > LONGEST_GAP_S:
        return None
    fastest_v_s = max(
        abs(later["voltage_v"] - earlier["voltage_v"]) / _gap_s(later, earlier) for later, earlier in pairwise(under)
    )
    unseen_v = POLARISATION_V + NUM_CHANGES * fastest_v_s * unseen_s
    stop_v = float(under[0]["voltage_v"])
    went_on_v = (after["voltage_v"] - stop_v) * (1 if current_a > 0 else -1)  # after a stop a cell relaxes back
    return None if abs(target_v - stop_v) <= unseen_v or went_on_v > unseen_v else stop_v


def _gap_s(later: Mapping[str, Any], earlier: Mapping[str, Any]) -> float:
    return float(max(later["time_s"] - earlier["time_s"], LEAST_GAP_S))
