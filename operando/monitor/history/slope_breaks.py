"""Where live analysis found that the slope of the pressure or the voltage breaks, and when the run passed there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

import numpy as np

from operando.model.number_text import number_text
from operando.monitor.history.charge_unit import ChargeUnit
from operando.monitor.history.trace import Trace
from operando.monitor.history.trace_samples import stretches
from operando.monitor.reading.run_view import Quantity
from operando.monitor.reading.shown_text import shown_name

NAMES = {"pressure_slope_break": Quantity.PRESSURE, "voltage_step": Quantity.VOLTAGE}  # of measurements
WORDS = {Quantity.PRESSURE: "slope of the pressure breaks", Quantity.VOLTAGE: "voltage step"}


@dataclass(frozen=True)
class FoundBreak:
    """A break as it was measured: in mAh/g since a step began; ``is_main`` is the largest of its step."""

    quantity: Quantity
    step: str
    end_s: float
    place: float
    uncertainty: float
    is_main: bool

    @property
    def short_text(self) -> str:
        """Where it is, with one standard deviation."""
        word = "slope break" if self.quantity is Quantity.PRESSURE else "voltage step"
        return f"{word} at {number_text(self.place, self.uncertainty)} mAh/g"

    @property
    def text(self) -> str:
        """What was found, with one standard deviation."""
        place, main = number_text(self.place, self.uncertainty), "" if self.is_main else " (not the largest)"
        return f"{WORDS[self.quantity]} at {place} mAh/g of {shown_name(self.step)}{main}"


@dataclass(frozen=True)
class PlacedBreak:
    """A break with the times in s since 1970 at which its charge and those one standard deviation off had passed."""

    found: FoundBreak
    step_begin_s: float
    time_s: float
    begin_s: float
    end_s: float


class SlopeBreakStory:
    """Takes lines of the schedule and of the results; what is not understood is left out."""

    def __init__(self) -> None:
        self._begun_s: dict[str, list[float]] = {}
        self._measured: dict[str, tuple[FoundBreak, ...]] = {}
        self._replaced: set[str] = set()

    @property
    def begun_s(self) -> Mapping[str, Sequence[float]]:
        """When each step was begun, in order, by its name."""
        return self._begun_s

    @property
    def found(self) -> tuple[FoundBreak, ...]:
        """All breaks but those of measurements that others replace; of a step that was measured again the newest."""
        newest: dict[tuple[str, Quantity], tuple[FoundBreak, ...]] = {}
        for uid, breaks in self._measured.items():
            if uid not in self._replaced:
                newest[breaks[0].step, breaks[0].quantity] = breaks
        return tuple(entry for breaks in newest.values() for entry in breaks)

    def add_schedule_line(self, line: Any) -> None:
        """Take one line of ``schedule.jsonl``."""
        try:
            if line["event"] == "intent" and line["entry"] == "step":
                self._begun_s.setdefault(str(line["name"]), []).append(float(line["time"]))
        except (KeyError, OverflowError, TypeError, ValueError):
            return

    def add_result(self, line: Any) -> None:
        """Take one line of ``results.jsonl``."""
        try:
            name, document = line
            if name == "event" and document["data"].get("name") in NAMES:
                breaks = tuple(_breaks(document["data"]))
                if breaks:
                    self._measured[str(document["uid"])] = breaks
                    self._replaced.add(str(document["data"].get("replaces")))
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
            return


def place_breaks(
    found: Sequence[FoundBreak], begun_s: Mapping[str, Sequence[float]], charge: Trace, unit: ChargeUnit
) -> tuple[PlacedBreak, ...]:
    """Find when the charge of each break had passed; those of which the log or the schedule does not tell are left out.

    Parameters
    ----------
    found
        Breaks in mAh/g since a step began.
    begun_s
        When each step was begun, in s since 1970; a step that was begun again counts from the last time before its end.
    charge
        The logged charge in mAh, signed.
    unit
        Leads from mAh to mAh/g; without a mass nothing is placed.
    """
    placed = []
    for entry in found if unit.is_specific else ():
        begin_s = max((time_s for time_s in begun_s.get(entry.step, ()) if time_s <= entry.end_s), default=nan)
        places_mah = np.array([0.0, -entry.uncertainty, entry.uncertainty]) + entry.place
        times_s = _times_passed(charge, begin_s, entry.end_s, np.maximum(places_mah, 0.0) / unit.factor)
        if np.isfinite(times_s).all():
            placed.append(PlacedBreak(entry, begin_s, *(float(time_s) for time_s in times_s)))
    return tuple(placed)


def _times_passed(charge: Trace, begin_s: float, end_s: float, passed_mah: Any) -> Any:
    """Return when so much charge had passed since ``begin_s``; NaN if the log does not tell."""
    if not (isfinite(begin_s) and isfinite(end_s)):
        return np.full(len(passed_mah), nan)
    parts = list(stretches(charge, begin_s, float(np.nextafter(end_s, np.inf))))
    if not parts:
        return np.full(len(passed_mah), nan)
    times_s = np.concatenate([charge.times_s[part] for part in parts])
    values = np.concatenate([charge.values[part] for part in parts]).astype(np.float64)
    known = np.isfinite(values)
    times_s, values = times_s[known], values[known]
    if len(values) == 0:
        return np.full(len(passed_mah), nan)
    passed = np.maximum.accumulate(np.abs(values - values[0]))
    after = np.searchsorted(passed, passed_mah)
    # One standard deviation may lie beyond the end of the step; the break itself does not.
    after = np.where(np.arange(len(after)) > 0, np.minimum(after, len(passed) - 1), after)
    if after[0] >= len(passed):
        return np.full(len(passed_mah), nan)
    before = np.maximum(after - 1, 0)
    span = passed[after] - passed[before]
    share = np.clip((passed_mah - passed[before]) / np.where(span > 0, span, 1.0), 0.0, 1.0)
    return times_s[before] + share * (times_s[after] - times_s[before])


def _breaks(data: dict[str, Any]) -> Iterator[FoundBreak]:
    quantity, step, end_s = NAMES[data["name"]], str(data["tomogram"]), float(data["time"])
    main = float(data["value"])
    told = [(main, data.get("uncertainty"), True)]
    details = data.get("details")
    for other in details.get("all_breaks", ()) if isinstance(details, dict) else ():
        if float(other["place"]) != main:
            told.append((float(other["place"]), other.get("uncertainty"), False))
    for place, uncertainty, is_main in told:
        known = float(uncertainty) if uncertainty is not None and isfinite(float(uncertainty)) else 0.0
        if isfinite(place):
            yield FoundBreak(quantity, step, end_s, place, known, is_main)
