"""How long nothing may be heard before it counts as silence."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

LATE_PERIODS, LATE_S = 3.0, 2.0  # of sampling; for commit and reading
_FloatOrArray = TypeVar("_FloatOrArray", float, NDArray[np.float64])


def longest_wait_s(period_s: _FloatOrArray) -> _FloatOrArray:
    """Return how long after a sample the next one comes at the latest, from the declared period of sampling in s."""
    return LATE_PERIODS * period_s + LATE_S
