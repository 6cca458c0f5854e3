"""Follows the documents of an experiment and keeps, for every tomogram, what they have said about it so far."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from operando.model.frames import FrameKind
from operando.model.json_lines import JsonLinesReader
from operando.model.run_directory import RunDirectory
from operando.model.schedule import step_name
from operando.model.texts import NAME

Document = dict[str, Any]


@dataclass
class TomogramRun:
    """One attempt at a tomogram, as its documents tell it; it grows until ``ended``."""

    start: Document
    stop: Document | None = None
    orphaned: bool = False
    cell_readings: list[Document] = field(default_factory=list)
    outcome: Document | None = None
    num_declared: dict[FrameKind, int] = field(default_factory=dict)
    resource_paths: dict[FrameKind, Path] = field(default_factory=dict)

    @property
    def uid(self) -> str:
        """Uid of the run's start document."""
        return str(self.start["uid"])

    @property
    def name(self) -> str:
        """Name of the tomogram in the schedule."""
        return str(self.start.get("tomogram", self.start.get("scan_id", "tomogram")))

    @property
    def attempt(self) -> int:
        """Number of the attempt, the number in its files' names."""
        return int(self.start.get("attempt") or self.start.get("scan_id") or 1)

    @property
    def ended(self) -> bool:
        """Whether no more frames will come: its stop document is there, or those who could write it are gone."""
        return self.stop is not None or self.orphaned

    def said(self, key: str) -> Any:
        """Return what the start document says; None if it says nothing, or only fills its form."""
        return None if key in self.start.get("placeholders", ()) else self.start.get(key)

    def frames_file(self, kind: FrameKind, directory: RunDirectory) -> Path:
        """Return the file of one kind of frames: the run directory's own, else where its documents say it lies."""
        own = directory.frames_file(self.attempt, kind)
        return own if own.exists() else self.resource_paths.get(kind, own)


@dataclass(frozen=True)
class EndedStep:
    """A step of the schedule that was gone through to its end; times are those of the run's clock.

    ``name`` is that of the file, from the second cycle on with its number, as the names of tomograms are.
    """

    outer_run: str
    name: str
    kind: str
    begin_s: float
    end_s: float


