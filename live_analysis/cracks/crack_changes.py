"""What became of the cracks between two states: which are new, grew, shrank or closed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from live_analysis.cracks.placed_crack import PlacedCrack

SAME_HEIGHT_UM = 4.0  # in the pristine state; cracks above each other keep further apart than their height is unsure
OVERLAP = 0.7  # of the larger radius: centres nearer than this are those of one crack, or of parts of one
CHANGED = 0.15  # of the volume; the share that one of two touching cracks gets is no better known


@dataclass(frozen=True)
class CrackChanges:
    """Numbers of cracks; what has become one, or fallen into parts, counts once where it grew or shrank."""

    num_new: int
    num_grown: int
    num_shrunk: int
    num_closed: int


def crack_changes(before: Sequence[PlacedCrack], now: Sequence[PlacedCrack]) -> CrackChanges:
    """Compare the cracks of two states at their places in the pristine cell.

    Parameters
    ----------
    before, now
        In any order.
    """
    same = np.array([[_is_one(then, crack) for crack in now] for then in before], bool).reshape(len(before), len(now))
    joined = np.zeros((len(before) + len(now),) * 2, bool)
    joined[: len(before), len(before) :] = same
    number, group = connected_components(csr_matrix(joined), directed=False)
    volumes_um3 = np.array([crack.volume_um3 for crack in (*before, *now)])
    then_um3 = np.bincount(group[: len(before)], volumes_um3[: len(before)], number)
    now_um3 = np.bincount(group[len(before) :], volumes_um3[len(before) :], number)
    both = (then_um3 > 0) & (now_um3 > 0)
    return CrackChanges(
        num_new=int((then_um3 == 0).sum()),
        num_grown=int((both & (now_um3 > (1 + CHANGED) * then_um3)).sum()),
        num_shrunk=int((both & (now_um3 < (1 - CHANGED) * then_um3)).sum()),
        num_closed=int((now_um3 == 0).sum()),
    )


def _is_one(then: PlacedCrack, now: PlacedCrack) -> bool:
    across_um = float(np.hypot(then.x_um - now.x_um, then.y_um - now.y_um))
    return abs(then.pristine_height_um - now.pristine_height_um) < SAME_HEIGHT_UM and across_um < OVERLAP * max(
        then.radius_um, now.radius_um
    )
