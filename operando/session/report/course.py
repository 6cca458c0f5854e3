"""The course of a run: an overview over all of it, one plot for each step, and a list of what went on."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from operando.model.number_text import duration_text
from operando.model.schedule import step_name
from operando.session.report.cell_traces import CellTraces, GuardEvent
from operando.session.report.run_story import RunStory, StepStory, TomogramStory, is_number, went_well
from operando.session.report.time_lanes import Mark, Span
from operando.session.report.time_plot import moment, time_plot
from operando.session.report.widths import WIDE_PX, both_widths

MARKED = (
    "trip",
    "unsafe",
    "limit",
    "limit_missed",
    "late",
    "log_late",
    "trip_cleared",
    "note",
)  # of the guard's events
MAX_STEP_PLOTS = 12
MAX_MARKS = 99
SHORTEST_S = 60.0


@dataclass(frozen=True)
class StepPlot:
    """One step: a heading and its plot in both widths."""

    heading: str
    plot: Markup


@dataclass(frozen=True)
class CoursePlots:
    """The overview, the steps, and what is to be said about those that are not drawn."""

    overview: Markup
    begin: str
    steps: tuple[StepPlot, ...]
    note: str


def things_to_mark(story: RunStory, events: tuple[GuardEvent, ...]) -> list[Mark]:
    """Return in order of time what a reader should look at: trips, limits, notes, what ended badly."""
    found = [
        (event.time_s, f"{event.kind.replace('_', ' ')}: {event.text}") for event in events if event.kind in MARKED
    ]
    for tomogram in story.tomograms:
        if not went_well(tomogram.outcome):
            time_s = tomogram.begin_s if tomogram.end_s is None else tomogram.end_s
            reason = f": {tomogram.reason}" if tomogram.reason else ""
            found.append((time_s, f"tomogram {tomogram.name}, attempt {tomogram.attempt}: {tomogram.outcome}{reason}"))
    for step in story.steps:
        if step.end_s is not None and (step.reason or not went_well(step.outcome)):
            found.append(
                (step.end_s, f"step {step.name}: {step.outcome}" + (f": {step.reason}" if step.reason else ""))
            )
    found = sorted((time_s, words) for time_s, words in found if is_number(time_s))
    return [Mark(time_s, number, words) for number, (time_s, words) in enumerate(found[:MAX_MARKS], start=1)]


def course_plots(story: RunStory, traces: CellTraces, marks: list[Mark]) -> CoursePlots | None:
    """Draw the whole run and its steps; None where nothing says when anything was."""
    span = traces.span_s()
    begins = [step.begin_s for step in story.steps]
    if span is None and not begins:
        return None
    begin_s = min([*begins, *(() if span is None else span[:1])])
    ends = [step.end_s for step in story.steps if step.end_s is not None]
    end_s = max([*begins, *ends, *(() if span is None else span[1:])])
    end_s = end_s if end_s > begin_s else begin_s + SHORTEST_S
    step_ends_s = _ends(story.steps, end_s)
    steps = [Span(step.name, step.begin_s, step_ends_s[step.name], _well(step)) for step in story.steps]
    tomograms = [
        Span(entry.name, entry.begin_s, end_s if entry.end_s is None else entry.end_s, went_well(entry.outcome))
        for entry in story.tomograms
        if is_number(entry.begin_s)
    ]

    def draw(first_s: float, last_s: float, told: str) -> Callable[[int], Markup]:
        return lambda width: time_plot(
            traces,
            first_s,
            last_s,
            width=width,
            origin_s=begin_s,
            steps=steps,
            tomograms=tomograms,
            marks=marks,
            told=told,
        )

    overview = both_widths(draw(begin_s, end_s, _told("the whole run", begin_s, end_s, traces)), WIDE_PX)
    lasting = [step for step in story.steps if step_ends_s[step.name] > step.begin_s]
    drawn = lasting
    if len(lasting) > MAX_STEP_PLOTS:
        with_tomogram = {_step_of(entry) for entry in story.tomograms}
        telling = [step for step in lasting if step.name in with_tomogram or not _repeated(step)]
        telling.sort(key=lambda step: step.name not in with_tomogram)
        drawn = sorted(telling[:MAX_STEP_PLOTS], key=lambda step: step.begin_s)
    left_out = len(lasting) - len(drawn)
    plots = []
    for step in drawn if len(story.steps) > 1 else ():
        last_s = step_ends_s[step.name]
        told = _told(f"step {step.name}", step.begin_s, last_s, traces)
        heading = f"{step.name}: {duration_text(last_s - step.begin_s)}, {step.outcome}"
        plots.append(StepPlot(heading, both_widths(draw(step.begin_s, max(last_s, step.begin_s + 1.0), told), WIDE_PX)))
    note = f"{left_out} further steps are not drawn; steps.csv has all of them." if left_out else ""
    return CoursePlots(overview, moment(begin_s), tuple(plots), note)


def _repeated(step: StepStory) -> bool:
    return re.search(r"_cycle\d+$", step.name) is not None


def _step_of(tomogram: TomogramStory) -> str:
    cycle = tomogram.start.get("cycle")
    return step_name(str(tomogram.start.get("step")), cycle if isinstance(cycle, int) else 1)


def _ends(steps: list[StepStory], run_end_s: float) -> dict[str, float]:
    """Return when each step was over; one without an outcome when the next began, or with the run."""
    next_begins = [*(step.begin_s for step in steps[1:]), run_end_s]
    return {
        step.name: next_s if step.end_s is None else step.end_s
        for step, next_s in zip(steps, next_begins, strict=False)
    }


def _well(step: StepStory) -> bool:
    return step.end_s is None or went_well(step.outcome)


def _told(what: str, begin_s: float, end_s: float, traces: CellTraces) -> str:
    instruments = ", ".join(name.replace("_", " ") for name in traces.samples) or "no instrument"
    return f"Readings of {instruments} against time for {what}, {moment(begin_s)} to {moment(end_s)}"
