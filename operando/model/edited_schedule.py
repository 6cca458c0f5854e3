"""A schedule that a person has changed under way: what has begun stays, what follows comes from another file."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from operando.model.contradictions import contradictions
from operando.model.experiment import Experiment
from operando.model.experiment_file import load_experiment, raw_table
from operando.model.json_lines import read_json_lines
from operando.model.run_directory import RunDirectory
from operando.model.schedule import Step
from operando.model.toml_file import FileFormatError, toml_content, validated


def edited(run: RunDirectory, experiment: Experiment, file: Path, *, num_begun: int) -> Experiment:
    """Return the experiment with the steps of ``file`` in place of all that have not begun.

    Parameters
    ----------
    experiment
        As it is now.
    file
        An experiment file, or one with nothing but its ``[[schedule]]``.
    num_begun
        How many of the experiment's steps, with loops gone through, have begun.

    Raises
    ------
    FileFormatError
        With one sentence per mistake, as for a new experiment; also where a tomogram would get a name that one of the
        steps that have begun gives.
    """
    remaining = _remaining(run, file)
    begun = [step for _, step in experiment.steps[:num_begun]]
    taken = {asked.name: step.name for step in begun for asked in step.tomograms}
    if doubled := [
        f"{file}: schedule.{step.name}: tomogram {asked.name!r} is one of step {taken[asked.name]!r}, which has begun. "
        "Give it another name."
        for step in remaining
        for asked in getattr(step, "tomograms", ())
        if taken.get(asked.name, step.name) != step.name
    ]:
        raise FileFormatError("\n".join(doubled))
    return experiment.model_copy(update={"schedule": (*begun, *remaining)})


def present_experiment(run: RunDirectory) -> Experiment:
    """Return the experiment of a run with every change of its schedule that was taken over.

    Raises
    ------
    FileFormatError
        If one of its files cannot be read any more.
    """
    experiment = load_experiment(run.experiment)
    for line in _taken_over(read_json_lines(run.schedule)):
        file = run.edited_schedule(str(line["argument"]))
        experiment = edited(run, experiment, file, num_begun=int(line["num_begun"]))
    return experiment


def _taken_over(lines: Iterable[Any]) -> list[Mapping[str, Any]]:
    return [
        line for line in lines if isinstance(line, dict) and line.get("event") == "request_done" and "num_begun" in line
    ]


def _remaining(run: RunDirectory, file: Path) -> tuple[Step, ...]:
    content = toml_content(file)
    if "schedule" not in content:
        raise FileFormatError(f"{file}: schedule: is missing. Write the steps that remain as [[schedule]] tables.")
    base = {key: value for key, value in raw_table(run.experiment).items() if key != "published"}
    checked = validated({**base, "schedule": content["schedule"]}, Experiment, file)
    if found := contradictions(checked):
        raise FileFormatError("\n".join(f"{file}: {sentence}" for sentence in found))
    return checked.schedule
