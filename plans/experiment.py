"""The experiment: the outer run, in which the cell goes through its schedule with tomograms at their triggers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import MsgGenerator, RequestAbort, RequestStop

from operando.model.clock import Clock
from operando.model.experiment import Experiment
from operando.model.outcome import EXIT_STATUS, Outcome
from operando.model.run_directory import RunDirectory
from operando.model.schedule import CellStep, step_key
from plans import clock_waits, facts, triggers
from plans.cell_steps import run_step
from plans.cell_watch import CellDangerError
from plans.clock_comparison import compare_clocks
from plans.course import Course
from plans.faults import StepSkippedError, StopWishedError, outcome_of, sentence, undisturbed
from plans.guard_samples import GuardSamples
from plans.instruments import Instruments
from plans.occasion import Occasion
from plans.report import Report, Wishes, say_nothing
from plans.requests_of_people import TakeEdit, refuse_edit
from plans.schedule_journal import ScheduleJournal
from plans.tomogram import TomogramEnd
from plans.tomogram_scan import scan_of


@dataclass(frozen=True)
class ExperimentEnd:
    """How an experiment ended: complete only if every tomogram is, and the cell is safe."""

    outcome: Outcome
    reason: str
    uid: str
    tomograms: tuple[TomogramEnd, ...]
    num_missed: int


def experiment_plan(
    instruments: Instruments,
    clock: Clock,
    experiment: Experiment,
    *,
    geometry: str,
    run_directory: RunDirectory,
    journal: ScheduleJournal,
    samples: GuardSamples,
    metadata: Mapping[str, Any],
    rehearsal: bool,
    wishes: Wishes | None = None,
    report: Report = say_nothing,
    tell: Callable[[str], None] = lambda _: None,
    continues: str | None = None,
    take_edit: TakeEdit = refuse_edit,
    left: Callable[[bool], None] = lambda _: None,
) -> MsgGenerator[ExperimentEnd]:
    """Take a cell through the schedule of an experiment, with its tomograms; return how it ended.

    Steps and tomograms that the journal already knows as complete are not repeated. At the end, whatever happens, the
    cell is at open circuit, unless ``wishes`` say that it stays with the guard.

    Parameters
    ----------
    samples
        The guard's samples of the potentiostat.
    metadata
        More for the outer start document, such as ``experiment`` (the file as a table) and ``versions``.
    tell
        Says a sentence to a person.
    continues
        Uid of the outer run that this one goes on with.
    take_edit
        Returns the experiment with the schedule of a file that a person gave after its first steps, which have begun;
        raises ValueError with what is wrong with it.
    left
        Called at the end, whatever brings it, with whether the cell is safe: open circuit was verified, or a person
        wants the technique to go on. Not called if the plan was aborted before its run was open.

    Raises
    ------
    Exception
        Whatever is neither a trip of the guard nor a person's wish to stop, after the runs were closed.
    """
    start = {
        "kind": "experiment",
        "name": experiment.experiment.name,
        "rehearsal": rehearsal,
        "geometry": geometry,
        "run_directory": run_directory.path.name,
        **metadata,
        **({} if continues is None else {"continues": continues}),
    }
    course = Course(
        instruments=instruments,
        clock=clock,
        experiment=experiment,
        scan=scan_of(experiment, geometry),
        run_directory=run_directory,
        journal=journal,
        samples=samples,
        wishes=wishes or Wishes(),
        report=report,
        tomogram_metadata={"rehearsal": rehearsal},
        take_edit=take_edit,
        tell=tell,
        between_tomograms_s=experiment.sampling_period_s(rehearsal=rehearsal),
    )
    uid = yield from course.outer(bps.open_run(start))
    course.tomogram_metadata = {"rehearsal": rehearsal, "outer_run": uid}
    error: BaseException | None = None
    outcome, reason = Outcome.COMPLETE, ""
    try:
        yield from _schedule(course, rehearsal=rehearsal)
    except StopWishedError as wish:
        outcome, reason = Outcome.ABORTED, str(wish)
    except CellDangerError as danger:
        outcome, reason = Outcome.FAILED, str(danger)
    except (RequestAbort, RequestStop) as wish:
        outcome, reason, error = Outcome.ABORTED, "a person ended the run", wish
    except Exception as mistake:
        outcome, reason, error = Outcome.FAILED, sentence(mistake), mistake
    else:
        outcome, reason = _outcome(course)
    unsafe = ""
    if not course.wishes.cell_stays:
        unsafe = yield from _leave_safe(course, reason or "the schedule is over")
        if unsafe:
            outcome, reason = Outcome.FAILED, "; ".join(filter(None, [reason, unsafe]))
    left(not unsafe)
    told = {"outcome": outcome.value, "reason": reason}
    yield from undisturbed(course.outer(facts.record("outcome", told, course.clock)))
    yield from undisturbed(course.outer(bps.close_run(exit_status=EXIT_STATUS[outcome], reason=reason)))
    if error is not None:
        raise error
    return ExperimentEnd(outcome, reason, str(uid), tuple(course.ended), len(course.missed))


def _schedule(course: Course, *, rehearsal: bool) -> MsgGenerator[None]:
    velocity_deg_s = course.instruments.rotation_stage.normal_velocity_deg_s
    course.tell((yield from compare_clocks(course.instruments.cell, course.clock, course.wishes)))
    course.journal.begun(rotation_velocity_deg_s=velocity_deg_s)
    yield from course.outer(bps.declare_stream(course.pages, name="cell_samples", collect=True))
    yield from clock_waits.prepare(course.instruments.camera, course.scan.region)
    yield from course.command("set_sampling", period_s=course.between_tomograms_s)
    while (following := course.next_step()) is not None:  # a person may change what follows
        cycle, step = following
        yield from _step(course, step, cycle, rehearsal=rehearsal)
        course.stop_here_if_asked(step.name)


def _step(course: Course, step: CellStep, cycle: int, *, rehearsal: bool) -> MsgGenerator[None]:
    key = step_key(step.name, cycle)
    if (told := course.journal.skipped.get(key)) is not None:
        yield from _skip(course, step, cycle, told)
        return
    period_s = course.experiment.sampling_period_s(step, rehearsal=rehearsal)
    if period_s != course.between_tomograms_s:
        course.between_tomograms_s = period_s
        yield from course.command("set_sampling", period_s=period_s)
    course.journal.intent("step", key)
    course.under_way, course.early_end = key, ""
    try:
        yield from run_step(course, step, cycle)
        course.under_way = ""
        yield from course.answer_requests(step, cycle)
    except StepSkippedError as wish:
        course.under_way = ""
        yield from course.command("open_circuit", reason=str(wish))
        yield from _skip(course, step, cycle, str(wish))
        return
    except Exception as error:
        course.journal.outcome("step", key, outcome_of(error), reason=sentence(error))
        raise
    yield from course.outer(facts.record("steps", _step_fields(course, step, cycle), course.clock))
    course.journal.outcome("step", key, Outcome.COMPLETE, reason=course.early_end)


def _skip(course: Course, step: CellStep, cycle: int, told: str) -> MsgGenerator[None]:
    """Record a step that a person did not want, and its tomograms, as missed."""
    for due in (*triggers.timed(step, cycle, 0.0), *triggers.at_voltages(step, cycle), *triggers.at_end(step, cycle)):
        yield from course.miss(Occasion(due, step, cycle, "request"), told)
    course.journal.outcome("step", step_key(step.name, cycle), Outcome.MISSED, reason=told)


def _step_fields(course: Course, step: CellStep, cycle: int) -> dict[str, Any]:
    begin_s = course.journal.began_s("step", step_key(step.name, cycle))
    cell = course.instruments.cell
    return {
        "step": step.name,
        "step_kind": step.step,
        "cycle": cycle,
        "begin_s": begin_s if begin_s is not None else float("nan"),
        "end_s": course.clock.now(),
        "voltage_v": course.voltage_v(),
        "charge_mah": float(cell.charge.get(use_monitor=False)),
        "reason": course.early_end,
    }


def _outcome(course: Course) -> tuple[Outcome, str]:
    incomplete = course.journal.incomplete("tomogram")  # also of the acquisitions before this one
    if not incomplete:
        return Outcome.COMPLETE, ""
    missed = [name for name, outcome in incomplete.items() if outcome == Outcome.MISSED]
    partial = [name for name in incomplete if name not in missed]
    parts = [f"{what}: {', '.join(names)}" for what, names in (("partial", partial), ("missed", missed)) if names]
    return Outcome.PARTIAL, f"not every tomogram is complete; {'; '.join(parts)}"


def _leave_safe(course: Course, reason: str) -> MsgGenerator[str]:
    """Bring the cell to open circuit; return a sentence if that could not be verified."""
    failed = ""
    for _ in range(2):  # the second try answers a fault that came just now
        try:
            yield from course.command("open_circuit", reason=reason)
        except Exception as error:
            if not failed:
                course.tell(f"Open circuit is not verified yet, it is tried once more: {sentence(error)}")
            failed = f"the cell was not verified to be at open circuit: {sentence(error)}"
        else:
            if failed:
                course.tell("Open circuit is verified now.")
            return ""
    return failed
