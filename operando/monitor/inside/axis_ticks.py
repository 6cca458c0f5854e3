"""Round numbers along an axis."""

import math


def round_ticks(first: float, last: float, most: int) -> list[float]:
    """Return multiples of 1, 2, 5, 10, ... between two ends, at most as many as asked (at least one)."""
    low, high = min(first, last), max(first, last)
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return []
    power = 10.0 ** math.floor(math.log10((high - low) / max(most, 1)))
    for step in (power, 2 * power, 5 * power, 10 * power, 20 * power):
        lowest, highest = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if highest - lowest + 1 <= most:
            return [number * step for number in range(lowest, highest + 1)]
    return []
