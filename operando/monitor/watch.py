"""The essentials of a run in a terminal."""

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from operando.model.clock import Clock, SystemClock
from operando.model.run_directory import RunDirectory
from operando.monitor.reading.run_reader import RunReader
from operando.monitor.reading.run_view import DISPLAYS, EventView, MeasurementView, RunView, age_text

PERIOD_S = 0.5
NUM_TOMOGRAMS = 8
MEASURED = {  # the columns, heading and decimals: what a person asks first; the last one with its uncertainty
    "voltage": ("voltage\nV", 3),
    "capacity": ("capacity\nmAh/g", 1),
    "stack_pressure": ("pressure\nMPa", 2),
    "high_attenuation_volume": ("bright volume\num3", None),
}
AXIS = {"rotation_axis": ("rotation axis\ncolumn", None)}  # of a replay nothing else may be known
NUM_ALARMS = 3


def watch(run: RunDirectory, console: Console, *, once: bool, host_clock: Clock | None = None) -> None:
    """Print the state of a run once, or keep it on the screen until Ctrl-C."""
    clock = SystemClock() if host_clock is None else host_clock
    reader = RunReader(run, clock, history_budget_s=0.0)
    try:
        if once:
            console.print(essentials(reader.update(), clock.now()))
            return
        with Live(essentials(reader.update(), clock.now()), console=console, auto_refresh=False) as live:
            while True:
                clock.sleep_until(clock.now() + PERIOD_S)
                live.update(essentials(reader.update(), clock.now()), refresh=True)
    except KeyboardInterrupt:
        return
    finally:
        reader.close()


def essentials(view: RunView, wall_s: float) -> Panel:
    """Return what a person asks first; ``wall_s`` is the host's present time, for the ages."""
    cell = Table.grid(padding=(0, 2))
    cell.add_column()
    cell.add_column(justify="right", style="bold")
    cell.add_column()
    cell.add_column(style="dim")
    for quantity, display in DISPLAYS.items():
        figure = view.figures[quantity]
        quality = "" if figure.quality in ("", "OK") else f" {figure.quality}"
        silent = " SILENT" if view.is_stale(figure, wall_s) and not view.ended else ""
        age = Text(age_text(wall_s - figure.wall_s) + quality + silent, style="bold red" if quality or silent else "")
        cell.add_row(quantity.value, display.text(figure.value), display.unit, age)
    parts: list[Text | Table] = [cell, Text(), _state(view), Text(view.tomogram_text)]
    if view.time_text:
        parts.append(Text(view.time_text))
    if view.recorded:
        parts.append(Text("replay of a recorded scan: the cell's values do not belong to it", style="yellow"))
    if view.measurements:
        parts += [Text(), _measurements(view)]
    parts += [Text(f"{event.kind}: {event.text}", style="red") for event in _alarms(view)]
    parts += [Text(problem, style="yellow") for problem in view.problems]
    word = view.kind_word or "not known yet whether a rehearsal"
    style = "yellow" if view.rehearsal else "white"
    return Panel(Group(*parts), title=Text(f"{word} · {view.name}", style=f"bold {style}"), border_style=style)


def _state(view: RunView) -> Text:
    danger = view.state in ("TRIPPED", "UNSAFE")
    text = Text.assemble("guard: ", (view.state or "nothing logged yet", "bold red" if danger else "bold"))
    if view.step and not view.ended:
        text.append(f" · step: {view.step}")
    if view.trip:
        text.append(f" · trip: {view.trip}", style="bold red")
    if view.ended:
        text.append(f" · run ended: {view.ended}")
    return text


def _measurements(view: RunView) -> Table:
    found = {(entry.tomogram, entry.name): entry for entry in view.measurements}
    known = {
        name: column for name, column in MEASURED.items() if any(entry.name == name for entry in view.measurements)
    }
    columns = known or AXIS
    table = Table(box=None, padding=(0, 2, 0, 0), title="measured", title_justify="left", title_style="dim")
    table.add_column("tomogram", vertical="bottom")
    for heading, _ in columns.values():
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("remarks", style="dim", vertical="bottom")
    for tomogram in list(dict.fromkeys(tomogram for tomogram, _ in found))[-NUM_TOMOGRAMS:]:
        flags = dict.fromkeys(flag for (owner, _), entry in found.items() if owner == tomogram for flag in entry.flags)
        texts = [_text(found.get((tomogram, name)), decimals) for name, (_, decimals) in columns.items()]
        table.add_row(tomogram, *texts, ", ".join(flag.replace("_", " ") for flag in flags))
    return table


def _text(entry: MeasurementView | None, decimals: int | None) -> str:
    if entry is None:
        return "–"
    return entry.text if decimals is None else f"{entry.value:.{decimals}f}"


def _alarms(view: RunView) -> list[EventView]:
    return [event for event in view.events if event.is_alarm and event.text != view.trip][-NUM_ALARMS:]
