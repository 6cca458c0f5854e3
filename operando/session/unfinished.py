"""Runs without an end: what an acquisition that died left open in its journals is closed as what it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from devices.camera import FrameCounts
from operando.model.clock import Clock, SystemClock
from operando.model.document_lines import read_documents
from operando.model.frames import FrameKind
from operando.model.outcome import EXIT_STATUS, Outcome
from operando.model.run_directory import RunDirectory
from operando.session.frames_in_file import frames_in_file
from operando.session.journal import DocumentJournal
from operando.session.runs_so_far import RunSoFar, runs_so_far
from plans.facts import Facts
from plans.frame_ledger import FrameLedger
from plans.schedule_journal import ScheduleJournal

REASON = "the acquisition died and left this run open; it was closed when the experiment was resumed"
FAILED = {"outcome": Outcome.FAILED.value, "reason": REASON}
NEVER_BEGAN = "the acquisition died before its run was opened"


@dataclass(frozen=True)
class Closed:
    """The last outer run, and for people a sentence for each run that was closed."""

    outer_run: str | None
    sentences: tuple[str, ...]


def close_unfinished(run: RunDirectory, schedule: ScheduleJournal, clock: Clock) -> Closed:
    """Close what was left open, the inner runs first; the schedule's journal is told how each tomogram ended.

    An attempt that was cut off is partial, with the frames that are in its files. One that had said how it ended, but
    not closed its run, ended like that.
    """
    runs = runs_so_far(read_documents(run.documents))
    open_runs = sorted((each for each in runs.values() if each.stop is None), key=lambda each: not each.is_tomogram)
    sentences = []
    if open_runs:
        journal = DocumentJournal(run.documents)
        for each in open_runs:
            sentences.append(_close(each, run, journal, clock))
        journal.close()
    ends = {each.start.get("attempt"): each for each in runs.values() if each.is_tomogram}
    for line in schedule.unfinished_tomograms():
        details = {key: line[key] for key in ("attempt", "step", "cycle") if key in line}
        end = ends.get(line.get("attempt"))
        said = None if end is None else end.outcome
        outcome = Outcome(said["outcome"]) if said is not None else Outcome.PARTIAL
        reason = NEVER_BEGAN if end is None else str((said or {}).get("reason", REASON))
        uid = {} if end is None else {"uid": end.uid}
        schedule.outcome("tomogram", str(line["name"]), outcome, reason=reason, **uid, **details)
    outer = [each.uid for each in runs.values() if each.start.get("kind") == "experiment"]
    return Closed(outer[-1] if outer else None, tuple(sentences))


def _close(each: RunSoFar, run: RunDirectory, journal: DocumentJournal, clock: Clock) -> str:
    if each.outcome is None:
        _tell_outcome(each, _cut_off(each, run) if each.is_tomogram else FAILED, journal, clock)
    told = each.outcome or FAILED
    outcome, reason = Outcome(told["outcome"]), str(told["reason"])
    stop = {
        "run_start": each.uid,
        "uid": str(uuid4()),
        "time": _host_time_s(),
        "exit_status": EXIT_STATUS[outcome],
        "reason": reason,
        "num_events": dict(each.num_events),
    }
    journal("stop", stop)
    each.stop = stop
    if not each.is_tomogram:
        return "closed: the experiment's run"
    written = ", ".join(f"{(each.outcome or {}).get(f'written_{kind}', 0)} {kind}" for kind in _kinds(each))
    return f"closed: attempt {each.start.get('attempt')} at {each.start.get('tomogram')}, {outcome}: {written}"


def _cut_off(each: RunSoFar, run: RunDirectory) -> dict[str, Any]:
    """Return the outcome that the plan would have told of a tomogram, with what is known of its frames."""
    ledger = FrameLedger({kind: int(each.start.get(_ASKED[kind], 0)) for kind in _kinds(each)})
    for kind in ledger.expected:
        found = frames_in_file(run.frames_file(int(each.start["attempt"]), kind))
        declared = each.num_events.get(kind.value, 0)
        ledger.enter(kind, FrameCounts(found.spanned, found.written, found.spanned - found.written, declared))
    reason = "; ".join([REASON, *ledger.differences])
    lists: dict[str, list[Any]] = {
        f"dead_time_{column}": [] for column in ("phases", "clock_s", "wall_s", "software_s")
    }
    return {"outcome": Outcome.PARTIAL.value, "reason": reason, **ledger.as_fields(), **lists}


def _tell_outcome(each: RunSoFar, fields: Mapping[str, Any], journal: DocumentJournal, clock: Clock) -> None:
    facts = Facts("outcome", fields, clock)
    descriptor = next((uid for uid, name in each.streams.items() if name == "outcome"), None)
    if descriptor is None:
        descriptor = str(uuid4())
        journal(
            "descriptor",
            {
                "uid": descriptor,
                "run_start": each.uid,
                "time": _host_time_s(),
                "name": "outcome",
                "data_keys": {
                    key: {**described, "object_name": "outcome"} for key, described in facts.describe().items()
                },
                "object_keys": {"outcome": list(fields)},
                "configuration": {"outcome": {"data": {}, "timestamps": {}, "data_keys": {}}},
                "hints": {},
            },
        )
        each.streams[descriptor] = "outcome"
    read = facts.read()
    journal(
        "event",
        {
            "uid": str(uuid4()),
            "descriptor": descriptor,
            "seq_num": 1,
            "time": _host_time_s(),
            "data": {key: reading["value"] for key, reading in read.items()},
            "timestamps": {key: reading["timestamp"] for key, reading in read.items()},
            "filled": {},
        },
    )
    each.num_events["outcome"] += 1
    each.outcome = fields


_ASKED = {
    FrameKind.DARK: "num_darks",
    FrameKind.FLAT: "num_flats",
    FrameKind.PROJECTION: "num_projections",
    FrameKind.FLAT_AFTER: "num_flats_after",
}


def _kinds(each: RunSoFar) -> list[FrameKind]:
    return [kind for kind, asked in _ASKED.items() if each.start.get(asked)]


def _host_time_s() -> float:
    return SystemClock().now()
