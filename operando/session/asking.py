"""A person's requests to a running experiment: appended to its schedule, answered by the acquisition."""

import getpass
import re
import uuid
from pathlib import Path

from rich.console import Console

from operando.model.clock import SystemClock
from operando.model.edited_schedule import present_experiment
from operando.model.experiment import Experiment
from operando.model.json_lines import JsonLinesWriter, read_json_lines
from operando.model.process_files import read_pid_files
from operando.model.run_directory import RunDirectory
from operando.model.schedule import could_name, step_key, tomogram_name
from operando.model.texts import name
from operando.model.toml_file import shortened
from operando.session.clearing import clear_trip
from operando.session.editing import keep_edit
from operando.session.errors import EXIT_COMPLETE, RequestError
from operando.session.layout import open_run_directory

LONGEST_TEXT = 300  # the guard takes commands of 4000 bytes, and a character may need twelve
LONGEST_PERSON = 64
UNNAMED = r"asked_\d+"  # what tomograms that are asked for without a name are called
REQUESTS = ("tomogram", "skip", "note", "stop-after", "edit", "clear-trip")
NEEDED = {
    "note": "the text of the note",
    "edit": "a file with the steps that are to come",
    "clear-trip": "why the cell is safe again",
}


def ask_run(path: Path, what: str, argument: str, person: str, console: Console) -> int:
    """Append a request to the schedule of a running experiment; have a trip cleared by the guard itself.

    Raises
    ------
    RequestError, FileFormatError
        If the request is unknown or incomplete, if nobody who could do it lives, or if the guard refuses.
    """
    run = open_run_directory(path)
    if what not in REQUESTS:
        raise RequestError(f"ask {what!r}: is not a request; allowed are {', '.join(REQUESTS)}.")
    if what in NEEDED and not argument:
        raise RequestError(f"ask {what}: needs {NEEDED[what]} as its last argument.")
    for said, longest in ((argument if what != "edit" else "", LONGEST_TEXT), (person, LONGEST_PERSON)):
        if not said.isprintable() or len(said) > longest:
            raise RequestError(
                f"ask {what}: {said[:LONGEST_PERSON]!r} ({len(said)} characters): allowed is one line of printable "
                f"text of at most {longest} characters."
            )
    person = person or getpass.getuser()
    if what == "clear-trip":
        console.print(f"cleared: {clear_trip(run, person=person, reason=argument)}")
        return EXIT_COMPLETE
    experiment = present_experiment(run)
    if what == "tomogram" and argument:
        _refuse_name(argument, experiment, run)
    if what == "stop-after":
        steps = list(dict.fromkeys(step.name for _, step in experiment.steps))
        if argument not in (*steps, "tomogram"):
            raise RequestError(
                f"ask stop-after {argument!r}: is no step of this experiment; allowed are {', '.join(steps)}, "
                "or 'tomogram' to finish the present one."
            )
    if what == "skip" and argument:
        _refuse_unknown(argument, experiment)
    if not any(record.role == "acquisition" and record.alive for record in read_pid_files(run.processes)):
        raise RequestError(f"{path}: no acquisition of this run is alive, so nobody could do it.")
    if what == "edit":
        argument = keep_edit(run, Path(argument))
    writer = JsonLinesWriter(run.schedule)
    writer.append(
        {
            "time": SystemClock().now(),
            "event": "request",
            "id": uuid.uuid4().hex,
            "what": what,
            "argument": argument,
            "person": person,
        }
    )
    writer.close()
    console.print(f"asked: {what} {argument}".rstrip())
    return EXIT_COMPLETE


def _refuse_unknown(asked: str, experiment: Experiment) -> None:
    """Refuse to skip what no schedule of this experiment knows; one of a series is not named singly."""
    keys = [step_key(step.name, cycle) for cycle, step in experiment.steps]
    tomograms = [
        tomogram_name(tomogram, cycle)
        for cycle, step in experiment.steps
        for tomogram in step.tomograms
        if tomogram.every is None
    ]
    if asked not in (*keys, *tomograms):
        known = shortened(", ".join([*keys, *tomograms]), LONGEST_TEXT)
        raise RequestError(
            f"ask skip {asked!r}: is no step or tomogram of this experiment; there are {known}. Without a name the "
            "step that is under way is skipped."
        )


def _refuse_name(asked: str, experiment: Experiment, run: RunDirectory) -> None:
    """Refuse a tomogram's name that is no name, or that would mix two tomograms' results."""
    try:
        name(asked)
    except ValueError as error:
        raise RequestError(f"ask tomogram {asked!r}: {error}.") from None
    scheduled = any(could_name(tomogram, asked) for _, step in experiment.steps for tomogram in step.tomograms)
    before = [
        str(entry.get("argument"))
        for entry in read_json_lines(run.schedule)
        if isinstance(entry, dict) and entry.get("event") == "request" and entry.get("what") == "tomogram"
    ]
    if scheduled or asked in before or re.fullmatch(UNNAMED, asked):
        raise RequestError(
            f"ask tomogram {asked!r}: a tomogram of this run has that name already. Choose another name, or none."
        )
