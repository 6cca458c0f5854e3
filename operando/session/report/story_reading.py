"""Reads the journals of a run, also damaged ones: what cannot be read is counted and left out."""

import math
from typing import Any

from live_analysis.run_follower import TomogramRun, TomogramRuns
from operando.model.json_lines import JsonLinesReader
from operando.model.measurement import Measurement
from operando.model.run_directory import RunDirectory
from operando.session.report.run_story import Document, RunStory, StepStory, TomogramStory, is_number


def read_story(run: RunDirectory) -> RunStory:
    """Read everything that a run's journals tell; what cannot be read is counted and left out."""
    story = RunStory()
    schedule = _lines(run, "schedule.jsonl", story)
    documents = _lines(run, "documents.jsonl", story)
    _take_documents(story, documents, [line for line in schedule if isinstance(line, dict)])
    _take_results(story, _lines(run, "results.jsonl", story))
    return story


def _lines(run: RunDirectory, name: str, story: RunStory) -> list[Any]:
    reader = JsonLinesReader(run.path / name)
    try:
        lines = list(reader.new_values())
    except OSError:
        lines, reader.num_damaged = [], 1
    if reader.num_damaged:
        story.num_damaged[name] = reader.num_damaged
    return lines


def _pairs(lines: list[Any]) -> list[tuple[str, Document]]:
    return [
        (line[0], line[1]) for line in lines if isinstance(line, list) and len(line) == 2 and isinstance(line[1], dict)
    ]


def _take_documents(story: RunStory, lines: list[Any], schedule: list[Document]) -> None:
    runs, outer_streams, steps = TomogramRuns(), dict[str, str](), list[Document]()
    for name, document in _pairs(lines):
        runs.add(name, document)
        if name == "start" and document.get("kind") == "experiment":
            story.outer_starts.append(document)
            story.outer_stop = None
        elif name == "stop" and story.outer_starts and document.get("run_start") == story.outer_starts[-1].get("uid"):
            story.outer_stop = document
        elif name == "descriptor" and any(
            start.get("uid") == document.get("run_start") for start in story.outer_starts
        ):
            outer_streams[str(document.get("uid"))] = str(document.get("name"))
        elif name == "event" and isinstance(document.get("data"), dict):
            stream = outer_streams.get(str(document.get("descriptor")))
            if stream == "missed":
                story.missed.append(document["data"])
            elif stream == "steps":
                steps.append(document["data"])
    if runs.num_damaged:
        story.num_damaged["documents.jsonl"] = story.num_damaged.get("documents.jsonl", 0) + runs.num_damaged
    story.requests = [line for line in schedule if line.get("event") in ("request", "request_done")]
    story.tomograms = [_tomogram(run, schedule) for run in runs.tomograms]
    story.steps = _steps(schedule, steps)


def _tomogram(run: TomogramRun, schedule: list[Document]) -> TomogramStory:
    """Take times from the schedule: documents are stamped with the host's clock, also in a rehearsal."""
    lines = [line for line in schedule if line.get("entry") == "tomogram" and line.get("attempt") == run.attempt]
    begun = [line["time"] for line in lines if line.get("event") == "intent" and is_number(line.get("time"))]
    ended = [line for line in lines if line.get("event") == "outcome"]
    facts = run.outcome or {}
    stop = run.stop or {}
    outcome = facts.get("outcome") or (ended[-1].get("outcome") if ended else None)
    if outcome is None:
        outcome = stop.get("exit_status") or ("left open" if run.orphaned else "being taken")
    own_begin_s = run.start.get("time")
    begin_s = float(begun[-1]) if begun else float(own_begin_s) if is_number(own_begin_s) else math.nan
    end_s = ended[-1].get("time") if ended else stop.get("time") if not begun else None
    reason = facts.get("reason") or stop.get("reason") or (ended[-1].get("reason") if ended else "") or ""
    return TomogramStory(
        run.name,
        run.attempt,
        run.start,
        facts,
        begin_s,
        float(end_s) if is_number(end_s) else None,
        str(outcome),
        str(reason),
        run.uid,
    )


