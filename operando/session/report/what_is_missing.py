"""What a reader would look for and not find: said in sentences, never left out silently."""

import math

from operando.model.experiment import Experiment
from operando.model.run_directory import RunDirectory
from operando.model.schedule import tomogram_name
from operando.session.report.cell_traces import CellTraces
from operando.session.report.run_story import RunStory, went_well

MAX_TOLD = 40
SLICES = "slices.h5"


def missing_sentences(
    run: RunDirectory, story: RunStory, traces: CellTraces, experiment: Experiment | None, problem: str
) -> list[str]:
    """Return one sentence for each thing that is missing, damaged or not over yet.

    Parameters
    ----------
    problem
        Why the experiment file cannot be understood; empty where it can.
    """
    told = [problem] if problem else []
    if not story.outer_starts:
        told.append("No start document of the run was found: what follows is what other files tell.")
    elif story.outer_stop is None:
        told.append("The run has no stop document: it goes on, or what ran it has died.")
    elif not went_well(str(story.outer_stop.get("exit_status"))):
        status, reason = story.outer_stop.get("exit_status"), story.outer_stop.get("reason") or "no reason given"
        told.append(f"The run did not end well ({status}): {reason}")
    if traces.problem:
        told.append(traces.problem)
    for name, num in story.num_damaged.items():
        told.append(f"{name}: {num} damaged lines were left out.")
    told += [f"Step {step.name} began and did not end." for step in story.steps if step.end_s is None]
    told += _tomograms(story, experiment)
    told += [
        f"Set point missed: {data.get('tomogram')} at {data.get('target_v')} V in step {data.get('step')}; "
        f"the cell was at {data.get('voltage_v')} V. {data.get('reason') or ''}".strip()
        for data in story.missed
    ]
    told += [f"{tomogram} could not be analysed: {reason}" for tomogram, reason in story.analysis_failures]
    told += _not_measured(run, story)
    left_out = len(told) - MAX_TOLD
    return told if left_out <= 0 else [*told[:MAX_TOLD], f"And {left_out} more: see Course, Steps and Data quality."]


def _tomograms(story: RunStory, experiment: Experiment | None) -> list[str]:
    told = [
        f"Tomogram {entry.name}, attempt {entry.attempt}: {entry.outcome}"
        + (f". {entry.reason}" if entry.reason else ".")
        for entry in story.tomograms
        if not went_well(entry.outcome)
    ]
    if experiment is None:
        return told
    taken = {entry.name for entry in story.tomograms} | {str(data.get("tomogram")) for data in story.missed}
    asked = [
        tomogram_name(asked, cycle)
        for cycle, step in experiment.steps
        for asked in step.tomograms
        if asked.every is None
    ]
    never = [name for name in asked if name not in taken]
    if never:
        told.append(f"Asked for and never begun: tomogram {', '.join(never)}.")
    return told


def _not_measured(run: RunDirectory, story: RunStory) -> list[str]:
    owners = {owner for owner, _ in story.newest}
    silent = [entry.name for entry in story.states if went_well(entry.outcome) and entry.name not in owners]
    told = [f"Taken and not measured: tomogram {', '.join(silent)}. 'operando analyse' does it."] if silent else []
    if not run.results.is_file():
        told.append("The run has no results.jsonl: nothing was measured.")
    if story.outer_starts and not run.schedule.is_file():
        told.append("The run has no schedule.jsonl: what was intended, and what people asked for, is not known.")
    nothing: dict[str, list[str]] = {}
    for (owner, name), entry in story.newest.items():
        if not math.isfinite(entry.value):
            nothing.setdefault(owner, []).append(name.replace("_", " "))
    told += [f"No number came of {', '.join(names)} of {owner}." for owner, names in nothing.items()]
    lost = [
        entry.name
        for entry in story.states
        if entry.name in owners and not (run.volume(entry.attempt) / SLICES).is_file()
    ]
    if lost:
        told.append(f"The slices of {', '.join(lost)} are not in the run's folder volumes, and cannot be shown.")
    return told
