"""What people ask of a running experiment, and what becomes of it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from bluesky.utils import MsgGenerator

from devices.cell import CellCommandError
from operando.model import texts
from operando.model.experiment import Experiment
from operando.model.schedule import CellStep, step_key, tomogram_name
from plans.faults import StepSkippedError, StopWishedError
from plans.occasion import Occasion
from plans.schedule_journal import Request
from plans.triggers import DueTomogram

if TYPE_CHECKING:
    from plans.course import Course

TakeEdit = Callable[[str, int], Experiment]
LONGEST_TOLD = 64  # of a text that cannot be used
KNOWN = ("tomogram", "skip", "note", "stop-after", "edit")


def refuse_edit(file: str, num_begun: int) -> Experiment:
    """Refuse to change the schedule: nobody here knows how to read one.

    Raises
    ------
    ValueError
        Always.
    """
    raise ValueError(f"{file}: this experiment takes no other schedule after its step {num_begun}.")


def answer(course: "Course", request: Request, step: CellStep, cycle: int) -> MsgGenerator[None]:
    """Do what one request asks for, in the course of a step, and answer it in the journal.

    Raises
    ------
    StopWishedError
        If the experiment is to end here.
    StepSkippedError
        If the step that is under way is to end here.
    """
    person = request.person or "a person"
    if request.what == "note":
        try:
            yield from course.command("note", text=f"{request.person}: {request.argument}")
        except CellCommandError as error:  # no reason to end an experiment
            course.journal.answer(request, f"not written: {error}")
        else:
            course.journal.answer(request, "written into the cell's log")
    elif request.what == "tomogram":
        yield from _tomogram(course, request, step, cycle)
    elif request.what == "stop-after":
        _stop_after(course, request, person)
    elif request.what == "skip":
        _skip(course, request, person)
    elif request.what == "edit":
        _edit(course, request)
    else:
        course.journal.answer(request, f"unknown request {request.what!r}; there are {', '.join(KNOWN)}")


def _tomogram(course: "Course", request: Request, step: CellStep, cycle: int) -> MsgGenerator[None]:
    try:
        name = texts.name(request.argument) if request.argument else course.journal.unnamed_tomogram(request)
    except ValueError as error:  # a line that no 'operando ask' has written
        course.journal.answer(request, f"not taken: {request.argument[:LONGEST_TOLD]!r} {error}")
        return
    course.journal.begin(request)
    yield from course.take(Occasion(DueTomogram(name), step, cycle, "request"))
    course.journal.answer(request, f"taken as {name}: {course.journal.ended('tomogram', name)}")


def _stop_after(course: "Course", request: Request, person: str) -> None:
    asked = request.argument
    if asked in ("", "tomogram"):  # requests are read between tomograms
        course.journal.answer(request, "stops here: no tomogram is under way")
        raise StopWishedError(f"{person} asked to stop")
    keys = [step_key(step.name, cycle) for cycle, step in course.experiment.steps if step.name == asked]
    if keys and all(course.journal.is_over("step", key) for key in keys):
        course.journal.answer(request, f"step {asked} is over already; the experiment goes on")
        return
    course.journal.answer(request, f"stops after {asked}", stop_after=asked)


def _skip(course: "Course", request: Request, person: str) -> None:
    asked, journal = request.argument, course.journal
    if not course.under_way and not asked:
        journal.answer(request, "no step is under way; nothing was skipped")
        return
    if not asked or asked == course.under_way:
        told = f"{person} asked to skip step {course.under_way}"
        journal.answer(request, f"skips step {course.under_way}")
        raise StepSkippedError(told)
    if asked in _to_come(course):
        journal.answer(request, f"{person} asked to skip {asked}", skips=asked)
    else:
        journal.answer(request, f"no step or tomogram to come is named {asked}; the experiment goes on")


def _to_come(course: "Course") -> list[str]:
    """Return the names of steps and tomograms that are not over; of a series only those that are named singly."""
    found = []
    for cycle, step in course.experiment.steps:
        key = step_key(step.name, cycle)
        if course.journal.is_over("step", key):
            continue
        names = [tomogram_name(asked, cycle) for asked in step.tomograms if asked.every is None]
        found += [key, *(name for name in names if not course.journal.is_over("tomogram", name))]
    return found


def _edit(course: "Course", request: Request) -> None:
    num_begun = course.num_begun
    try:
        course.experiment = course.take_edit(request.argument, num_begun)
    except ValueError as error:
        course.journal.answer(request, f"refused: {error}")
        return
    names = [step_key(step.name, cycle) for cycle, step in course.experiment.steps[num_begun:]]
    course.journal.answer(request, f"taken over; to come are {', '.join(names)}", num_begun=num_begun)
