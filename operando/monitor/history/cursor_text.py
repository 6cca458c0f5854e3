"""What is told of the place that a person points at."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from math import isfinite

from operando.monitor.history.charge_unit import ChargeUnit
from operando.monitor.history.half_cycle_panels import Panel
from operando.monitor.history.half_cycles import HalfCycle
from operando.monitor.history.plot_axis import TimeAxis
from operando.monitor.history.trace_samples import values_near
from operando.monitor.reading.run_view import DISPLAYS, Quantity, RunView
from operando.monitor.theme import Look

SERIES = {quantity: number for number, quantity in enumerate(Quantity)}  # colours of the traces


def time_text(view: RunView, axis: TimeAxis, time_s: float) -> str:
    """Write a time since the start in the plot's unit, and date and time of day; a rehearsal's are its own clock's."""
    unit = {1.0: "s", 60.0: "min", 3600.0: "h"}[axis.unit_s]
    since = (time_s - axis.start_s) / axis.unit_s
    try:
        clock = datetime.fromtimestamp(time_s).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, OSError, ValueError):
        clock = "no date"
    return f"{since:.3f} {unit} · {clock}" + (" on the rehearsal's clock" if view.rehearsal else "")


def value_text(quantity: Quantity, values: tuple[float, float] | None, unit: ChargeUnit) -> str:
    """Write what was sampled with its unit; two values while only the least and the largest are known."""
    display = DISPLAYS[quantity]
    if quantity is Quantity.CHARGE and unit.is_specific:
        texts = ["–"] if values is None else [f"{value * unit.factor:.2f}" for value in dict.fromkeys(values)]
        return f"{' to '.join(texts)} {unit.text}"
    texts = ["–"] if values is None else [display.text(value) for value in dict.fromkeys(values)]
    return f"{' to '.join(texts)} {display.unit}"


def samples_html(view: RunView, axis: TimeAxis, time_s: float, unit: ChargeUnit, look: Look) -> str:
    """Write the samples of all traces nearest to a time, each in its trace's colour."""
    if not isfinite(time_s):
        return ""
    told = [f"<b>{escape(time_text(view, axis, time_s), quote=False)}</b>"]
    for quantity, trace in view.traces.items():
        colour = look.colours.series[SERIES[quantity]]
        text = value_text(quantity, values_near(trace, time_s), unit)
        name = quantity.value.removeprefix("stack ")
        told.append(f'<span style="color: {colour}">{name} <b>{escape(text)}</b></span>')
    return " &nbsp; ".join(told)


def near_html(texts: Sequence[str], most: int = 3) -> str:
    """Write what lies near the cursor, the first few of it."""
    more = f" · and {len(texts) - most} more" if len(texts) > most else ""
    return " · ".join(escape(text) for text in texts[:most]) + more


def half_cycle_values_html(
    panel: Panel, place: float, values: Sequence[tuple[HalfCycle, float, str]]
) -> tuple[str, str]:
    """Write a place on a panel's axis and the values of discharges there, and those of charges, in their colours."""
    lines = []
    for is_charge, name in ((False, "discharge"), (True, "charge")):
        told = [
            f'<span style="color: {colour}">cycle {entry.cycle} <b>{escape(_with_unit(panel.left, value))}</b></span>'
            for entry, value, colour in values
            if entry.is_charge is is_charge
        ]
        begins = f"<b>{escape(_with_unit(panel.bottom, place))}</b> {escape(panel.name)}, {name}:"
        lines.append(" &nbsp; ".join([begins, *told]) if told else "")
    return lines[0], lines[1]


def _with_unit(label: str, value: float) -> str:
    return f"{value:.5g} {label.partition('[')[2].partition(']')[0]}"
