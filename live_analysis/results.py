"""What live analysis measured, as bluesky documents in ``results.jsonl``, and how to read it back."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from event_model import compose_run

from operando.model.clock import Clock
from operando.model.document_lines import read_documents
from operando.model.json_lines import JsonLinesWriter
from operando.model.measurement import Measurement

_KEYS: dict[str, dict[str, Any]] = {
    "tomogram": {"dtype": "string", "shape": []},
    "name": {"dtype": "string", "shape": []},
    "value": {"dtype": "number", "shape": []},
    "unit": {"dtype": "string", "shape": []},
    "uncertainty": {"dtype": "number", "shape": []},
    "run_uid": {"dtype": "string", "shape": []},
    "time": {"dtype": "number", "shape": [], "units": "s"},
    "num_frames": {"dtype": "integer", "shape": []},
    "flags": {"dtype": "array", "shape": [None]},
    "replaces": {"dtype": "string", "shape": []},
    "details": {"dtype": "string", "shape": []},  # a table; event-model has no word for one
}
_FAILURE_KEYS: dict[str, dict[str, Any]] = {
    "tomogram": {"dtype": "string", "shape": []},
    "attempt": {"dtype": "integer", "shape": []},
    "reason": {"dtype": "string", "shape": []},
}


@dataclass(frozen=True)
class TomogramResults:
    """Everything measured in one attempt at a tomogram; ``failure`` is the sentence that says what could not be.

    ``quick`` results come before the tomogram has been measured, which replaces them.
    """

    tomogram: str
    attempt: int
    raw_run: str
    measurements: tuple[Measurement, ...]
    failure: str = ""
    cost_s: dict[str, float] = field(default_factory=dict)
    raw_run_ended: bool = True
    quick: bool = False


class ResultsWriter:
    """Appends one analysis run per tomogram; its documents become durable together."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._lines = JsonLinesWriter(path)
        self._clock = clock

    def write(self, results: TomogramResults) -> dict[str, str]:
        """Append the documents of one tomogram; return the uid of each measurement's event when the disk has them."""
        run = compose_run(
            time=self._clock.now(),
            metadata={
                "kind": "analysis",
                "raw_run": results.raw_run,
                "tomogram": results.tomogram,
                "attempt": results.attempt,
                "raw_run_ended": results.raw_run_ended,
                "quick": results.quick,
            },
        )
        self._put("start", run.start_doc)
        uids: list[str] = []
        if results.measurements:
            uids = self._stream(run, "measurements", _KEYS, (entry.as_document() for entry in results.measurements))
        if results.failure:
            failure = {"tomogram": results.tomogram, "attempt": results.attempt, "reason": results.failure}
            self._stream(run, "analysis_failed", _FAILURE_KEYS, [failure])
        stop = run.compose_stop(
            time=self._clock.now(), exit_status="fail" if results.failure else "success", reason=results.failure
        )
        self._put("stop", {**stop, "cost_s": results.cost_s})
        self._lines.flush()
        return {entry.name: uid for entry, uid in zip(results.measurements, uids, strict=True)}

    def close(self) -> None:
        """Flush and close."""
        self._lines.close()

    def _stream(self, run: Any, name: str, keys: dict[str, Any], rows: Iterable[dict[str, Any]]) -> list[str]:
        described = {key: {"source": "live_analysis", **form} for key, form in keys.items()}
        descriptor = run.compose_descriptor(
            name=name, data_keys=described, time=self._clock.now(), configuration=None, hints=None, object_keys=None
        )
        self._put("descriptor", descriptor.descriptor_doc)
        uids = []
        for row in rows:
            now_s = self._clock.now()
            event = descriptor.compose_event(data=row, timestamps=dict.fromkeys(row, now_s), time=now_s, validate=False)
            self._put("event", event)
            uids.append(str(event["uid"]))
        return uids

    def _put(self, name: str, document: Any) -> None:
        self._lines.append([name, document], durable=False)


