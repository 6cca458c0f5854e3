"""How far the analysis is, for result PVs and screens."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from live_analysis.results import TomogramResults


class AnalysisState(StrEnum):
    """What the analysis does now."""

    WAITING = "WAITING"
    RECEIVING = "RECEIVING"
    MEASURING = "MEASURING"
    ENDED = "ENDED"


@dataclass(frozen=True)
class Progress:
    """The tomogram at hand and how many wait.

    ``num_projections`` are received of this tomogram; ``num_waiting`` tomograms have begun and are not measured yet;
    ``num_dropped`` projections were declared by documents and are in no file.
    """

    state: AnalysisState
    tomogram: str = ""
    num_projections: int = 0
    num_waiting: int = 0
    num_dropped: int = 0


Publish = Callable[[TomogramResults | None, Progress], None]


def say_nothing(results: TomogramResults | None, progress: Progress) -> None:
    """Take results and progress and publish them nowhere."""
