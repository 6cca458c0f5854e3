"""What each tomogram cost: its frames, where its seconds went, and how soon it was measured."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite, nan
from typing import Any

from operando.monitor.reading.frame_counts import FrameCount, counted_frames
from operando.monitor.reading.shown_text import shown_name

Document = dict[str, Any]


@dataclass(frozen=True)
class PhaseCost:
    """Seconds of one phase of a tomogram on the run's clock, and those of them in which only software was busy."""

    name: str
    clock_s: float
    software_s: float


@dataclass(frozen=True)
class TomogramLedger:
    """The account of one attempt; times are of the host's clock, NaN for what has not happened.

    ``quick_s`` and ``measured_s`` are when its first values and all its values were known, ``analysis_s`` is how long
    the latter took.
    """

    attempt: int
    name: str
    began_s: float
    ended_s: float = nan
    outcome: str = ""
    frames: tuple[FrameCount, ...] = ()
    phases: tuple[PhaseCost, ...] = ()
    camera_behind_s: float = nan
    camera_uncertainty_s: float = nan
    camera_drift_ppm: float = nan
    quick_s: float = nan
    measured_s: float = nan
    analysis_s: float = nan

    @property
    def num_lost(self) -> int:
        """Frames of all kinds that were exposed and not written, as far as they were counted."""
        return sum(count.lost or 0 for count in self.frames)

    @property
    def clock_s(self) -> float:
        """How long it took on the run's clock."""
        return sum(phase.clock_s for phase in self.phases)

    @property
    def software_s(self) -> float:
        """How long only software was busy meanwhile."""
        return sum(phase.software_s for phase in self.phases)

    @property
    def waits_for_analysis(self) -> bool:
        """Whether it is over and not measured yet."""
        return isfinite(self.ended_s) and not isfinite(self.measured_s)


class RunLedger:
    """Takes documents of acquisition and analysis one by one; raises on what it does not understand, and goes on."""

    def __init__(self) -> None:
        self._tomograms: dict[str, TomogramLedger] = {}
        self._outcomes: dict[str, str] = {}  # descriptors of the streams of outcomes, and their runs
        self._analyses: dict[str, tuple[str, bool]] = {}  # runs of the analysis: the tomogram's, and whether quick

    def tomograms(self) -> tuple[TomogramLedger, ...]:
        """Return the accounts of all attempts in order."""
        return tuple(self._tomograms.values())

    def add_document(self, name: str, document: Document) -> None:
        """Take a document of the acquisition."""
        handler: dict[str, Callable[[Document], None]] = {
            "start": self._start, "descriptor": self._descriptor, "event": self._event, "stop": self._stop,
        }  # fmt: skip
        if name in handler:
            handler[name](document)

    def add_result(self, name: str, document: Document) -> None:
        """Take a document of the analysis."""
        if name == "start" and document.get("kind") == "analysis":
            self._analyses[str(document["uid"])] = str(document["raw_run"]), bool(document.get("quick", False))
        elif name == "stop" and str(document.get("run_start")) in self._analyses:
            raw_run, is_quick = self._analyses.pop(str(document["run_start"]))
            if raw_run in self._tomograms:
                self._measured(raw_run, document, is_quick=is_quick)

    def _measured(self, raw_run: str, document: Document, *, is_quick: bool) -> None:
        time_s, ledger = float(document["time"]), self._tomograms[raw_run]
        if is_quick:
            ledger = ledger if isfinite(ledger.quick_s) else replace(ledger, quick_s=time_s)
        else:
            cost_s = document.get("cost_s", {})
            ledger = replace(ledger, measured_s=time_s, analysis_s=float(sum(map(float, cost_s.values()))))
        self._tomograms[raw_run] = ledger

    def _start(self, document: Document) -> None:
        if document.get("kind") == "tomogram":
            self._tomograms[str(document["uid"])] = TomogramLedger(
                int(document["attempt"]), shown_name(document["tomogram"]), float(document["time"])
            )

    def _descriptor(self, document: Document) -> None:
        if document.get("name") == "outcome" and str(document["run_start"]) in self._tomograms:
            self._outcomes[str(document["uid"])] = str(document["run_start"])

    def _event(self, document: Document) -> None:
        uid = self._outcomes.get(str(document["descriptor"]))
        if uid is None:
            return
        data = document["data"]
        seconds = (data.get(f"dead_time_{column}", []) for column in ("phases", "clock_s", "software_s"))
        self._tomograms[uid] = replace(
            self._tomograms[uid],
            outcome=shown_name(data["outcome"]),
            frames=counted_frames(data),
            phases=tuple(
                PhaseCost(shown_name(name), float(clock_s), float(software_s))
                for name, clock_s, software_s in zip(*seconds, strict=True)
            ),
            camera_behind_s=float(data.get("camera_clock_behind_s", nan)),
            camera_uncertainty_s=float(data.get("camera_clock_uncertainty_s", nan)),
            camera_drift_ppm=float(data.get("camera_clock_drift_ppm", nan)),
        )

    def _stop(self, document: Document) -> None:
        uid = str(document["run_start"])
        if uid in self._tomograms:
            self._tomograms[uid] = replace(self._tomograms[uid], ended_s=float(document["time"]))