@dataclass(frozen=True)
class AnalysisRun:
    """One analysis run as it stands in the file; ``events`` maps an event's uid to its measurement.

    ``raw_run_ended`` is False where the tomogram was measured before its run was closed, ``quick`` True where it was
    to be measured once more.
    """

    uid: str
    raw_run: str
    tomogram: str
    attempt: int
    raw_run_ended: bool
    quick: bool
    events: dict[str, Measurement]
    failures: tuple[str, ...]

    @property
    def results(self) -> TomogramResults:
        """The same without the documents' uids."""
        measurements = tuple(self.events.values())
        failure = " ".join(self.failures)
        return TomogramResults(
            self.tomogram,
            self.attempt,
            self.raw_run,
            measurements,
            failure,
            raw_run_ended=self.raw_run_ended,
            quick=self.quick,
        )

    @property
    def is_final(self) -> bool:
        """Whether nothing more is to be measured in this run."""
        return self.raw_run_ended and not self.quick


def read_analysis_runs(path: Path) -> list[AnalysisRun]:
    """Return every analysis run that has its stop document; one cut off by a killed process counts as never begun."""
    found = _AnalysisRuns()
    for name, document in read_documents(path):
        # A damaged file: what cannot be used is left out.
        with contextlib.suppress(AttributeError, KeyError, OverflowError, TypeError, ValueError):
            found.add(name, document)
    return found.ended


class _AnalysisRuns:
    def __init__(self) -> None:
        self._starts: dict[str, dict[str, Any]] = {}
        self._streams: dict[str, tuple[str, str]] = {}
        self._events: dict[str, dict[str, Measurement]] = {}
        self._failures: dict[str, list[str]] = {}
        self.ended: list[AnalysisRun] = []

    def add(self, name: str, document: dict[str, Any]) -> None:
        if name == "start" and document.get("kind") == "analysis":
            self._starts[document["uid"]] = document
        elif name == "descriptor" and document["run_start"] in self._starts:
            self._streams[document["uid"]] = document["run_start"], document["name"]
        elif name == "event" and document["descriptor"] in self._streams:
            uid, stream = self._streams[document["descriptor"]]
            if stream == "measurements":
                self._events.setdefault(uid, {})[str(document["uid"])] = _measurement(document["data"])
            else:
                self._failures.setdefault(uid, []).append(str(document["data"]["reason"]))
        elif name == "stop" and document["run_start"] in self._starts:
            self._end(document["run_start"])

    def _end(self, uid: str) -> None:
        start = self._starts[uid]
        self.ended.append(
            AnalysisRun(
                uid,
                str(start["raw_run"]),
                str(start["tomogram"]),
                int(start["attempt"]),
                bool(start.get("raw_run_ended", True)),
                bool(start.get("quick", False)),
                self._events.get(uid, {}),
                tuple(self._failures.get(uid, ())),
            )
        )


def read_measurements(path: Path, *, with_replaced: bool = False) -> list[Measurement]:
    """Return the measurements of a results file in order; those that no longer hold only when asked.

    A measurement holds until a later one replaces it, or the tomogram was measured again without coming to it.
    """
    runs = read_analysis_runs(path)
    whole = {(run.raw_run, run.tomogram): index for index, run in enumerate(runs) if run.is_final and not run.failures}
    found = {
        uid: entry
        for index, run in enumerate(runs)
        if with_replaced or index >= whole.get((run.raw_run, run.tomogram), 0)
        for uid, entry in run.events.items()
    }
    replaced = {entry.replaces for entry in found.values()}
    return [entry for uid, entry in found.items() if with_replaced or uid not in replaced]


def _measurement(data: dict[str, Any]) -> Measurement:
    """Return what a document says.

    Raises
    ------
    KeyError, TypeError, ValueError, OverflowError
        If it does not say it.
    """
    replaces = data["replaces"]
    return Measurement(
        tomogram=str(data["tomogram"]),
        name=str(data["name"]),
        value=float(data["value"]),
        unit=str(data["unit"]),
        uncertainty=float(data["uncertainty"]),
        run_uid=str(data["run_uid"]),
        time=float(data["time"]),
        num_frames=int(data["num_frames"]),
        flags=tuple(str(flag) for flag in data["flags"]),
        replaces=None if replaces is None else str(replaces),
        details=dict(data["details"]),
    )
