"""All numbers of a run beside the published ones: rows for the page and for ``measurements.csv``."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from operando.model.experiment import Experiment, Published
from operando.model.measurement import Measurement
from operando.model.number_text import number_text
from operando.session.report.run_story import RunStory, is_number
from operando.session.report.words import flag_text, printed, quantity_text, unit_text

SIGNS = {"about": "", "at most": "≤ ", "at least": "≥ "}
CHECKS = ("rotation_axis", "angular_coverage", "grey_scale_gain", "repaired_pixels")  # of the scan, not of the cell
HEADLINES = (
    "voltage",
    "capacity",
    "stack_pressure",
    "high_attenuation_volume",
    "crack_volume",
    "interface_shift",
    "particle_mode",
    "displacement_separator_side",
)


@dataclass(frozen=True)
class Row:
    """One number as it is printed; ``measurement`` is None where something was published but never measured."""

    owner: str
    quantity: str
    unit: str
    measured: str
    published: str
    published_id: str
    ratio: str
    true: str
    flags: str
    measurement: Measurement | None
    comparison: Published | None


@dataclass(frozen=True)
class Overview:
    """One line for each state: its most telling numbers."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def measured_rows(story: RunStory, experiment: Experiment | None, truth: Mapping[tuple[str, str], Any]) -> list[Row]:
    """Return everything measured, in order, and behind it what was published but not measured in this run."""
    newest = story.newest
    published: dict[tuple[str, str], list[Published]] = {}
    for entry in () if experiment is None else experiment.published:
        published.setdefault((entry.tomogram, entry.name), []).append(entry)
    rows = []
    for key, measurement in newest.items():
        own: list[Published | None] = [entry for entry in published.get(key, ()) if entry.elsewhere is None]
        rows += [_row(key, measurement, entry, truth.get(key)) for entry in own or [None]]
    for key, entries in published.items():
        others = [entry for entry in entries if entry.elsewhere is not None or key not in newest]
        rows += [_row(key, None, entry, None if entry.elsewhere else truth.get(key)) for entry in others]
    return rows


def grouped(rows: list[Row], order: Iterable[str]) -> list[tuple[str, list[Row]]]:
    """Return rows by the tomogram or step that they belong to, those in ``order`` first; checks of the scan last."""
    groups: dict[str, list[Row]] = {owner: [] for owner in order}
    for row in rows:
        groups.setdefault(row.owner, []).append(row)
    return [
        (owner, sorted(found, key=lambda row: row.measurement is not None and row.measurement.name in CHECKS))
        for owner, found in groups.items()
        if found
    ]


def overview(story: RunStory) -> Overview | None:
    """Return the table that fits one screen; None where no state was measured."""
    newest = story.newest
    states = [state.name for state in story.states if any(owner == state.name for owner, _ in newest)]
    names = [name for name in HEADLINES if any((state, name) in newest for state in states)]
    if not states or not names:
        return None
    units = {name: entry.unit for (_, name), entry in newest.items()}
    headings = tuple(f"{quantity_text(name)}, {unit_text(units[name])}" for name in names)
    rows = tuple((state, *(_short(newest.get((state, name))) for name in names)) for state in states)
    return Overview(("state", *headings), rows)


def _short(entry: Measurement | None) -> str:
    return (
        "–" if entry is None else printed(number_text(entry.value, entry.uncertainty)) + (" !" if entry.flags else "")
    )


def _row(key: tuple[str, str], entry: Measurement | None, published: Published | None, true: Any) -> Row:
    unit = entry.unit if entry is not None else published.unit if published is not None else ""
    ratio = ""
    if entry is not None and published is not None and published.value and published.relation == "about":
        same = entry.unit == published.unit and math.isfinite(entry.value)
        ratio = f"{entry.value / published.value:.3f}" if same else ""
    return Row(
        owner=key[0],
        quantity=quantity_text(key[1]),
        unit=unit_text(unit),
        measured=_why_not(published) if entry is None else printed(number_text(entry.value, entry.uncertainty)),
        published="" if published is None else _published(published, unit),
        published_id="" if published is None else published.id,
        ratio=ratio,
        true=printed(number_text(true + 0.0)) if is_number(true) else "",
        flags="" if entry is None else ", ".join(flag_text(flag) for flag in entry.flags),
        measurement=entry,
        comparison=published,
    )


def _why_not(published: Published | None) -> str:
    if published is None or published.elsewhere is None:
        return "not measured"
    return f"measured by {published.elsewhere}"


def _published(entry: Published, unit: str) -> str:
    words = SIGNS[entry.relation] + printed(number_text(entry.value))
    return words if entry.unit == unit else f"{words} {unit_text(entry.unit)}"
