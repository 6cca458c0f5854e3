"""What documents, schedule, results and guard events have told about a run so far."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf, nan
from typing import Any

from operando.monitor.reading.frame_counts import asked_frames, counted_frames
from operando.monitor.reading.run_view import EventView, MeasurementView, TomogramView
from operando.monitor.reading.schedule_story import ScheduleStory
from operando.monitor.reading.shown_text import shown_name, shown_text
from operando.monitor.reading.situation import RingCurrent

Document = dict[str, Any]
LARGEST_ATTEMPT = 999_999
ODD = (AttributeError, LookupError, OverflowError, RecursionError, TypeError, ValueError)  # what damage raises


class RunStory:
    """Takes entries in one by one; what it does not understand is counted and left out."""

    def __init__(self) -> None:
        self.name = ""
        self.rehearsal: bool | None = None
        self.recorded = False
        self.start_s = inf  # on the run's clock
        self.document_start_s = inf  # on the host's clock
        self.ended = ""
        self.state = ""
        self.trip = ""
        self.num_odd = 0
        self.schedule = ScheduleStory()
        self.ring_current = RingCurrent()
        self._outer_uid = ""
        self._tomograms: dict[str, TomogramView] = {}
        self._measurements: dict[str, MeasurementView] = {}
        self._replaced: set[str] = set()
        self._run_of: dict[str, str] = {}  # by the uid of a descriptor
        self._guard_step = ""
        self._begun_s: dict[int, float] = {}
        self._ended_s: dict[int, float] = {}

    @property
    def step(self) -> str:
        """Name of the schedule's step, or of the technique the guard loaded last."""
        return shown_name(self.schedule.under_way or self._guard_step)

    def add_document(self, value: Any) -> None:
        """Take one line of ``documents.jsonl``."""
        handlers = {"start": self._start, "descriptor": self._descriptor, "event": self._event, "stop": self._stop}
        self._sort(value, handlers)

    def add_result(self, value: Any) -> None:
        """Take one line of ``results.jsonl``."""
        self._sort(value, {"event": self._measurement})

    def add_schedule_line(self, value: Any) -> None:
        """Take one line of ``schedule.jsonl``."""
        try:
            self.schedule.add_line(value)
            if value["event"] in ("intent", "outcome"):  # what a person asks is stamped with the host's clock
                self.start_s = min(self.start_s, float(value["time"]))
            if value.get("entry") == "tomogram" and value["event"] in ("intent", "outcome") and "attempt" in value:
                times_s = self._begun_s if value["event"] == "intent" else self._ended_s
                times_s[int(value["attempt"])] = float(value["time"])
        except ODD:
            self.num_odd += 1

    def add_guard_event(self, event: EventView) -> None:
        """Take one entry of the guard's log; a change of state is written as ``OLD to NEW``."""
        if event.kind == "state":
            self.state = event.text.rpartition(" to ")[2]
        elif event.kind == "trip":
            self.trip, self.state = event.text, self.state if self.state == "UNSAFE" else "TRIPPED"
        elif event.kind == "unsafe":
            self.state = "UNSAFE"
        elif event.kind == "safe" and self.state == "UNSAFE":
            self.state = "TRIPPED"
        elif event.kind == "trip_cleared":
            self.trip = ""
        elif event.kind == "step":
            self._guard_step = event.text
        elif event.kind == "guard":
            self.state = "ENDED" if event.text.startswith("Ended") else "STARTING"

    def tomograms(self, num_acquired: Callable[[int], int]) -> tuple[TomogramView, ...]:
        """Return all attempts in order; ``num_acquired`` is asked about the one being taken."""
        found = tuple(self._on_the_runs_clock(tomogram) for tomogram in self._tomograms.values())
        return tuple(
            replace(tomogram, num_acquired=num_acquired(tomogram.attempt)) if tomogram.stop_s is None else tomogram
            for tomogram in found
        )

    def measurements(self) -> tuple[MeasurementView, ...]:
        """Return the newest value of every quantity of every tomogram; replaced ones are left out."""
        newest: dict[tuple[str, str], MeasurementView] = {}
        for uid, measurement in self._measurements.items():
            if uid not in self._replaced:
                newest[measurement.tomogram, measurement.name] = measurement
        return tuple(newest.values())

    def _on_the_runs_clock(self, tomogram: TomogramView) -> TomogramView:
        """Take the times from the schedule: documents are stamped with the host's clock, also in a rehearsal."""
        start_s = self._begun_s.get(tomogram.attempt, tomogram.start_s)
        if tomogram.stop_s is None:
            return replace(tomogram, start_s=start_s)
        lasted_s = tomogram.stop_s - tomogram.start_s  # for one that was left without an outcome
        return replace(tomogram, start_s=start_s, stop_s=self._ended_s.get(tomogram.attempt, start_s + lasted_s))

    def _sort(self, value: Any, handlers: Mapping[str, Callable[[Document], None]]) -> None:
        try:
            name, document = value
            if name in handlers:
                handlers[name](document)
        except ODD:
            self.num_odd += 1

    def _start(self, document: Document) -> None:
        uid, time_s = str(document["uid"]), float(document["time"])
        if document.get("kind") == "experiment":
            for open_uid, tomogram in self._tomograms.items():  # a new outer run has found the old one dead
                if tomogram.stop_s is None:
                    left = replace(tomogram, stop_s=time_s, exit_status="abort", reason="left open")
                    self._tomograms[open_uid] = left
            self._outer_uid, self.ended = uid, ""
            self.name, self.document_start_s = shown_name(document.get("name", "")), min(self.document_start_s, time_s)
            self.rehearsal = bool(document["rehearsal"]) if "rehearsal" in document else None
            # What is rehearsed without a simulated cell is a recorded scan.
            self.recorded = bool(self.rehearsal) and "rehearsal" not in document.get("experiment", {"rehearsal": {}})
        elif document.get("kind") == "tomogram":
            self._tomograms[uid] = TomogramView(
                name=shown_name(document["tomogram"]),
                attempt=_index(document["attempt"]),
                start_s=time_s,
                stop_s=None,
                exit_status="",
                reason="",
                num_projections=int(document.get("num_projections", 0)),
                num_acquired=0,
                frames=asked_frames(document),
            )

    def _descriptor(self, document: Document) -> None:
        self._run_of[str(document["uid"])] = str(document["run_start"])

    def _event(self, document: Document) -> None:
        data, run_uid = document["data"], self._run_of.get(str(document.get("descriptor")), "")
        tomogram = self._tomograms.get(run_uid)
        if tomogram is not None and (frames := counted_frames(data)):
            self._tomograms[run_uid] = replace(tomogram, frames=frames)
        for key in data:
            if key.startswith("ring_current"):
                time_s = float(document["timestamps"][key])
                self.ring_current = RingCurrent(_number(data[key]), time_s, tomogram.name if tomogram else "")

    def _stop(self, document: Document) -> None:
        uid, status = str(document["run_start"]), shown_name(document.get("exit_status", "ended"))
        if uid in self._tomograms:
            self._tomograms[uid] = replace(
                self._tomograms[uid],
                stop_s=float(document["time"]),
                exit_status=status,
                reason=shown_text(document.get("reason", "")),
            )
        elif uid == self._outer_uid:
            self.ended = status

    def _measurement(self, document: Document) -> None:
        data = document["data"]
        if "value" not in data:
            return  # another stream of the same run
        self._measurements[str(document["uid"])] = MeasurementView(
            shown_name(data["tomogram"]),
            shown_name(data["name"]),
            _number(data["value"]),
            shown_name(data["unit"]),
            _number(data.get("uncertainty")),
            tuple(shown_name(flag) for flag in data.get("flags") or ()),
        )
        if data.get("replaces"):
            self._replaced.add(str(data["replaces"]))


def _index(value: Any) -> int:
    """Return the number of an attempt; files are named after it."""
    index = int(value)
    if not 0 <= index <= LARGEST_ATTEMPT:
        raise ValueError(f"{value} is no attempt")
    return index


def _number(value: Any) -> float:
    return nan if value is None else float(value)
