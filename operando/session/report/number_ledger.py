"""How far numbers can be trusted: pixels that were repaired, flags in words."""

from dataclasses import dataclass
from typing import Any

from operando.session.report.run_story import RunStory
from operando.session.report.words import flag_explained, flag_text


@dataclass(frozen=True)
class RepairRow:
    """What was done to the counts of a tomogram."""

    tomogram: str
    part: str
    details: str


@dataclass(frozen=True)
class FlagRow:
    """A flag, what it means and which numbers carry it."""

    flag: str
    meaning: str
    carried_by: str


def repair_rows(story: RunStory) -> list[RepairRow]:
    """Return which part of all values was made from neighbours, and what else was done to the counts."""
    rows = []
    for (owner, name), entry in story.newest.items():
        if name == "repaired_pixels":
            details = ", ".join(f"{_words(key)}: {_value(value)}" for key, value in entry.details.items())
            rows.append(RepairRow(owner, f"{1e6 * entry.value:.1f}", details))
    return rows


def flag_rows(story: RunStory) -> list[FlagRow]:
    """Return all flags of the newest values."""
    carried: dict[str, dict[str, list[str]]] = {}
    for (owner, name), entry in story.newest.items():
        for flag in entry.flags:
            carried.setdefault(flag, {}).setdefault(owner, []).append(name.replace("_", " "))
    return [
        FlagRow(
            flag_text(flag),
            flag_explained(flag) or "the documents of the analysis do not explain it here",
            "; ".join(f"{owner}: {', '.join(names)}" for owner, names in owners.items()),
        )
        for flag, owners in carried.items()
    ]


def _words(key: str) -> str:
    return key.replace("num_", "number of ", 1).replace("_", " ") if key.startswith("num_") else key.replace("_", " ")


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
