"""The steps of a schedule as the cell goes through them."""

from bluesky.utils import MsgGenerator

from operando.model.schedule import CellStep, ConstantCurrent, ConstantVoltage, Rest, step_key
from plans import triggers
from plans.constant_current import ConstantCurrentStep
from plans.course import Course, Occasion
from plans.timed_tomograms import take_timed


def run_step(course: Course, step: CellStep, cycle: int) -> MsgGenerator[None]:
    """Take the cell through one step, with its tomograms."""
    if isinstance(step, ConstantCurrent):
        yield from ConstantCurrentStep(course, step, cycle).plan()
    else:
        yield from _timed_step(course, step, cycle)


def _timed_step(course: Course, step: Rest | ConstantVoltage, cycle: int) -> MsgGenerator[None]:
    now_s = course.clock.now()
    begin_s = course.journal.began_s("step", step_key(step.name, cycle)) or now_s
    end_s = begin_s + step.duration
    resumed = now_s - begin_s > 1.0
    if end_s > now_s and not (resumed and course.runs_already(step)):
        if isinstance(step, Rest):
            yield from course.command("rest", step=step.name, duration_s=end_s - now_s)
        else:
            yield from course.command(
                "constant_voltage", step=step.name, voltage_v=step.voltage, duration_s=end_s - now_s
            )
    for due in triggers.timed(step, cycle, step.duration):
        yield from take_timed(course, step, cycle, due, begin_s)
    yield from course.wait(step, cycle, phase=step.step, until_s=end_s, begin_s=begin_s)
    for due in triggers.at_end(step, cycle):
        yield from course.take(Occasion(due, step, cycle, "end"))
