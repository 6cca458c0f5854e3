"""How good a reading is, the same words for every instrument."""

from collections.abc import Iterable
from enum import StrEnum


class Quality(StrEnum):
    """Quality of a reading, from best to worst."""

    OK = "OK"
    OVER_RANGE = "OVERRANGE"
    BAD_CHECKSUM = "BADCS"
    STALE = "STALE"
    NOT_A_NUMBER = "NAN"
    DISCONNECTED = "DISCONNECTED"


def worst(qualities: Iterable[Quality]) -> Quality:
    """Return the worst of some qualities; of none, OK."""
    order = list(Quality)
    return max(qualities, key=order.index, default=Quality.OK)
