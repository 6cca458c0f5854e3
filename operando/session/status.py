"""What runs there are, what of them lives, and what a resume would do; looks only and changes nothing."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from operando.model.cell_log import CellLogReader
from operando.model.document_lines import read_documents
from operando.model.edited_schedule import present_experiment
from operando.model.process_files import ProcessRecord, read_pid_files
from operando.model.run_directory import RunDirectory
from operando.session.asked import read_asked
from operando.session.begun_steps import steps_left
from operando.session.errors import RequestError
from operando.session.layout import RunDirectoryError
from operando.session.resume import is_left_open, lacks
from operando.session.runs_so_far import RunSoFar, runs_so_far
from operando.session.salvage import damaged_files

SERVANTS = ("simulator", "guard", "analysis")


def print_status(parent: Path, console: Console) -> None:
    """Print the runs under a folder, or one run, with the processes that live and how the run ended.

    Of one run also what a resume would do, in a sentence for each thing.
    """
    if (parent / "experiment.toml").is_file():
        run = RunDirectory(parent.resolve())
        console.print(_table([run]))
        for sentence in what_resume_would_do(run):
            console.print(sentence, markup=False, highlight=False)
        return
    if not parent.is_dir():
        raise RunDirectoryError(f"{parent}: there is no such folder. Give a folder of runs, or one run.")
    runs = [RunDirectory(path.resolve()) for path in sorted(parent.iterdir()) if (path / "experiment.toml").is_file()]
    if runs:
        console.print(_table(runs))
    else:
        console.print(f"{parent}: holds no run.")


def what_resume_would_do(run: RunDirectory) -> list[str]:
    """Return a sentence for each thing that ``operando resume`` would find and do."""
    records = {record.role: record for record in read_pid_files(run.processes)}
    if _lives(records, "acquisition"):
        return ["The run goes on; there is nothing to resume."]
    try:
        asked, left = read_asked(run), steps_left(run, present_experiment(run))
    except RequestError as error:
        return [str(error)]
    if not left and not is_left_open(run, rehearsal=asked.rehearsal):
        lacking = ", ".join(lacks(run))
        would = f"operando resume would make what it lacks: {lacking}." if lacking else "there is nothing to resume."
        return [f"Every step of the schedule is over; {would}"]
    return [
        *_unfinished(run, runs_so_far(read_documents(run.documents))),
        *_processes(records, rehearsal=asked.rehearsal),
        *_cell(run),
        f"operando resume would go on with {_what_is_left(left)}.",
    ]


def _what_is_left(left: list[str]) -> str:
    if not left:
        return "the end of the run: every step of its schedule is over"
    return f"step {left[0]}, the last one" if len(left) == 1 else f"step {left[0]}; {len(left)} steps are left"


def _unfinished(run: RunDirectory, runs: dict[str, RunSoFar]) -> Iterator[str]:
    for each in runs.values():
        if each.stop is None and each.is_tomogram:
            attempt, name = each.start.get("attempt"), each.start.get("tomogram")
            yield f"Attempt {attempt} at {name} was cut off: it would be closed as partial, with what is in its files."
        elif each.stop is None:
            yield "The experiment's run is open: it would be closed as failed, and another one would continue it."
    for path in damaged_files(run):
        yield f"{path.name} was not closed by its writer: it would be made whole when the writer is at rest."


def _processes(records: dict[str, ProcessRecord], *, rehearsal: bool) -> Iterator[str]:
    needed = SERVANTS if rehearsal else SERVANTS[1:]
    # Clients of a simulated beamline that died cannot use the next one.
    usable = {"simulator", "guard"} if _lives(records, "simulator") or not rehearsal else set()
    for role in needed:
        if role in usable and _lives(records, role):
            yield f"The {role}, process {records[role].pid}, lives and would be used."
        elif _lives(records, role):
            yield f"The {role}, process {records[role].pid}, lives and would be ended and started again."
        else:
            yield f"The {role} is dead and would be started."


def _lives(records: dict[str, ProcessRecord], role: str) -> bool:
    return role in records and records[role].alive


def _cell(run: RunDirectory) -> Iterator[str]:
    """Say where the guard's log left the cell."""
    with contextlib.suppress(sqlite3.Error, OSError), contextlib.closing(CellLogReader(run.cell_log)) as log:
        sample = log.last("potentiostat")
        if sample is not None and sample["voltage_v"] is not None:
            current_ua = (sample["current_a"] or 0.0) * 1e6
            yield f"The cell was at {sample['voltage_v']:.4f} V and {current_ua:.4g} uA at the guard's last sample."
        if trip := log.latched_trip():
            yield f"The guard tripped: {trip} Whoever resumes is asked to clear it: operando ask RUN clear-trip REASON."


def _table(runs: list[RunDirectory]) -> Table:
    table = Table("run", "tomograms", "state", "living processes")
    for run in runs:
        num_tomograms, state = _how_it_stands(run)
        records = read_pid_files(run.processes)
        living = [_named(record) for record in records if record.alive]
        acquisition = next((record for record in records if record.role == "acquisition"), None)
        if state == "not ended" and acquisition is None and not run.documents.exists():
            state = "ended before it began"  # only a process that ends in order takes its pid file away
        elif state == "not ended" and (acquisition is None or not acquisition.alive):
            state = "acquisition died" if living else "died"
        table.add_row(run.path.name, str(num_tomograms), state, ", ".join(living) or "none")
    return table


def _named(record: ProcessRecord) -> str:
    """Return role and pid; a process that stands still lives, and does nothing."""
    return f"{record.role} ({record.pid}{', stands still: kill -CONT lets it go on' if record.stopped else ''})"


def _how_it_stands(run: RunDirectory) -> tuple[int, str]:
    num_tomograms, outer, state = 0, None, "not ended"
    for name, document in read_documents(run.documents):
        if name == "start" and document.get("kind") == "experiment":
            outer, state = document["uid"], "not ended"
        elif name == "start" and document.get("kind") == "tomogram":
            num_tomograms += 1
        elif name == "stop" and document.get("run_start") == outer:
            state = document["exit_status"] + (f": {document['reason']}" if document.get("reason") else "")
    return num_tomograms, state
