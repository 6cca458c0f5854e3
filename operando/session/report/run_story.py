"""What documents, schedule and results tell about a run, also one that is damaged, partial or still going on."""

import math
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from operando.model.measurement import Measurement
from operando.model.outcome import Outcome
from operando.session.results_table import newest

Document = dict[str, Any]


@dataclass(frozen=True)
class TomogramStory:
    """One attempt at a tomogram; times are those of the run's clock, ``end_s`` None while it goes on."""

    name: str
    attempt: int
    start: Document
    facts: Document
    begin_s: float
    end_s: float | None
    outcome: str
    reason: str
    uid: str


@dataclass(frozen=True)
class StepStory:
    """One step of the schedule; ``name`` is the one that its results have."""

    name: str
    kind: str
    begin_s: float
    end_s: float | None
    outcome: str
    reason: str
    end_voltage_v: float | None = None


@dataclass
class RunStory:
    """Everything in order; ``rehearsal`` is None where no document says it.

    ``recorded`` is True for the replay of a recorded scan. ``num_damaged`` counts lines by file that were left out.
    """

    outer_starts: list[Document] = field(default_factory=list)
    outer_stop: Document | None = None
    tomograms: list[TomogramStory] = field(default_factory=list)
    steps: list[StepStory] = field(default_factory=list)
    missed: list[Document] = field(default_factory=list)
    requests: list[Document] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    analysis_failures: list[tuple[str, str]] = field(default_factory=list)
    num_damaged: dict[str, int] = field(default_factory=dict)

    @property
    def rehearsal(self) -> bool | None:
        """Whether cell and beam were simulated, or recorded elsewhere."""
        said = [bool(start["rehearsal"]) for start in self.outer_starts if "rehearsal" in start]
        return any(said) if said else None

    @property
    def recorded(self) -> bool:
        """Whether a recorded scan was replayed."""
        asked = [start["experiment"] for start in self.outer_starts if isinstance(start.get("experiment"), dict)]
        return bool(self.rehearsal) and bool(asked) and "rehearsal" not in asked[-1]

    @property
    def newest(self) -> dict[tuple[str, str], Measurement]:
        """The last value of every quantity of every tomogram and step, in order of first appearance."""
        return newest(self.measurements)

    @property
    def states(self) -> list[TomogramStory]:
        """The last attempt at every tomogram, in the order in which they were taken."""
        last = {tomogram.name: tomogram for tomogram in self.tomograms}
        return sorted(last.values(), key=lambda tomogram: tomogram.attempt)


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a value of a document is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def went_well(outcome: str) -> bool:
    """Return whether the word of an outcome needs no explanation."""
    return outcome in (Outcome.COMPLETE, "success")
