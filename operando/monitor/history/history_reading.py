"""What the history needs beside the samples, read from the run directory in a reading thread."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, cast

from operando.model.json_lines import JsonLinesReader
from operando.model.run_directory import RunDirectory
from operando.monitor.history.charge_unit import ChargeUnit, read_charge_unit
from operando.monitor.history.event_marks import EventMark, EventMarkReader
from operando.monitor.history.half_cycle_curves import (
    DifferentialCurve,
    HalfCycleCurve,
    differential_curve,
    half_cycle_curve,
)
from operando.monitor.history.half_cycles import HalfCycle, find_half_cycles
from operando.monitor.history.plot_axis import ChargeAxis, charge_axis
from operando.monitor.history.slope_breaks import PlacedBreak, SlopeBreakStory, place_breaks
from operando.monitor.history.trace import Trace
from operando.monitor.reading.run_reader import LINES_BUDGET_S, LONGEST_LINE_BYTES
from operando.monitor.reading.run_view import Quantity, RunView

MOST_POINTS = 24_000  # of all curves of half cycles in one plot
MOST_POINTS_OF_ONE = 4000  # more than a screen has columns
LEAST_GROWTH = 1024  # parts of a half cycle; one or two of them more are drawn


@dataclass(frozen=True)
class Wanted:
    """What the page shows now: of which half cycles, and of them which quantities or dQ/dV."""

    half_cycles: tuple[HalfCycle, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    differential: bool = False

    def shows_the_same_as(self, other: "Wanted") -> bool:
        """Whether the same quantities, or dQ/dV, are wanted, perhaps of other half cycles."""
        return self.quantities == other.quantities and self.differential == other.differential


UNKNOWN_UNIT, NOTHING_WANTED = ChargeUnit(), Wanted()


@dataclass(frozen=True)
class HistoryRead:
    """What was read and computed; ``settled`` if that is all there was to read."""

    unit: ChargeUnit = UNKNOWN_UNIT
    marks: tuple[EventMark, ...] = ()
    half_cycles: tuple[HalfCycle, ...] = ()
    axis: ChargeAxis | None = None
    breaks: tuple[PlacedBreak, ...] = ()
    curves: dict[Quantity, tuple[HalfCycleCurve, ...]] = field(default_factory=dict)
    differential: tuple[DifferentialCurve, ...] = ()
    num_unplaced: int = 0
    wanted: Wanted = NOTHING_WANTED
    problems: tuple[str, ...] = ()
    settled: bool = False


class HistoryReading:
    """Reads again what may have changed; :meth:`read` is called from one thread."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._marks = EventMarkReader(run.cell_log)
        self._begin_lines_anew()
        self._told: tuple[EventMark, ...] = ()
        self._unit = ChargeUnit()
        self._version: tuple[object, ...] = ()
        self._half_cycles: tuple[HalfCycle, ...] = ()
        self._axis: ChargeAxis | None = None
        self._placed_of: tuple[object, ...] = ()
        self._placed: tuple[PlacedBreak, ...] = ()
        self._kept: dict[tuple[object, ...], object] = {}  # curves by what they are of
        self._used: dict[tuple[object, ...], object] = {}

    def read(self, view: RunView, wanted: Wanted) -> HistoryRead:
        """Read what was added, and compute what is wanted from a view's traces."""
        if self._schedule.is_another or self._results.is_another:
            self._begin_lines_anew()
        problems = [
            *self._try("schedule.jsonl", self._read_schedule),
            *self._try("results.jsonl", self._read_results),
            *self._try("cell.sqlite", self._read_marks),
        ]
        if not self._unit.is_specific:
            self._unit = read_charge_unit(self._run.experiment)
        charge = view.traces[Quantity.CHARGE]
        current = view.traces[Quantity.CURRENT]
        version = (*charge.version, self._unit)
        if version != self._version:
            self._version = version
            self._half_cycles = find_half_cycles(charge.times_s, current.values, charge.values)
            self._axis = charge_axis(charge, self._half_cycles, factor=self._unit.factor, unit=self._unit.text)
        shown = self._present(wanted.half_cycles)
        num_bins = min(MOST_POINTS // (2 * max(len(shown), 1)), MOST_POINTS_OF_ONE // 2)
        placed = self._place_breaks(charge)
        read = HistoryRead(
            unit=self._unit,
            marks=self._told,
            half_cycles=self._half_cycles,
            axis=self._axis,
            breaks=placed,
            num_unplaced=len(self._breaks.found) - len(placed) if charge.unread is None else 0,
            wanted=wanted,
            curves={
                quantity: tuple(self._curve(entry, view, quantity, num_bins) for entry in shown)
                for quantity in wanted.quantities
            },
            differential=tuple(self._differential(entry, view) for entry in shown) if wanted.differential else (),
            problems=tuple(problems),
            settled=view.history_is_complete and not (self._schedule.has_more or self._results.has_more),
        )
        self._kept, self._used = self._used, {}
        return read

    def _curve(self, half_cycle: HalfCycle, view: RunView, quantity: Quantity, num_bins: int) -> HalfCycleCurve:
        trace, charge = view.traces[quantity], view.traces[Quantity.CHARGE]
        key = self._stage(half_cycle), quantity, num_bins
        return cast(HalfCycleCurve, self._once(key, lambda: half_cycle_curve(half_cycle, trace, charge, num_bins)))

    def _differential(self, half_cycle: HalfCycle, view: RunView) -> DifferentialCurve:
        traces = (view.traces[quantity] for quantity in (Quantity.VOLTAGE, Quantity.CHARGE, Quantity.CURRENT))
        key = (self._stage(half_cycle),)
        return cast(DifferentialCurve, self._once(key, lambda: differential_curve(half_cycle, *traces)))

    def _once(self, key: tuple[object, ...], compute: Callable[[], object]) -> object:
        """Compute what was not computed for the last call; the same object is not drawn again."""
        self._used[key] = self._kept[key] if key in self._kept else compute()
        return self._used[key]

    def _stage(self, half_cycle: HalfCycle) -> HalfCycle:
        """Return what a half cycle is known by; while one grows it is the same until a part that can be seen is new."""
        if half_cycle is not self._half_cycles[-1]:
            return half_cycle
        num = half_cycle.stop - half_cycle.start
        seen = num - num % max((1 << num.bit_length()) // LEAST_GROWTH, 1)
        return replace(half_cycle, stop=half_cycle.start + seen, end_s=0.0, charge_mah=0.0)

    def _place_breaks(self, charge: Trace) -> tuple[PlacedBreak, ...]:
        """Place the breaks; what comes later moves none of them, as their steps have ended."""
        found, (first, _, generation, *_) = self._breaks.found, (*charge.version, 0, 0, 0)
        of = found, self._unit, first, generation, charge.unread is None, len(charge) > 0
        if of != self._placed_of:
            self._placed_of, self._placed = of, place_breaks(found, self._breaks.begun_s, charge, self._unit)
        return self._placed

    def _present(self, wanted: tuple[HalfCycle, ...]) -> tuple[HalfCycle, ...]:
        """Return the half cycles that were chosen as they are in this view: longer, or elsewhere among its samples."""
        begins_s = {entry.begin_s for entry in wanted}
        return tuple(entry for entry in self._half_cycles if entry.begin_s in begins_s)

    @staticmethod
    def _try(name: str, read: Callable[[], None]) -> list[str]:
        try:
            read()
        except (OSError, sqlite3.Error, ValueError) as error:
            return [f"{name} cannot be read ({error})"]
        return []

    def _begin_lines_anew(self) -> None:
        self._schedule = JsonLinesReader(self._run.schedule, longest_bytes=LONGEST_LINE_BYTES)
        self._results = JsonLinesReader(self._run.results, longest_bytes=LONGEST_LINE_BYTES)
        self._breaks = SlopeBreakStory()

    def _read_schedule(self) -> None:
        for line in _some_lines(self._schedule):
            self._breaks.add_schedule_line(line)

    def _read_results(self) -> None:
        for line in _some_lines(self._results):
            self._breaks.add_result(line)

    def _read_marks(self) -> None:
        self._told = self._marks.read()


def _some_lines(lines: JsonLinesReader) -> Iterator[Any]:
    """Return what there is time for; the rest comes with the next call."""
    give_up_s = perf_counter() + LINES_BUDGET_S
    return lines.new_values(lambda: perf_counter() > give_up_s)
