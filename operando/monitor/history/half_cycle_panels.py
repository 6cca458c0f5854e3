"""What is drawn of half cycles: quantities against charge or time since each began, or dQ/dV against voltage."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from operando.monitor.history.differential_capacity import BIN_V, Values
from operando.monitor.history.half_cycles import HalfCycle
from operando.monitor.history.history_reading import HistoryRead
from operando.monitor.history.plot_axis import time_unit
from operando.monitor.history.plot_marks import PlotMark
from operando.monitor.reading.run_view import DISPLAYS, Quantity
from operando.monitor.theme import Look

DIFFERENTIAL = "dQ/dV"


@dataclass(frozen=True, eq=False)
class Line:
    """What is drawn of one half cycle, shape (num,) each; NaN breaks it."""

    half_cycle: HalfCycle
    x: Values
    y: Values


@dataclass(frozen=True, eq=False)
class Panel:
    """One plot: a name (of a quantity, or dQ/dV), its labels with units, and its lines."""

    name: str
    left: str
    bottom: str
    lines: tuple[Line, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """All its words."""
        return self.name, self.left, self.bottom


def half_cycle_panels(
    read: HistoryRead,
    shown: Sequence[HalfCycle],
    quantities: Sequence[Quantity],
    look: Look,
    *,
    against_charge: bool,
) -> tuple[tuple[Panel, ...], dict[str, list[PlotMark]]]:
    """Return the panels of half cycles with the marks on them, by quantity; without quantities that of dQ/dV."""
    if not quantities:
        return (differential_panel(read),), {}
    longest_s = max((entry.end_s - entry.begin_s for entry in shown), default=0.0)
    unit_s, _ = time_unit(longest_s)
    panels = quantity_panels(read, quantities, against_charge=against_charge, longest_s=longest_s)
    return panels, break_marks(read, shown, look, against_charge=against_charge, unit_s=unit_s)


def quantity_panels(
    read: HistoryRead, quantities: Sequence[Quantity], *, against_charge: bool, longest_s: float = 0.0
) -> tuple[Panel, ...]:
    """Return a panel for each quantity, against the charge or the time since each half cycle began."""
    unit_s, time_name = time_unit(longest_s)
    bottom = "charge passed in the half cycle" if against_charge else "time since the half cycle began"
    unit = read.unit.text if against_charge else time_name
    panels = []
    for quantity in quantities:
        display, is_charge = DISPLAYS[quantity], quantity is Quantity.CHARGE
        factor = display.factor * (read.unit.factor if is_charge else 1.0)
        lines = tuple(
            Line(
                curve.half_cycle,
                curve.passed_mah * read.unit.factor if against_charge else curve.elapsed_s / unit_s,
                curve.values * factor,
            )
            for curve in read.curves.get(quantity, ())
        )
        name = quantity.value.removeprefix("stack ")
        left = f"{name}<br>[{read.unit.text if is_charge else display.unit}]"
        panels.append(Panel(quantity.value, left, f"{bottom} [{unit}]", lines))
    return tuple(panels)


def differential_panel(read: HistoryRead) -> Panel:
    """Return the panel of dQ/dV."""
    lines = tuple(
        Line(curve.half_cycle, curve.voltages_v, curve.slopes_mah_v * read.unit.factor) for curve in read.differential
    )
    unit = "mAh/(g V)" if read.unit.is_specific else "mAh/V"
    bottom = f"voltage [V], in steps of {BIN_V * 1e3:.0f} mV; charge at held voltages left out"
    return Panel(DIFFERENTIAL, f"dQ/dV<br>[{unit}]", bottom, lines)


def cycle_colours(half_cycles: Sequence[HalfCycle], look: Look) -> dict[int, str]:
    """Return a colour for each cycle, in order; from the eighth on they come again."""
    cycles = sorted({entry.cycle for entry in half_cycles})
    series = look.colours.series
    return {cycle: series[number % len(series)] for number, cycle in enumerate(cycles)}


def value_at(line: Line, place: float) -> float:
    """Return the value of a line nearest to a place on its axis; NaN beyond its ends."""
    known = np.flatnonzero(np.isfinite(line.x) & np.isfinite(line.y))
    if len(known) == 0 or not line.x[known].min() <= place <= line.x[known].max():
        return float("nan")
    return float(line.y[known[np.argmin(np.abs(line.x[known] - place))]])


def break_marks(
    read: HistoryRead, shown: Sequence[HalfCycle], look: Look, *, against_charge: bool, unit_s: float
) -> dict[str, list[PlotMark]]:
    """Return marks of the largest slope breaks of half cycles that are shown, by quantity."""
    colours = cycle_colours(shown, look)
    marks: dict[str, list[PlotMark]] = {}
    for entry in read.breaks:
        for half_cycle in shown:
            if entry.found.is_main and half_cycle.begin_s <= entry.time_s <= half_cycle.end_s:
                if against_charge:
                    places = [entry.found.place + sign * entry.found.uncertainty for sign in (0, -1, 1)]
                else:
                    times_s = (entry.time_s, entry.begin_s, entry.end_s)
                    places = [(time_s - half_cycle.begin_s) / unit_s for time_s in times_s]
                colour, width = colours[half_cycle.cycle], look.px(1)
                marks.setdefault(entry.found.quantity.value, []).append(
                    PlotMark(places[0], colour, width, places[1], places[2])
                )
    return marks
