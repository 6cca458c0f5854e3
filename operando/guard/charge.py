"""Charge that flowed since the run's start: the integral of current, with the instrument's own count where it jumps."""

from dataclasses import dataclass, replace
from math import inf, isfinite

from devices.potentiostat_reading import Snapshot

AMPERE_SECONDS_PER_MAH = 3.6
LONGEST_BEHIND_S = 6.0  # a reading may be so old: longer is a silence that trips
LARGEST_DRIFT = 1e-3  # of the instrument's clock against the host's
_LARGEST_RATIO = 1.5  # the instrument's count is believed over a switch if it fits a current up to this much larger
_SMALLEST_JUMP = 0.5  # of the larger current; the trapezoid is then wrong by up to a quarter of the interval's charge


@dataclass(frozen=True)
class ChargePoint:
    """What the next step of the integral starts from; ``switch_s`` is how long the step before took, if it counted."""

    time_s: float
    elapsed_s: float
    current_a: float
    charge_mah: float
    instrument_charge_mah: float | None
    technique: tuple[int, int]
    switch_s: float = 0.0


def charge_point(snapshot: Snapshot, time_s: float, charge_mah: float) -> ChargePoint:
    """Return ``snapshot`` as a start of the integral."""
    technique = int(snapshot.state), snapshot.technique_index
    return ChargePoint(time_s, snapshot.elapsed_s, snapshot.current_a, charge_mah, snapshot.charge_mah, technique)


def next_charge(before: ChargePoint, snapshot: Snapshot, time_s: float, *, largest_current_a: float) -> ChargePoint:
    """Integrate from ``before`` to ``snapshot`` by the trapezoid over the instrument's elapsed time.

    Where the technique changed or the current jumped in between, it did so at an unknown moment: then the instrument's
    own charge is used if it has one and its step fits currents up to ``largest_current_a``. The current alone counts
    too, because a server posts one value after the other: a reading may hold the new current and the old technique.
    For the same reason the step after is counted as well: the reading of the switch may have held an older charge.
    A current that is no finite number adds nothing. A reading of the same elapsed time is no new one. Where the host's
    clock was set back, the instrument's is believed.
    """
    if snapshot.elapsed_s == before.elapsed_s:
        return before
    interval_s = snapshot.elapsed_s - before.elapsed_s
    host_s = time_s - before.time_s
    longest_s = inf if host_s < 0 else host_s + LONGEST_BEHIND_S + LARGEST_DRIFT * host_s
    if not 0 <= interval_s <= longest_s:
        interval_s = max(host_s, 0.0)  # the instrument was restarted, or its clock has jumped
    after = charge_point(snapshot, time_s, before.charge_mah)
    switched = before.technique != after.technique or jumped(before.current_a, after.current_a)
    counted_mah = _counted(before, after, interval_s, largest_current_a) if switched or before.switch_s else None
    step_mah = counted_mah
    if step_mah is None:
        step_mah = (before.current_a + snapshot.current_a) / 2 * interval_s / AMPERE_SECONDS_PER_MAH
    if not isfinite(step_mah):
        step_mah = 0.0
    switch_s = interval_s if switched and counted_mah is not None else 0.0
    return replace(after, charge_mah=before.charge_mah + step_mah, switch_s=switch_s)


def _counted(before: ChargePoint, after: ChargePoint, interval_s: float, largest_current_a: float) -> float | None:
    if before.instrument_charge_mah is None or after.instrument_charge_mah is None:
        return None
    step_mah = after.instrument_charge_mah - before.instrument_charge_mah
    possible_mah = _LARGEST_RATIO * largest_current_a * (interval_s + before.switch_s) / AMPERE_SECONDS_PER_MAH
    return step_mah if abs(step_mah) <= possible_mah else None


def jumped(before_a: float, after_a: float) -> bool:
    """Whether a current was switched between two readings."""
    return abs(after_a - before_a) > _SMALLEST_JUMP * max(abs(before_a), abs(after_a))
