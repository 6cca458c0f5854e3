"""How complete the tomograms are: frames counted from four sides, and where the seconds went."""

import math
from dataclasses import dataclass

from operando.model.frames import FrameKind
from operando.session.report.run_story import RunStory, TomogramStory, is_number

SIDES = ("expected", "acquired", "written", "declared", "dropped")


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
    """Seconds of one attempt by phase on the run's clock and, in brackets, the computer's.

    ``software`` are those of the run's clock in which no instrument did anything.
    """

    tomogram: str
    attempt: int
    phases: tuple[str, ...]
    software: str
    exposing_percent: str


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
                _software(tomogram),
                f"{share:.0f}" if math.isfinite(share) else "–",
            )
        )
    return rows


def _software(tomogram: TomogramStory) -> str:
    """Return the seconds that software cost; runs of older versions do not say."""
    spent = tomogram.facts.get("dead_time_software_s")
    numbers = [each for each in spent if is_number(each)] if isinstance(spent, list) else []
    return f"{sum(numbers):.2f}" if numbers else "–"


def _dead_time(tomogram: TomogramStory) -> dict[str, tuple[float, float]]:
    names, clock, wall = (tomogram.facts.get(f"dead_time_{key}") for key in ("phases", "clock_s", "wall_s"))
    if not (isinstance(names, list) and isinstance(clock, list) and isinstance(wall, list)):
        return {}
    return {
        str(name): (float(clock_s), float(wall_s))
        for name, clock_s, wall_s in zip(names, clock, wall, strict=False)
        if is_number(clock_s) and is_number(wall_s)
    }