class TomogramRuns:
    """Sorts documents into tomograms; never raises on a document it cannot use, but counts it."""

    def __init__(self, *, every_run: bool = False) -> None:
        self._every_run = every_run
        self._tomograms: dict[str, TomogramRun] = {}
        self._streams: dict[str, tuple[TomogramRun, str]] = {}
        self._resources: dict[str, tuple[str, Path]] = {}  # by their uids: of which run, and where
        self._step_streams: dict[str, str] = {}
        self.steps: list[EndedStep] = []
        self._outer_runs: set[str] = set()
        self._open_outer_runs: set[str] = set()
        self._num_outer_runs = 0
        self.num_damaged = 0

    @property
    def tomograms(self) -> list[TomogramRun]:
        """All tomograms in the order in which they began, without those forgotten."""
        return list(self._tomograms.values())

    @property
    def experiment_ended(self) -> bool:
        """Whether an experiment run was seen and the last one has its stop document."""
        return self._num_outer_runs > 0 and not self._open_outer_runs

    def add(self, name: str, document: Document) -> None:
        """Take one document in."""
        try:
            handler = getattr(self, f"_{name}", None)
            if handler is not None:
                handler(document)
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError, IndexError):
            self.num_damaged += 1

    def forget(self, tomogram: TomogramRun) -> None:
        """Forget a tomogram with all that was said about it; what is still said about it is left out."""
        self._tomograms.pop(tomogram.uid, None)
        self._streams = {uid: stream for uid, stream in self._streams.items() if stream[0] is not tomogram}
        self._resources = {uid: found for uid, found in self._resources.items() if found[0] != tomogram.uid}

    def _start(self, document: Document) -> None:
        kind = document.get("kind")
        if kind == "experiment":
            # Whoever begins a new outer run has found the old one dead: what it left open gets no more frames.
            self._orphan_all()
            self._open_outer_runs = {document["uid"]}
            self._outer_runs.add(document["uid"])
            self._num_outer_runs += 1
        elif kind == "tomogram" or (self._every_run and kind is None):
            tomogram = TomogramRun(document)
            if not re.fullmatch(NAME, tomogram.name) or tomogram.attempt < 1:
                raise ValueError(f"{tomogram.name!r}, attempt {tomogram.attempt}, cannot become the name of a file.")
            self._tomograms[document["uid"]] = tomogram

    def _descriptor(self, document: Document) -> None:
        tomogram = self._tomograms.get(document["run_start"])
        if tomogram is not None:
            self._streams[document["uid"]] = tomogram, document["name"]
        elif document["run_start"] in self._outer_runs and document["name"] == "steps":
            self._step_streams[document["uid"]] = document["run_start"]

    def _event(self, document: Document) -> None:
        tomogram, stream = self._streams.get(document["descriptor"], (None, ""))
        if tomogram is None:
            if (outer_run := self._step_streams.get(document["descriptor"])) is not None:
                self.steps.append(_ended_step(outer_run, document["data"]))
            return
        if stream == "cell":
            tomogram.cell_readings.append(document)
        elif stream == "outcome":
            tomogram.outcome = document["data"]

    def _event_page(self, document: Document) -> None:
        for index, time_s in enumerate(document["time"]):
            data = {key: values[index] for key, values in document["data"].items()}
            self._event({"descriptor": document["descriptor"], "time": time_s, "data": data})

    def _stream_resource(self, document: Document) -> None:
        self._resources[document["uid"]] = str(document.get("run_start", "")), _path_of(document["uri"])

    def _stream_datum(self, document: Document) -> None:
        tomogram, stream = self._streams.get(document["descriptor"], (None, ""))
        if tomogram is None or stream not in set(FrameKind):
            return
        kind = FrameKind(stream)
        stop = int(document["indices"]["stop"])
        tomogram.num_declared[kind] = max(stop, tomogram.num_declared.get(kind, 0))
        if (found := self._resources.get(document["stream_resource"])) is not None:
            _, tomogram.resource_paths[kind] = found

    def _stop(self, document: Document) -> None:
        uid = document["run_start"]
        if uid in self._tomograms:
            self._tomograms[uid].stop = document
        elif uid in self._open_outer_runs:
            self._orphan_all()
            self._open_outer_runs.discard(uid)

    def _orphan_all(self) -> None:
        for tomogram in self._tomograms.values():
            tomogram.orphaned = tomogram.orphaned or tomogram.stop is None


class RunFollower:
    """Follows ``documents.jsonl`` of a run directory from its beginning; live only means that it grows."""

    def __init__(self, path: Path) -> None:
        self._reader = JsonLinesReader(path)
        self.runs = TomogramRuns()

    def poll(self) -> int:
        """Take in every whole line added since the last call; return how many documents there were."""
        num = 0
        for name, document in self._documents():
            self.runs.add(name, document)
            num += 1
        return num

    @property
    def num_damaged(self) -> int:
        """Lines and documents that could not be read and were left out."""
        return self._reader.num_damaged + self.runs.num_damaged

    def _documents(self) -> Iterator[tuple[str, Document]]:
        for value in self._reader.new_values():
            if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict):
                yield value[0], value[1]
            else:
                self.runs.num_damaged += 1


def _ended_step(outer_run: str, data: Document) -> EndedStep:
    name, cycle = str(data["step"]), int(data["cycle"])
    if not re.fullmatch(NAME, name):
        raise ValueError(f"{name!r} is no name of a step.")
    begin_s, end_s = float(data["begin_s"]), float(data["end_s"])
    return EndedStep(outer_run, step_name(name, cycle), str(data["step_kind"]), begin_s, end_s)


def _path_of(uri: str) -> Path:
    return Path(unquote(urlparse(uri).path))
