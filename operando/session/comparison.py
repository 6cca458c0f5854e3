"""A run's measurements beside the published numbers and beside what was really there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from live_analysis.run_follower import EndedStep, RunFollower
from operando.model.document_lines import read_documents
from operando.model.experiment import Experiment, Published
from operando.model.json_lines import read_json_lines
from operando.model.measurement import Measurement
from operando.model.number_text import number_text
from operando.model.run_directory import RunDirectory
from operando.session.results_table import middle_cycles, newest

# what the truth calls a quantity, where it differs from the measurement's name
_TRUE_NAMES = {
    "voltage_v": "voltage",
    "stack_pressure_mpa": "stack_pressure",
    "charge_mah": "charge",
    "lithium_loss_um": "lithium_thinning",
}
_SIGNS = {"about": "", "at most": "≤ ", "at least": "≥ "}
_FIRST_DISCHARGE = ("pressure_slope_break", "voltage_step", "slope_break_offset")


@dataclass(frozen=True)
class ComparedRun:
    """A run with what was asked of it and what was measured in it."""

    run: RunDirectory
    experiment: Experiment
    measurements: list[Measurement]

    @property
    def name(self) -> str:
        """Name of the experiment."""
        return self.experiment.experiment.name


def comparison(runs: Sequence[ComparedRun]) -> list[dict[str, Any]]:
    """Return published, true and measured value of everything that has more than a measurement.

    Every published number has a row, also one that was not measured: its measured value is None then. Numbers that
    another experiment's run measures are left to that run if it is among those compared. The truth of a rehearsal is
    read here and in tests, nowhere else.
    """
    names = {compared.name for compared in runs}
    different = {compared.run.path.resolve(): compared for compared in runs}  # a run that is given twice is one
    rows: dict[tuple[object, ...], dict[str, Any]] = {}
    for number, compared in enumerate(different.values()):
        for row in _rows(compared, names):
            told = number if row["elsewhere"] is None else row["elsewhere"]
            rows.setdefault((told, row["published_id"], row["tomogram"], row["name"]), row)
    return list(rows.values())


def _rows(compared: ComparedRun, names: set[str]) -> Iterator[dict[str, Any]]:
    truth = _truth_of_tomograms(compared.run) | _truth_of_steps(compared.run, compared.experiment)
    measured = newest(compared.measurements)
    told = set()
    for entry in compared.experiment.published:
        if entry.elsewhere in names:
            continue
        key = (entry.tomogram, entry.name)
        if entry.elsewhere is None:
            told.add(key)
        yield _row(compared, key, entry, truth, None if entry.elsewhere else measured.get(key))
    for key, measurement in measured.items():
        if key in truth and key not in told:
            yield _row(compared, key, None, truth, measurement)


def _row(
    compared: ComparedRun,
    key: tuple[str, str],
    published: Published | None,
    truth: dict[tuple[str, str], Any],
    measurement: Measurement | None,
) -> dict[str, Any]:
    return {
        "experiment": compared.name,
        "run": compared.run.path.name,
        "tomogram": key[0],
        "name": key[1],
        "unit": measurement.unit if measurement is not None else published.unit if published is not None else "",
        "published": None if published is None else published.value,
        "published_id": None if published is None else published.id,
        "relation": None if published is None else published.relation,
        "elsewhere": None if published is None else published.elsewhere,
        "true": None if published is not None and published.elsewhere else truth.get(key),
        "measured": None if measurement is None else measurement.value,
        "uncertainty": None if measurement is None else measurement.uncertainty,
        "flags": [] if measurement is None else list(measurement.flags),
        "repeated": key[0] in middle_cycles(compared.experiment),
    }


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
        found |= _pressure_of_step(commands, step, begin, end)
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
            if (at_break_mpa := end.get("slope_break_stack_pressure_mpa")) is not None:
                found[step.name, "pressure_change_stage1"] = at_break_mpa - begin["stack_pressure_mpa"]
                found[step.name, "pressure_change_stage2"] = end["stack_pressure_mpa"] - at_break_mpa
    return found


def _pressure_of_step(
    commands: list[dict[str, Any]], step: EndedStep, begin: dict[str, Any], end: dict[str, Any]
) -> dict[tuple[str, str], Any]:
    """Return how far the pressure fell at most since the run began, looked at from each command to the next."""
    lowest_mpa = [
        entry["lowest_stack_pressure_mpa"]
        for entry in commands
        if begin["time_s"] < entry["time_s"] <= end["time_s"] and "lowest_stack_pressure_mpa" in entry
    ]
    if not lowest_mpa:
        return {}
    return {(step.name, "largest_pressure_fall"): commands[0]["stack_pressure_mpa"] - min(lowest_mpa)}


def _first_since(commands: list[dict[str, Any]], time_s: float) -> dict[str, Any] | None:
    """Return the first command since a time; the guard gives it within two polls of the potentiostat."""
    return next((entry for entry in commands if entry["time_s"] >= time_s), None)


def _entries(run: RunDirectory) -> list[dict[str, Any]]:
    return [entry for entry in read_json_lines(run.truth) if isinstance(entry, dict)]


def comparison_tables(rows: list[dict[str, Any]]) -> list[Table]:
    """Return the comparison for people: first every published number by its id, then what else has a truth."""
    published = sorted((row for row in rows if row["published_id"]), key=lambda row: _order(row["published_id"]))
    others = [row for row in rows if not row["published_id"] and not row["repeated"]]
    experiments, folders = ({row[told] for row in rows} for told in ("experiment", "run"))
    several = "" if len(folders) < 2 else "experiment" if len(experiments) == len(folders) else "run"
    return [
        *([_table("published, true and measured", published, several)] if published else []),
        *([_table("also known in a rehearsal", others, several)] if others else []),
    ]


def _order(published_id: str) -> tuple[str, int, str]:
    """Return a key that puts A-2 before A-10."""
    letter, _, number = published_id.partition("-")
    digits = "".join(character for character in number if character.isdigit())
    return letter, int(digits or 0), number


def _table(title: str, rows: list[dict[str, Any]], several: str) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1),
        collapse_padding=True,  # fits 80 columns: texts are wrapped, never numbers cut
    )
    with_ids = any(row["published_id"] for row in rows)
    if with_ids:
        table.add_column("id", no_wrap=True)
    if several:
        table.add_column("run", overflow="fold")
    table.add_column("where", overflow="fold")
    table.add_column("quantity", min_width=11)
    for heading in (*(("published",) if with_ids else ()), "true", "measured", "ratio"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("remarks", overflow="fold")
    for row in rows:
        true, measured = row["true"], row["measured"]
        table.add_row(
            *([row["published_id"]] if with_ids else []),
            *([row[several]] if several else []),
            row["tomogram"],
            f"{row['name'].replace('_', ' ')}, {row['unit']}",
            *([_SIGNS[row["relation"]] + number_text(row["published"])] if with_ids else []),
            "-" if true is None else number_text(true),
            "-" if measured is None else number_text(measured, row["uncertainty"]),
            _ratio(row),
            _remarks(row),
        )
    return table


def _ratio(row: dict[str, Any]) -> str:
    """Return measured over true; of a truth that is less than the uncertainty it would say nothing."""
    true, measured = row["true"], row["measured"]
    return f"{measured / true:.3f}" if true and measured is not None and abs(true) > row["uncertainty"] else "-"


def _remarks(row: dict[str, Any]) -> str:
    if row["elsewhere"]:
        return f"a run of {row['elsewhere']} measures it"
    if row["measured"] is None:
        return "not measured"
    return ", ".join(flag.replace("_", " ") for flag in row["flags"])
