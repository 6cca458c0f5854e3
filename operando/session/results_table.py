"""Tables of a run's measurements: beside the published numbers, and beside what was really there."""

import json
import math
from collections.abc import Iterable
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from operando.model.document_lines import read_documents
from operando.model.experiment import Experiment, Published
from operando.model.json_lines import read_json_lines
from operando.model.measurement import Measurement
from operando.model.number_text import number_text
from operando.model.run_directory import RunDirectory

# what the truth calls a quantity, where it differs from the measurement's name
_TRUE_NAMES = {"voltage_v": "voltage", "stack_pressure_mpa": "stack_pressure", "charge_mah": "charge"}


_HEADINGS = {
    "voltage": "voltage\nV",
    "capacity": "capacity\nmAh/g",
    "stack_pressure": "pressure\nMPa",
    "high_attenuation_volume": "high-attenuation\nvolume, um3",
    "rotation_axis": "rotation axis\ncolumn",
}
_WITH_UNCERTAINTY = ("high_attenuation_volume", "rotation_axis")
_DECIMALS = {"voltage": 3, "capacity": 1, "stack_pressure": 2}


def newest(measurements: Iterable[Measurement]) -> dict[tuple[str, str], Measurement]:
    """Return the last measurement of every quantity of every tomogram, in order of first appearance."""
    found: dict[tuple[str, str], Measurement] = {}
    for measurement in measurements:
        found[measurement.tomogram, measurement.name] = measurement
    return found


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


def results_table(experiment: Experiment, measurements: Iterable[Measurement]) -> Table:
    """Return one row per tomogram: its state, what was measured, and what was published."""
    found = newest(measurements)
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
        row = [tomogram]
        for name in columns:
            measurement = found.get((tomogram, name))
            if measurement is None:
                row.append("-")
            elif name in _WITH_UNCERTAINTY:
                row.append(number_text(measurement.value, measurement.uncertainty))
            else:
                row.append(f"{measurement.value:.{_DECIMALS[name]}f}")
        published = [
            entry
            for entry in experiment.published
            if entry.tomogram == tomogram and entry.name == "high_attenuation_volume"
        ]
        if experiment.published:
            row.append(", ".join(_published(entry) for entry in published) or "-")
        flags = dict.fromkeys(
            flag for (owner, _), measurement in found.items() if owner == tomogram for flag in measurement.flags
        )
        row.append(", ".join(flag.replace("_", " ") for flag in flags))
        table.add_row(*row)
    return table


def _published(entry: Published) -> str:
    return ("≤ " if entry.relation == "at most" else "") + number_text(entry.value)


def comparison(run: RunDirectory, experiment: Experiment, measurements: Iterable[Measurement]) -> list[dict[str, Any]]:
    """Return published, true and measured value of everything that has more than a measurement.

    The truth of a rehearsal is read here and in tests, nowhere else.
    """
    truth = {
        (entry["tomogram"], _TRUE_NAMES.get(name, name)): value
        for entry in _truths(run)
        for name, value in entry["values"].items()
    }
    published = {(entry.tomogram, entry.name): entry for entry in experiment.published}
    rows = []
    for key, measurement in newest(measurements).items():
        if key not in truth and key not in published:
            continue
        rows.append(
            {
                "tomogram": key[0],
                "name": key[1],
                "unit": measurement.unit,
                "published": published[key].value if key in published else None,
                "published_id": published[key].id if key in published else None,
                "true": truth.get(key),
                "measured": measurement.value,
                "uncertainty": measurement.uncertainty,
                "flags": list(measurement.flags),
            }
        )
    return rows


def _truths(run: RunDirectory) -> list[dict[str, Any]]:
    names = {}
    for name, document in read_documents(run.documents):
        if name == "start" and document.get("kind") == "tomogram":
            names[document.get("attempt")] = document.get("tomogram")
    return [
        {"tomogram": names[entry["attempt"]], "values": entry}
        for entry in read_json_lines(run.truth)
        if isinstance(entry, dict) and entry.get("attempt") in names
    ]


def comparison_table(rows: list[dict[str, Any]]) -> Table:
    """Return the comparison for people."""
    table = Table(
        title="published, true and measured",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1),
        collapse_padding=True,  # fits 80 columns: texts are wrapped, never numbers cut
    )
    table.add_column("tomogram", no_wrap=True)
    table.add_column("quantity", min_width=11)
    for heading in ("published", "true", "measured", "ratio"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("remarks", overflow="fold")
    for row in rows:
        true, measured = row["true"], row["measured"]
        table.add_row(
            row["tomogram"],
            f"{row['name'].replace('_', ' ')}, {row['unit']}",
            "-" if row["published"] is None else number_text(row["published"]),
            "-" if true is None else number_text(true),
            number_text(measured, row["uncertainty"]),
            f"{measured / true:.3f}" if true else "-",
            ", ".join(flag.replace("_", " ") for flag in row["flags"]),
        )
    return table
