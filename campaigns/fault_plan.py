"""What goes wrong in one run of a campaign: a few faults by chance, at least five seconds apart."""

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

MOST_FAULTS = 4
LEAST_GAP_S = 5.0
LARGEST_DELAY_S = 3.0
TYPICAL_RUN_S = 20.0


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


def planned_faults(seed: int, number: int) -> list[PlannedFault]:
    """Return the faults of run ``number`` (from 1) of a campaign, in the order of their times.

    Classes follow one another in an order drawn by chance, so that after as many faults as there are classes each has
    had its turn.
    """
    random = np.random.default_rng((seed, number))
    names = _names(seed, number)
    times_s = np.cumsum(random.uniform(LEAST_GAP_S, LEAST_GAP_S + LARGEST_DELAY_S, len(names))) - LEAST_GAP_S
    return [_fault(name, float(after_s), random) for name, after_s in zip(names, times_s, strict=True)]


def num_faults(seed: int, number: int) -> int:
    """Return how many faults run ``number`` has: 2 to 4."""
    return int(np.random.default_rng((seed, number, 1)).integers(2, MOST_FAULTS + 1))


def _names(seed: int, number: int) -> list[str]:
    first = sum(num_faults(seed, before) for before in range(1, number))
    found = []
    for position in range(first, first + num_faults(seed, number)):
        turn, place = divmod(position, len(CLASSES))
        found.append(CLASSES[int(np.random.default_rng((seed, turn, 2)).permutation(len(CLASSES))[place])])
    return sorted(found, key=lambda name: name in LAST)


def _fault(name: str, after_s: float, random: np.random.Generator) -> PlannedFault:
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
        attempt = 1 + int(after_s // (TYPICAL_RUN_S / 2))  # later faults in later tomograms
        frame = int(random.integers(1, NUM_PROJECTIONS + 1))
        table = AT_FRAMES[name](random) | {"at": f"projection {frame} of attempt {attempt}"}
    return PlannedFault(name, after_s, table)
