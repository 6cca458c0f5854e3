"""Tables of a run's measurements beside the published numbers: one of its tomograms, one of its steps."""

import json
import math
from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.table import Table

from operando.model.experiment import Experiment, Published
from operando.model.measurement import Measurement
from operando.model.number_text import number_text
from operando.model.schedule import step_name

_HEADINGS = {
    "voltage": "voltage\nV",
    "capacity": "capacity\nmAh/g",
    "stack_pressure": "pressure\nMPa",
    "high_attenuation_volume": "high-attenuation\nvolume, um3",
    "rotation_axis": "rotation axis\ncolumn",
}
_STEP_HEADINGS = {
    "capacity": "capacity\nmAh/g",
    "coulombic_efficiency": "coulombic\nefficiency",
    "pressure_fall": "pressure\nfall, MPa",
    "pressure_change": "pressure\nchange, MPa",
    "pressure_slope_break": "its slope\nbreaks, mAh/g",
    "voltage_step": "voltage\nstep, mAh/g",
}
_DECIMALS = {"voltage": 3, "capacity": 1, "stack_pressure": 2, "coulombic_efficiency": 4}


def newest(measurements: Iterable[Measurement]) -> dict[tuple[str, str], Measurement]:
    """Return the last measurement of every quantity of every tomogram, in order of first appearance.

    Of a tomogram that was taken again only the last attempt counts: what only an earlier one told is not true of it.
    """
    told = list(measurements)
    last = {measurement.tomogram: measurement.run_uid for measurement in told}
    return {
        (measurement.tomogram, measurement.name): measurement
        for measurement in told
        if measurement.run_uid == last[measurement.tomogram]
    }


def as_json(measurements: Iterable[Measurement]) -> str:
    """Return a JSON list of objects with tomogram, name, value, unit, uncertainty, run_uid, time and the rest."""
    return json_text([measurement.as_document() for measurement in measurements])


def json_text(value: object) -> str:
    """Return JSON as its standard has it: what is not finite becomes null, since NaN is no JSON."""
    return json.dumps(_finite(value), indent=1, allow_nan=False)


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def results_tables(experiment: Experiment, measurements: Iterable[Measurement]) -> list[Table]:
    """Return a table of the tomograms and one of the steps, those of them that have rows."""
    steps = {step_name(step.name, cycle) for cycle, step in experiment.steps}
    found = newest(measurements)
    of_tomograms = {key: entry for key, entry in found.items() if key[0] not in steps}
    of_steps = {key: entry for key, entry in found.items() if key[0] in steps}
    return [
        *([_table_of_tomograms(experiment, of_tomograms)] if of_tomograms else []),
        *([_table_of_steps(of_steps, middle_cycles(experiment))] if of_steps else []),
    ]


def middle_cycles(experiment: Experiment) -> frozenset[str]:
    """Return the names of steps that a loop repeats, but for the first and the last of each: tables leave them out."""
    last = {step.name: cycle for cycle, step in experiment.steps}
    return frozenset(step_name(step.name, cycle) for cycle, step in experiment.steps if 1 < cycle < last[step.name])


def _table_of_tomograms(experiment: Experiment, found: dict[tuple[str, str], Measurement]) -> Table:
    tomograms = list(dict.fromkeys(tomogram for tomogram, _ in found))
    measured = {name for _, name in found}
    columns = {name: heading for name, heading in _HEADINGS.items() if name in measured}
    if "high_attenuation_volume" in measured:
        columns.pop("rotation_axis", None)  # a check of the scan; where nothing else was measured it is the result
    table = Table(
        title=experiment.experiment.title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1)
    )
    table.add_column("tomogram", no_wrap=True)
    for heading in columns.values():
        table.add_column(heading, justify="right", no_wrap=True)
    if experiment.published:
        table.add_column("published\num3", justify="right", no_wrap=True)
    table.add_column("remarks")
    for tomogram in tomograms:
        row = [tomogram, *(_text(found.get((tomogram, name))) for name in columns)]
        published = [
            entry
            for entry in experiment.published
            if entry.tomogram == tomogram and entry.name == "high_attenuation_volume" and entry.elsewhere is None
        ]
        if experiment.published:
            row.append(", ".join(_published(entry) for entry in published) or "-")
        flags = dict.fromkeys(
            flag
            for (owner, name), measurement in found.items()
            if owner == tomogram and (name in columns or name == "rotation_axis")
            for flag in measurement.flags
        )
        row.append(", ".join(flag.replace("_", " ") for flag in flags))
        table.add_row(*row)
    return table


def _table_of_steps(found: dict[tuple[str, str], Measurement], left_out: frozenset[str]) -> Table:
    measured = {name for _, name in found}
    columns = {name: heading for name, heading in _STEP_HEADINGS.items() if name in measured}
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("step", no_wrap=True)
    for heading in columns.values():
        table.add_column(heading, justify="right", no_wrap=True)
    steps = dict.fromkeys(owner for owner, _ in found)
    if folded := [step for step in steps if step in left_out]:
        table.caption = f"{len(folded)} steps between are left out; 'operando results RUN --json' has them."
        table.caption_justify = "left"
    for step in [step for step in steps if step not in left_out]:
        table.add_row(step, *(_text(found.get((step, name))) for name in columns))
    return table


def _text(entry: Measurement | None) -> str:
    if entry is None:
        return "-"
    decimals = _DECIMALS.get(entry.name)
    return number_text(entry.value, entry.uncertainty) if decimals is None else f"{entry.value:.{decimals}f}"


def _published(entry: Published) -> str:
    return ("≤ " if entry.relation == "at most" else "") + number_text(entry.value)
