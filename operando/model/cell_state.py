"""The states of a cell, as the guard publishes them and everybody else reads them."""

from enum import StrEnum

LONGEST_STEP_NAME = 39  # the guard publishes it as a string of 40 bytes with the closing zero


class CellState(StrEnum):
    """What a cell is doing."""

    STARTING = "STARTING"
    OPEN_CIRCUIT = "OPEN_CIRCUIT"
    RUNNING = "RUNNING"
    HOLDING = "HOLDING"
    STEP_ENDED = "STEP_ENDED"
    TRIPPED = "TRIPPED"
    UNSAFE = "UNSAFE"


def published_step(name: str) -> str:
    """Return the name of a step as the guard publishes it: its beginning, if it is long."""
    return name[:LONGEST_STEP_NAME]
