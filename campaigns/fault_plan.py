"""What goes wrong in one run of a campaign: a few faults by chance, at least five seconds apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from campaigns.fault_classes import (
    AT_ANY_TIME,
    AT_FRAMES,
    CLASSES,
    DISK,
    FULL_DISK,
    HUNG,
    KILLED,
    LAST,
    LONGEST_HANG_S,
    MONITOR,
    MONITOR_KILLED,
    NUM_PROJECTIONS,
)

LEAST_FAULTS, MOST_FAULTS = 3, 4
LEAST_GAP_S = 5.0
LARGEST_DELAY_S = 1.5
LONGEST_BEGIN_S = 3.0


@dataclass(frozen=True)
class PlannedFault:
    """One fault of a run.

    ``table`` is what the simulated beamline is told. Without it a signal goes to the process of ``role``, ``after_s``
    after the rehearsal's time has begun (on the host's clock), and it hangs for ``hangs_s`` or is killed; the disk as a
    role is full for so long.
    """

    name: str
    after_s: float
    table: dict[str, Any] | None = None
    role: str = ""
    hangs_s: float | None = None


def planned_faults(seed: int, number: int, classes: Sequence[str] = CLASSES) -> list[PlannedFault]:
    """Return the faults of run ``number`` (from 1) of a campaign of some classes, in the order of their times.

    Classes follow one another in an order drawn by chance, so that after as many faults as there are classes each has
    had its turn.
    """
    random = np.random.default_rng((seed, number))
    found, after_s, attempt = [], float(random.uniform(0, LONGEST_BEGIN_S)), 1
    for name in _names(seed, number, classes):
        found.append(planned_fault(name, after_s, attempt, random))
        if name in AT_FRAMES:  # most of them make an attempt partial: the next one hits that which follows
            attempt += 1
        else:
            after_s += float(random.uniform(LEAST_GAP_S, LEAST_GAP_S + LARGEST_DELAY_S))
    return found


def num_faults(seed: int, number: int) -> int:
    """Return how many faults run ``number`` has: 3 or 4."""
    return int(np.random.default_rng((seed, number, 1)).integers(LEAST_FAULTS, MOST_FAULTS + 1))


def _names(seed: int, number: int, classes: Sequence[str]) -> list[str]:
    first = sum(num_faults(seed, before) for before in range(1, number))
    found = []
    for position in range(first, first + num_faults(seed, number)):
        turn, place = divmod(position, len(classes))
        found.append(classes[int(np.random.default_rng((seed, turn, 2)).permutation(len(classes))[place])])
    return sorted(found, key=lambda name: name in LAST)


def planned_fault(name: str, after_s: float, attempt: int, random: np.random.Generator) -> PlannedFault:
    """Return a fault of a class; one that needs frames begins in the ``attempt``-th attempt at a tomogram."""
    if name in KILLED:
        return PlannedFault(name, after_s, role=KILLED[name])
    if name in HUNG:
        return PlannedFault(name, after_s, role=HUNG[name], hangs_s=float(random.uniform(0.3, LONGEST_HANG_S)))
    if name == MONITOR_KILLED:
        return PlannedFault(name, after_s, role=MONITOR, hangs_s=3.0)
    if name == FULL_DISK:
        return PlannedFault(name, after_s, role=DISK, hangs_s=float(random.uniform(0.3, LONGEST_HANG_S)))
    if name in AT_ANY_TIME:
        table = AT_ANY_TIME[name](random) | {"at": f"{after_s:.2f} s of wall time"}
    else:
        frame = int(random.integers(1, NUM_PROJECTIONS + 1))
        table = AT_FRAMES[name](random) | {"at": f"projection {frame} of attempt {attempt}"}
    return PlannedFault(name, after_s, table)
