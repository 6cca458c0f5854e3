"""The steps of a schedule as the cell goes through them."""

import contextlib
from collections.abc import Callable
from typing import Any

from bluesky.utils import MsgGenerator

from devices.answers import NO_ANSWER
from operando.model.cell_state import CellState
from operando.model.number_text import duration_text
from operando.model.schedule import CellStep, ConstantCurrent, ConstantVoltage, Rest, step_key
from plans import triggers
from plans.constant_current import ENDED, ConstantCurrentStep
from plans.course import Course
from plans.early_end import is_long_before
from plans.occasion import Occasion
from plans.timed_tomograms import take_timed

LEAST_DURATION_S = 1.0  # of a technique


def run_step(course: Course, step: CellStep, cycle: int) -> MsgGenerator[None]:
    """Take the cell through one step, with its tomograms."""
    if isinstance(step, ConstantCurrent):
        yield from ConstantCurrentStep(course, step, cycle).plan()
    else:
        yield from _timed_step(course, step, cycle)


def _timed_step(course: Course, step: Rest | ConstantVoltage, cycle: int) -> MsgGenerator[None]:
    key = step_key(step.name, cycle)
    begin_s = course.journal.began_s("step", key) or course.clock.now()
    end_s, watch = begin_s + step.duration, _watch(course, step, key, begin_s)
    yield from _have_technique(course, step, key, end_s)
    for due in triggers.timed(step, cycle, step.duration):
        yield from take_timed(course, step, cycle, due, begin_s, watch=watch)
    yield from course.wait(step, cycle, phase=step.step, until_s=end_s, begin_s=begin_s, watch=watch)
    for due in triggers.at_end(step, cycle):
        yield from course.take(Occasion(due, step, cycle, "end"))


def _watch(course: Course, step: Rest | ConstantVoltage, key: str, begin_s: float) -> Callable[[CellState], None]:
    def watch(state: CellState) -> None:
        now_s = course.clock.now()
        if state in ENDED and is_long_before(now_s, begin_s, begin_s + step.duration):
            with contextlib.suppress(*NO_ANSWER):  # it is told at the next look
                course.tell_early_end(
                    f"step {key} ended at {course.voltage_v():.4f} V, {duration_text(now_s - begin_s)} after "
                    f"its start, long before its {duration_text(step.duration)} were over"
                )

    return watch


def _have_technique(course: Course, step: Rest | ConstantVoltage, key: str, end_s: float) -> MsgGenerator[None]:
    """Begin the step's technique for the time that is left of it, unless an earlier acquisition has and it runs."""
    if (left_s := end_s - course.clock.now()) <= 0:
        return
    arguments: dict[str, Any] = {"step": step.name, "duration_s": left_s}
    if isinstance(step, ConstantVoltage):
        arguments["voltage_v"] = step.voltage
    command = "rest" if isinstance(step, Rest) else "constant_voltage"
    if course.journal.last_command("step", key) is not None:
        state = yield from course.repeat_order("step", key, command, **arguments)
        if state is CellState.RUNNING and course.is_at(step):
            return
        arguments["duration_s"] = max(end_s - course.clock.now(), LEAST_DURATION_S)
    yield from course.order("step", key, command, {}, **arguments)
