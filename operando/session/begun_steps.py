"""Which steps of a schedule have begun and which are over, as its journal tells whoever looks from outside."""

from operando.model.experiment import Experiment
from operando.model.json_lines import read_json_lines
from operando.model.outcome import Outcome
from operando.model.run_directory import RunDirectory
from operando.model.schedule import step_key


def num_begun(run: RunDirectory, experiment: Experiment) -> int:
    """Return how many steps, with loops gone through, have begun."""
    begun = {line["name"] for line in _lines(run, "intent")}
    keys = [step_key(step.name, cycle) for cycle, step in experiment.steps]
    return max((number for number, key in enumerate(keys, start=1) if key in begun), default=0)


def steps_left(run: RunDirectory, experiment: Experiment) -> list[str]:
    """Return the keys of the steps that are not over, in order."""
    ends = {line["name"]: line.get("outcome") for line in _lines(run, "outcome")}
    keys = [step_key(step.name, cycle) for cycle, step in experiment.steps]
    return [key for key in keys if ends.get(key) not in (Outcome.COMPLETE, Outcome.MISSED)]


def _lines(run: RunDirectory, event: str) -> list[dict[str, str]]:
    return [
        line
        for line in read_json_lines(run.schedule)
        if isinstance(line, dict) and line.get("event") == event and line.get("entry") == "step" and "name" in line
    ]
