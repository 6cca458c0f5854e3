"""How good the data are: frames, dead time, gaps, clocks, repaired pixels, flags."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from operando.model.frames import FrameKind
from operando.model.number_text import duration_text
from operando.session.report.cell_traces import CellTraces
from operando.session.report.run_story import RunStory, TomogramStory, is_number
from operando.session.report.time_plot import moment
from operando.session.report.words import flag_explained, flag_text

SIDES = ("expected", "acquired", "written", "declared", "dropped")
INSTRUMENTS = {"potentiostat": "potentiostat", "load_cell": "load cell", "temperature": "thermometer"}
MAX_GAPS_TOLD = 20


@dataclass(frozen=True)
class FrameRow:
    """Frames of one kind in one attempt; counts as texts, "–" where nobody said; ``agree`` whether all is as asked."""

    tomogram: str
    attempt: int
    outcome: str
    reason: str
    kind: str
    counts: tuple[str, ...]
    agree: bool


@dataclass(frozen=True)
class DeadTimeRow:
    """Seconds of one attempt by phase on the run's clock and, in brackets, the computer's."""

    tomogram: str
    attempt: int
    phases: tuple[str, ...]
    exposing_percent: str


@dataclass(frozen=True)
class InstrumentRow:
    """Samples of one instrument in the guard's log."""

    instrument: str
    num: int
    period: str
    not_good: str
    gaps: tuple[str, ...]


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


def frame_rows(story: RunStory) -> list[FrameRow]:
    """Return one row for each kind of frame of each attempt."""
    rows = []
    for tomogram in story.tomograms:
        for kind in FrameKind:
            counts = [tomogram.facts.get(f"{side}_{kind}") for side in SIDES]
            asked = tomogram.start.get(f"num_{'flats_after' if kind is FrameKind.FLAT_AFTER else kind + 's'}")
            if counts[0] is None:
                counts[0] = asked
            if kind is FrameKind.FLAT_AFTER and not counts[0]:
                continue
            told = tuple(f"{int(count)}" if is_number(count) else "–" for count in counts)
            agree = counts[0] == counts[1] == counts[2] == counts[3] and counts[4] == 0
            rows.append(
                FrameRow(tomogram.name, tomogram.attempt, tomogram.outcome, tomogram.reason, str(kind), told, agree)
            )
    return rows


def dead_time_phases(story: RunStory) -> list[str]:
    """Return the names of all phases in order of first appearance."""
    return list(dict.fromkeys(phase for tomogram in story.tomograms for phase in _dead_time(tomogram)))


def dead_time_rows(story: RunStory) -> list[DeadTimeRow]:
    """Return where the seconds of each attempt went."""
    phases = dead_time_phases(story)
    rows = []
    for tomogram in story.tomograms:
        spent = _dead_time(tomogram)
        if not spent:
            continue
        total_s = sum(clock_s for clock_s, _ in spent.values())
        exposure_s, num = tomogram.start.get("exposure_s"), tomogram.facts.get("acquired_projection")
        share = (
            100 * exposure_s * num / total_s if is_number(exposure_s) and is_number(num) and total_s > 0 else math.nan
        )
        rows.append(
            DeadTimeRow(
                tomogram.name,
                tomogram.attempt,
                tuple(f"{spent[phase][0]:.1f} ({spent[phase][1]:.1f})" if phase in spent else "–" for phase in phases),
                f"{share:.0f}" if math.isfinite(share) else "–",
            )
        )
    return rows


def _dead_time(tomogram: TomogramStory) -> dict[str, tuple[float, float]]:
    names, clock, wall = (tomogram.facts.get(f"dead_time_{key}") for key in ("phases", "clock_s", "wall_s"))
    if not (isinstance(names, list) and isinstance(clock, list) and isinstance(wall, list)):
        return {}
    return {
        str(name): (float(clock_s), float(wall_s))
        for name, clock_s, wall_s in zip(names, clock, wall, strict=False)
        if is_number(clock_s) and is_number(wall_s)
    }


def instrument_rows(traces: CellTraces) -> list[InstrumentRow]:
    """Return how each instrument was sampled."""
    rows = []
    for table, samples in traces.samples.items():
        periods = Counter(np.round(samples.period_s, 3).tolist()).most_common(3)
        bad = {word: num for word, num in samples.num_by_quality.items() if word != "OK"}
        gaps = [
            f"{moment(gap.begin_s)}, {duration_text(gap.end_s - gap.begin_s)}" for gap in samples.gaps[:MAX_GAPS_TOLD]
        ]
        if len(samples.gaps) > MAX_GAPS_TOLD:
            gaps.append(f"and {len(samples.gaps) - MAX_GAPS_TOLD} more")
        rows.append(
            InstrumentRow(
                INSTRUMENTS.get(table, table),
                samples.time_s.size,
                ", ".join(f"{period:g} s ({num})" for period, num in periods) or "–",
                ", ".join(f"{num} {word}" for word, num in bad.items()) or "none",
                tuple(gaps),
            )
        )
    return rows


def clock_sentences(traces: CellTraces, *, rehearsal: bool | None) -> list[str]:
    """Say how long the run lasted on each clock and how far the potentiostat's own ran from the run's."""
    told = []
    potentiostat = traces.samples.get("potentiostat")
    if potentiostat is None or potentiostat.time_s.size < 2:
        return ["Nothing was logged that could tell about clocks."]
    lasted_s = float(potentiostat.time_s[-1] - potentiostat.time_s[0])
    wall_s = float(potentiostat.wall_s[-1] - potentiostat.wall_s[0])
    if rehearsal:
        told.append(
            f"The rehearsal's clock went through {duration_text(lasted_s)} while {duration_text(max(wall_s, 0.0))} "
            "passed for the computer."
        )
    else:
        told.append(
            f"The log spans {duration_text(lasted_s)}; the computer's clock was at most "
            f"{float(np.max(np.abs(potentiostat.wall_s - potentiostat.time_s))):.3f} s beside the run's."
        )
    backwards = int(np.count_nonzero(np.diff(potentiostat.time_s) < 0))
    if backwards:
        told.append(f"The run's clock was set back {backwards} times.")
    elapsed = potentiostat.values["elapsed_s"]
    good = np.isfinite(elapsed) & potentiostat.good
    if np.count_nonzero(good) > 1:
        apart = elapsed[good] - potentiostat.time_s[good]
        drift_s = float(apart[-1] - apart[0])
        told.append(f"From first to last good sample the potentiostat's own time gained {drift_s:+.1f} s on the run's.")
    return told


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
