"""The count at which a camera stops, told by its type and by flats in which pixels pile up at one value."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_analysis.corrections.frame_statistics import limit_of_type

LEAST_PART = 0.001  # of the flats' pixels: fewer may stand at the highest count by chance
PILED_UP = 3.0  # times as many at the highest count as one below: noise has less there, not more
BITS = range(8, 17)  # of cameras that count in integers of up to 16 bits


def camera_limit(flats: Iterable[NDArray[Any]], dtype: np.dtype[Any]) -> float:
    """Return the count at which pixels are saturated, infinity where none is known.

    A camera of 12 bits in a file of 16 stops at 4095, after a correction anywhere. Flats without any noise are
    computed: of those the highest count is a limit only if it is that of a number of bits.

    Parameters
    ----------
    flats
        Frames as recorded, of any shape.
    dtype
        How the file keeps counts.
    """
    highest, num_highest, num_below, num = -np.inf, 0, 0, 0
    for flat in flats:
        if not np.isfinite(flat).all():
            continue
        here = float(flat.max())
        if here > highest:
            num_below = num_highest if here - highest <= 1 else 0
            highest, num_highest = here, 0
        num_highest += int(np.count_nonzero(flat == highest))
        num_below += int(np.count_nonzero((flat < highest) & (flat >= highest - 1)))
        num += flat.size
    piled_up = num_highest > max(LEAST_PART * num, PILED_UP * num_below)
    if piled_up and (num_highest < num or highest in _limits_of_bits()):
        return highest
    return limit_of_type(dtype)


def _limits_of_bits() -> set[int]:
    """Return the highest counts of fewer bits, alone or moved up to fill sixteen."""
    return {limit << moved for bits in BITS for limit in [2**bits - 1] for moved in (0, 16 - bits)}
