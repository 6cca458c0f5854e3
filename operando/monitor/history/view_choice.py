"""What the page of the history can show."""

from dataclasses import dataclass
from enum import StrEnum

from operando.monitor.history.stretch import Stretch
from operando.monitor.reading.run_view import Quantity


class ViewChoice(StrEnum):
    """How samples are drawn; the values are names of buttons."""

    TRACES = "Traces"
    OVERLAID = "Cycles overlaid"
    DIFFERENTIAL = "dQ/dV"


class AxisChoice(StrEnum):
    """What they are drawn against."""

    TIME = "Time"
    CHARGE = "Capacity"


@dataclass(frozen=True)
class HistoryChoice:
    """What a person has chosen on the page."""

    stretch: Stretch
    view: ViewChoice
    axes: dict[ViewChoice, AxisChoice]
    quantities: tuple[Quantity, ...]
