"""What must hold whatever went wrong: read from the run directory and the truth of the simulation, from outside."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from live_analysis.results import read_analysis_runs
from operando.model.cell_log import TABLES
from operando.model.experiment import Experiment
from operando.model.experiment_file import load_experiment
from operando.model.frames import ANGLES, FRAME_IDS, IMAGES, FrameKind
from operando.model.json_lines import read_json_lines
from operando.model.outcome import EXIT_STATUS, Outcome
from operando.model.run_directory import RunDirectory
from operando.session.cell_left import NOT_SAFE
from operando.session.errors import EXIT_COMPLETE

VOLTAGE_MARGIN_V = 0.02  # what a limit may be passed by before the next sample shows it
NAME_MARGIN_V = 0.01  # between a set voltage and the true one of a tomogram that is named after it
_FOR_US = re.compile(r"Traceback|Status\(|object at 0x|Cannot '")  # mistakes of the program, told as they are
FULL_DISK = "No space left"
TOLD = {"partial", "beam_unsteady"}  # flags of measurements from frames with little beam
DARK = 0.5  # of the median of a series: a frame below had no beam for half its exposure


@dataclass
class Attempt:
    """One attempt at a tomogram, as the documents tell it."""

    start: dict[str, Any]
    stop: dict[str, Any] | None = None
    outcome: dict[str, Any] | None = None
    declared: dict[str, int] = field(default_factory=dict)  # by stream

    @property
    def complete(self) -> bool:
        """Whether it is called a success."""
        return self.stop is not None and self.stop["exit_status"] == "success"


class Evidence:
    """Everything that a run left."""

    def __init__(self, directory: Path, exit_code: int | None, output: str) -> None:
        self.run = RunDirectory(directory)
        self.exit_code = exit_code
        self.output = output
        self.documents = [(name, document) for name, document in read_json_lines(self.run.documents)]
        self.schedule: list[dict[str, Any]] = read_json_lines(self.run.schedule)
        self.truth: list[dict[str, Any]] = read_json_lines(self.run.truth)
        self.experiment: Experiment = load_experiment_of(self.run)

    @property
    def tells_of_an_unsafe_cell(self) -> bool:
        """Whether whoever was there in the end was told that the circuit may be closed, by a sentence and exit code."""
        return self.exit_code not in (EXIT_COMPLETE, None) and NOT_SAFE in " ".join(self.output.split())

    @property
    def attempts(self) -> dict[int, Attempt]:
        """All attempts by number."""
        found: dict[str, Attempt] = {}
        streams: dict[str, tuple[str, str]] = {}
        for name, document in self.documents:
            if name == "start" and document["kind"] == "tomogram":
                found[document["uid"]] = Attempt(document)
            elif name == "descriptor":
                streams[document["uid"]] = document["run_start"], document["name"]
            elif name in ("event", "stream_datum") and streams[document["descriptor"]][0] in found:
                attempt = found[streams[document["descriptor"]][0]]
                stream = streams[document["descriptor"]][1]
                if stream == "outcome":
                    attempt.outcome = document["data"]
                elif name == "stream_datum":
                    attempt.declared[stream] = max(attempt.declared.get(stream, 0), document["indices"]["stop"])
            elif name == "stop" and document["run_start"] in found:
                found[document["run_start"]].stop = document
        return {attempt.start["attempt"]: attempt for attempt in found.values()}


def load_experiment_of(run: RunDirectory) -> Experiment:
    """Return the experiment of a run."""
    return load_experiment(run.experiment)


def broken_invariants(evidence: Evidence) -> list[str]:
    """Return one sentence for everything that does not hold."""
    return [
        *_told_truthfully(evidence),
        *_frames_are_whole(evidence),
        *_names_are_right(evidence),
        *_what_is_complete_is_measured(evidence),
        *_nothing_acknowledged_is_lost(evidence),
        *_cell_stayed_safe(evidence),
    ]


def _told_truthfully(evidence: Evidence) -> Iterator[str]:
    reasons = [str(document.get("reason", "")) for name, document in evidence.documents if name == "stop"]
    yield from (
        f"people are told {found[0]!r}" for text in (evidence.output, *reasons) if (found := _FOR_US.search(text))
    )
    starts = [document["uid"] for name, document in evidence.documents if name == "start"]
    stops = [document["run_start"] for name, document in evidence.documents if name == "stop"]
    if sorted(starts) != sorted(stops):
        yield f"{len(starts)} runs were opened and {len(stops)} closed in documents.jsonl"
    for number, attempt in evidence.attempts.items():
        if attempt.stop is None:
            yield f"attempt {number} was not closed"
        elif attempt.outcome is None:
            if attempt.complete or FULL_DISK not in attempt.stop["reason"]:
                yield f"attempt {number} has no outcome"
        elif attempt.stop["exit_status"] != EXIT_STATUS[Outcome(attempt.outcome["outcome"])]:
            yield f"attempt {number} is {attempt.outcome['outcome']} but its stop says {attempt.stop['exit_status']}"
        elif not attempt.complete and not attempt.stop["reason"]:
            yield f"attempt {number} has no reason for its end"
    names = _wanted(evidence)
    complete = [attempt.start["tomogram"] for attempt in evidence.attempts.values() if attempt.complete]
    missing = [name for name in names if name not in complete]
    if evidence.exit_code == EXIT_COMPLETE and missing:
        yield f"exit code 0 without {', '.join(missing)}"
    told = {line["name"] for line in evidence.schedule if line.get("entry") == "tomogram"}
    told |= {str(document["data"]["tomogram"]) for document in _missed(evidence)}
    if untold := [name for name in missing if name not in told]:
        yield f"nothing is told of {', '.join(untold)}"
    yield from (f"{name} was completed twice" for name in names if complete.count(name) > 1)


def _wanted(evidence: Evidence) -> list[str]:
    return [tomogram.name for _, step in evidence.experiment.steps for tomogram in step.tomograms]


def _missed(evidence: Evidence) -> Iterator[dict[str, Any]]:
    streams = {document["uid"]: document["name"] for name, document in evidence.documents if name == "descriptor"}
    for name, document in evidence.documents:
        if name == "event" and streams[document["descriptor"]] == "missed":
            yield document


def _frames_are_whole(evidence: Evidence) -> Iterator[str]:
    for number, attempt in evidence.attempts.items():
        for kind in FrameKind:
            path = evidence.run.frames_file(number, kind)
            if not path.exists():
                if attempt.declared.get(kind):
                    yield f"{path.name} is gone, {attempt.declared[kind]} of its frames were declared"
                continue
            try:
                with h5py.File(path, swmr=True) as file:
                    ids, images, angles = file[FRAME_IDS][...], file[IMAGES][...], file[ANGLES][...]
            except (OSError, KeyError) as error:
                if attempt.declared.get(kind):  # otherwise the disk may have been full when it should have begun
                    yield f"{path.name}, of which {attempt.declared[kind]} frames were declared, is damaged: {error}"
                continue
            if attempt.declared.get(kind, 0) > images.shape[0]:
                yield f"{path.name} has {images.shape[0]} frames, {attempt.declared[kind]} were declared"
            if attempt.complete:
                expected = attempt.start[f"num_{_PLURAL[kind]}"]
                yield from (f"{path.name} of a complete tomogram {what}" for what in _faulty(ids, expected))
                if kind is FrameKind.PROJECTION:
                    flagged = number in _flagged(evidence)
                    found = _disordered(images, angles, flagged=flagged)
                    yield from (f"{path.name} of a complete tomogram {what}" for what in found)


_PLURAL: Mapping[FrameKind, str] = {
    FrameKind.DARK: "darks",
    FrameKind.FLAT: "flats",
    FrameKind.PROJECTION: "projections",
    FrameKind.FLAT_AFTER: "flats_after",
}


def _faulty(ids: Any, expected: int) -> Iterator[str]:
    if len(ids) != expected:
        yield f"has {len(ids)} frames instead of {expected}"
    elif (np.diff(np.sort(ids)) != 1).any():
        yield f"has frames {ids.tolist()}: some are missing or there twice"


def _disordered(images: Any, angles: Any, *, flagged: bool) -> Iterator[str]:
    means = images.mean(axis=(1, 2))
    if (dark := np.flatnonzero(means < DARK * np.median(means))).size and not flagged:
        yield f"has {dark.size} frames with little beam, and no measurement tells so"
    steps = np.diff(np.sort(angles))
    nominal = 180.0 / len(angles)
    if steps.size and (steps.max() > 2 * nominal or np.ptp(angles) < 180.0 - 3 * nominal):
        yield f"covers {np.ptp(angles):.1f} deg with gaps of {steps.max():.1f} deg (step {nominal:.1f} deg)"


def _flagged(evidence: Evidence) -> set[int]:
    """Return the attempts whose measurements tell that frames could not be used, or had a beam that came and went."""
    return {
        run.attempt
        for run in read_analysis_runs(evidence.run.results)
        if any(TOLD & set(measurement.flags) for measurement in run.events.values())
    }


def _names_are_right(evidence: Evidence) -> Iterator[str]:
    true_v = {line["attempt"]: line["voltage_v"] for line in evidence.truth if "attempt" in line}
    for number, attempt in evidence.attempts.items():
        asked_v = attempt.start["set_voltage_v"]
        if attempt.complete and asked_v is not None and abs(true_v[number] - asked_v) > NAME_MARGIN_V:
            yield f"{attempt.start['tomogram']} was taken at {true_v[number]:.3f} V"


def _what_is_complete_is_measured(evidence: Evidence) -> Iterator[str]:
    measured = {run.attempt: run.failures for run in read_analysis_runs(evidence.run.results) if not run.quick}
    for number, attempt in evidence.attempts.items():
        if attempt.complete and number not in measured:
            yield f"the complete attempt {number} was not measured"
        elif attempt.complete and measured[number]:
            yield f"the complete attempt {number} could not be measured: {' '.join(measured[number])}"


def _nothing_acknowledged_is_lost(evidence: Evidence) -> Iterator[str]:
    rows = _row_ids(evidence.run.cell_log)
    if rows is None:
        yield "cell.sqlite is damaged"
        return
    for table, ids in rows.items():
        if ids and ids != list(range(1, len(ids) + 1)):
            yield f"cell.sqlite lacks rows of {table}"
    for _, document in evidence.documents:
        for key, value in document.get("data", {}).items() if isinstance(document.get("data"), dict) else ():
            table = key.removeprefix("cell_").removesuffix("_row")
            if not key.endswith("_row") or table not in rows:
                continue
            last = int(max(value)) if isinstance(value, list) else int(value)
            if last > len(rows[table]):
                yield f"row {last} of {table} was acknowledged, cell.sqlite has {len(rows[table])}"


def _row_ids(path: Path) -> dict[str, list[int]] | None:
    if not path.exists():
        return {}
    log = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        if log.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            return None
        return {table: [row[0] for row in log.execute(f"SELECT id FROM {table} ORDER BY id")] for table in TABLES}
    except sqlite3.DatabaseError:
        return None
    finally:
        log.close()


def _cell_stayed_safe(evidence: Evidence) -> Iterator[str]:
    limits = evidence.experiment.limits
    commands = [line for line in evidence.truth if "current_a" in line]
    for line in commands:
        low_v, high_v = line["lowest_voltage_v"], line["highest_voltage_v"]
        if low_v < limits.min_voltage - VOLTAGE_MARGIN_V or high_v > limits.max_voltage + VOLTAGE_MARGIN_V:
            yield f"the cell was between {low_v:.3f} V and {high_v:.3f} V"
    if commands and commands[-1]["current_a"] != 0.0 and not evidence.tells_of_an_unsafe_cell:
        yield f"the cell was left with {1e6 * commands[-1]['current_a']:.1f} uA"
