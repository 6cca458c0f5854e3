"""What the page of the history can show."""

from enum import StrEnum


class ViewChoice(StrEnum):
    """How samples are drawn; the values are names of buttons."""

    TRACES = "Traces"
    OVERLAID = "Cycles overlaid"
    DIFFERENTIAL = "dQ/dV"


class AxisChoice(StrEnum):
    """What they are drawn against."""

    TIME = "Time"
    CHARGE = "Capacity"
