"""A run's measurements beside the published numbers and beside what was really there."""

from collections.abc import Iterable
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from live_analysis.run_follower import RunFollower
from operando.model.document_lines import read_documents
from operando.model.experiment import Experiment
from operando.model.json_lines import read_json_lines
from operando.model.measurement import Measurement
from operando.model.number_text import number_text
from operando.model.run_directory import RunDirectory
from operando.session.results_table import newest

# what the truth calls a quantity, where it differs from the measurement's name
_TRUE_NAMES = {
    "voltage_v": "voltage",
    "stack_pressure_mpa": "stack_pressure",
    "charge_mah": "charge",
    "lithium_loss_um": "lithium_thinning",
}
_FIRST_DISCHARGE = ("pressure_slope_break", "voltage_step")


def comparison(run: RunDirectory, experiment: Experiment, measurements: Iterable[Measurement]) -> list[dict[str, Any]]:
    """Return published, true and measured value of everything that has more than a measurement.

    The truth of a rehearsal is read here and in tests, nowhere else.
    """
    truth = _truth_of_tomograms(run) | _truth_of_steps(run, experiment)
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


def _truth_of_tomograms(run: RunDirectory) -> dict[tuple[str, str], Any]:
    names: dict[Any, str] = {}
    for name, document in read_documents(run.documents):
        if name == "start" and document.get("kind") == "tomogram":
            names[document.get("attempt")] = str(document.get("tomogram"))
    return {
        (names[entry["attempt"]], _TRUE_NAMES.get(name, name)): value
        for entry in _entries(run)
        if entry.get("attempt") in names
        for name, value in entry.items()
    }


def _truth_of_steps(run: RunDirectory, experiment: Experiment) -> dict[tuple[str, str], Any]:
    """Return what really happened between the commands with which each step began and ended."""
    commands = [entry for entry in _entries(run) if "attempt" not in entry]
    follower = RunFollower(run.documents)
    follower.poll()
    found: dict[tuple[str, str], Any] = {}
    capacities: list[float] = []
    for step in follower.runs.steps:
        begin, end = (_first_since(commands, time_s) for time_s in (step.begin_s, step.end_s))
        if begin is None or end is None:
            continue
        change_mpa = end["stack_pressure_mpa"] - begin["stack_pressure_mpa"]
        if step.kind == "rest":
            found[step.name, "pressure_fall"] = -change_mpa
            continue
        capacities.append((end["charge_mah"] - begin["charge_mah"]) / experiment.cell.active_mass * 1e3)
        found[step.name, "pressure_change"] = change_mpa
        found[step.name, "capacity"] = abs(capacities[-1])
        if len(capacities) > 1 and capacities[-1] * capacities[0] < 0 and capacities[-2]:
            found[step.name, "coulombic_efficiency"] = abs(capacities[-1] / capacities[-2])
        if len(capacities) == 1 and capacities[0] < 0:
            places = {name: commands[0][name] for name in _FIRST_DISCHARGE if name in commands[0]}
            found |= {(step.name, name): place for name, place in places.items() if place < -capacities[0]}
    return found


def _first_since(commands: list[dict[str, Any]], time_s: float) -> dict[str, Any] | None:
    """Return the first command since a time; the guard gives it within two polls of the potentiostat."""
    return next((entry for entry in commands if entry["time_s"] >= time_s), None)


def _entries(run: RunDirectory) -> list[dict[str, Any]]:
    return [entry for entry in read_json_lines(run.truth) if isinstance(entry, dict)]


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
