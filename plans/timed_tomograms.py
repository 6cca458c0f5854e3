"""Tomograms that are due by time."""

import math

from bluesky.utils import MsgGenerator

from operando.model.schedule import CellStep
from plans.course import Course
from plans.occasion import Occasion
from plans.triggers import DueTomogram


def take_timed(course: Course, step: CellStep, cycle: int, due: DueTomogram, begin_s: float) -> MsgGenerator[None]:
    """Wait until a tomogram is due by time and take it; one whose successor is due too was missed."""
    due_s = begin_s + (due.after_s or 0.0)
    yield from course.wait(step, cycle, phase=step.step, until_s=due_s, begin_s=begin_s)
    yield from take_late(course, step, cycle, due, due_s)


def take_late(course: Course, step: CellStep, cycle: int, due: DueTomogram, due_s: float) -> MsgGenerator[None]:
    """Take a tomogram whose time has come, unless the next one of its series is due as well."""
    every_s = due.asked.every if due.asked is not None else None
    next_s = math.inf if every_s is None else due_s + every_s
    occasion = Occasion(due, step, cycle, "time", holds=lambda _: course.clock.now() < next_s)
    if course.clock.now() >= next_s:
        if course.journal.ended("tomogram", due.name) is None:
            yield from course.miss(occasion, f"the next one was due already, {every_s:g} s later")
        return
    yield from course.take(occasion)
