"""Tomograms that are due by time."""

import math
from collections.abc import Callable

from bluesky.utils import MsgGenerator

from operando.model.cell_state import CellState
from operando.model.schedule import CellStep, Rest
from plans.course import Course
from plans.occasion import Occasion
from plans.triggers import DueTomogram

LATE_SCANS = 3  # there is time for one that is given up, and for another


def take_timed(
    course: Course,
    step: CellStep,
    cycle: int,
    due: DueTomogram,
    begin_s: float,
    *,
    watch: Callable[[CellState], None] | None = None,
) -> MsgGenerator[None]:
    """Wait until a tomogram is due by time and take it; one whose successor is due too was missed."""
    due_s = begin_s + (due.after_s or 0.0)
    yield from course.wait(step, cycle, phase=step.step, until_s=due_s, begin_s=begin_s, watch=watch)
    yield from take_late(course, step, cycle, due, due_s)


def _window_s(course: Course, step: CellStep, due: DueTomogram) -> float:
    """Return how late a tomogram may begin: before the next of its series; where current flows within some scans."""
    if due.asked is not None and due.asked.every is not None:
        return due.asked.every
    return math.inf if isinstance(step, Rest) else LATE_SCANS * course.scan.duration_s


def take_late(course: Course, step: CellStep, cycle: int, due: DueTomogram, due_s: float) -> MsgGenerator[None]:
    """Take a tomogram whose time has come, unless that was too long ago: then it shows another state of the cell."""
    latest_s = due_s + _window_s(course, step, due)
    occasion = Occasion(due, step, cycle, "time", holds=lambda _: course.clock.now() < latest_s)
    if course.clock.now() >= latest_s:
        if course.journal.ended("tomogram", due.name) is None:
            yield from course.miss(occasion, f"its window, {latest_s - due_s:g} s, was over when it could have begun")
        return
    yield from course.take(occasion)
