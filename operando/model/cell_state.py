"""The states of a cell, as the guard publishes them and everybody else reads them."""

from enum import StrEnum


class CellState(StrEnum):
    """What a cell is doing."""

    STARTING = "STARTING"
    OPEN_CIRCUIT = "OPEN_CIRCUIT"
    RUNNING = "RUNNING"
    HOLDING = "HOLDING"
    STEP_ENDED = "STEP_ENDED"
    TRIPPED = "TRIPPED"
    UNSAFE = "UNSAFE"