def _steps(schedule: list[Document], ended: list[Document]) -> list[StepStory]:
    """Return one entry for each step that began; a step that was begun again by a later run appears once."""
    facts = {(str(data.get("step")), data.get("cycle")): data for data in ended}
    found: dict[str, StepStory] = {}
    for line in schedule:
        if line.get("entry") != "step" or not is_number(line.get("time")):
            continue
        key, time_s = str(line.get("name")), float(line["time"])
        step, _, number = key.partition("/")
        cycle = int(number) if number.isdecimal() else 1
        data = facts.get((step, cycle), {})
        name = step if cycle == 1 else f"{step}_cycle{cycle}"
        kind = str(data.get("step_kind", ""))
        if line.get("event") == "intent":
            begin_s = found[key].begin_s if key in found else time_s
            found[key] = StepStory(name, kind, begin_s, None, "not ended", "")
        elif line.get("event") == "outcome" and key in found:
            voltage_v = data.get("voltage_v")
            found[key] = StepStory(
                name,
                kind,
                found[key].begin_s,
                time_s,
                str(line.get("outcome", "")),
                str(line.get("reason") or ""),
                float(voltage_v) if is_number(voltage_v) else None,
            )
    return list(found.values())


def _take_results(story: RunStory, lines: list[Any]) -> None:
    unknown = _Analysis({})  # whose numbers stand in a file that lost the lines before them
    unknown.ended = True
    runs, streams = {"": unknown}, dict[str, _Analysis]()
    for name, document in _pairs(lines):
        if name == "start":
            runs[str(document.get("uid"))] = _Analysis(document)
        elif name == "descriptor" and str(document.get("run_start")) in runs:
            streams[str(document.get("uid"))] = runs[str(document.get("run_start"))]
        elif name == "event" and isinstance(document.get("data"), dict):
            try:
                streams.get(str(document.get("descriptor")), unknown).take(str(document["uid"]), document["data"])
            except (KeyError, TypeError, ValueError):
                story.num_damaged["results.jsonl"] = story.num_damaged.get("results.jsonl", 0) + 1
        elif name == "stop" and str(document.get("run_start")) in runs:
            runs[str(document.get("run_start"))].ended = True
    ended = [run for run in runs.values() if run.ended]  # what a killed process began counts as never begun
    whole = {run.of: index for index, run in enumerate(ended) if run.is_whole}
    hold = [run for index, run in enumerate(ended) if index >= whole.get(run.of, 0)]
    story.analysis_failures = [failure for run in hold for failure in run.failures]
    found = {uid: measurement for run in hold for uid, measurement in run.measurements.items()}
    replaced = {measurement.replaces for measurement in found.values()}
    story.measurements = [measurement for uid, measurement in found.items() if uid not in replaced]


class _Analysis:
    """One run of the analysis: what it measured, and whether it came to its end."""

    def __init__(self, start: Document) -> None:
        self._start = start
        self.of = str(start.get("raw_run")), str(start.get("tomogram"))
        self.measurements: dict[str, Measurement] = {}
        self.failures: list[tuple[str, str]] = []
        self.ended = False

    @property
    def is_whole(self) -> bool:
        """Whether what an earlier run told and this one does not is no longer true."""
        final = self._start.get("raw_run_ended", True) and not self._start.get("quick", False)
        return bool(final) and not self.failures

    def take(self, uid: str, data: Document) -> None:
        """Take one event in."""
        if "value" in data:
            self.measurements[uid] = _measurement(data)
        elif "reason" in data:
            self.failures.append((str(data.get("tomogram", "")), str(data["reason"])))


def _measurement(data: Document) -> Measurement:
    details = data.get("details")
    return Measurement(
        tomogram=str(data["tomogram"]),
        name=str(data["name"]),
        value=_float(data["value"]),
        unit=str(data["unit"]),
        uncertainty=_float(data.get("uncertainty")),
        run_uid=str(data.get("run_uid", "")),
        time=_float(data.get("time")),
        num_frames=int(data.get("num_frames") or 0),
        flags=tuple(str(flag) for flag in data.get("flags") or ()),
        replaces=data.get("replaces"),
        details=details if isinstance(details, dict) else {},
    )


def _float(value: Any) -> float:
    return math.nan if value is None else float(value)
