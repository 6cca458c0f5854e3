"""The essentials of a run in a terminal."""

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from operando.model.clock import Clock, SystemClock
from operando.model.run_directory import RunDirectory
from operando.monitor.run_reader import RunReader
from operando.monitor.run_view import DISPLAYS, EventView, RunView, age_text

PERIOD_S = 0.5
NUM_MEASUREMENTS = 8
NUM_ALARMS = 3


def watch(run: RunDirectory, console: Console, *, once: bool, host_clock: Clock | None = None) -> None:
    """Print the state of a run once, or keep it on the screen until Ctrl-C."""
    clock = SystemClock() if host_clock is None else host_clock
    reader = RunReader(run)
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
        age = age_text(wall_s - figure.wall_s) + quality
        cell.add_row(quantity.value, display.text(figure.value), display.unit, age)
    parts: list[Text | Table] = [cell, Text(), _state(view), Text(_tomogram(view))]
    if view.measurements:
        parts += [Text(), _measurements(view)]
    parts += [Text(f"{event.kind}: {event.text}", style="red") for event in _alarms(view)]
    parts += [Text(problem, style="yellow") for problem in view.problems]
    word = {True: "REHEARSAL", False: "beamline", None: "not known yet whether a rehearsal"}[view.rehearsal]
    style = "yellow" if view.rehearsal else "white"
    return Panel(Group(*parts), title=Text(f"{word} · {view.name}", style=f"bold {style}"), border_style=style)


def _state(view: RunView) -> Text:
    danger = view.state in ("TRIPPED", "UNSAFE")
    text = Text.assemble("guard: ", (view.state or "nothing logged yet", "bold red" if danger else "bold"))
    if view.step:
        text.append(f" · step: {view.step}")
    if view.trip:
        text.append(f" · trip: {view.trip}", style="bold red")
    if view.ended:
        text.append(f" · run ended: {view.ended}")
    return text


def _tomogram(view: RunView) -> str:
    running = view.running_tomogram
    if running is not None:
        return f"tomogram {running.name}: projection {running.num_acquired} of {running.num_projections}"
    if not view.tomograms:
        return "no tomogram yet"
    last = view.tomograms[-1]
    reason = f" ({last.reason})" if last.reason else ""
    return f"{len(view.tomograms)} tomograms; last {last.name}: {last.exit_status}{reason}"


def _measurements(view: RunView) -> Table:
    table = Table(box=None, padding=(0, 2), title="last measurements", title_justify="left", title_style="dim")
    table.add_column("tomogram")
    table.add_column("quantity")
    table.add_column("value", justify="right")
    table.add_column("unit")
    table.add_column("flags")
    for entry in view.measurements[-NUM_MEASUREMENTS:]:
        table.add_row(entry.tomogram, entry.name, entry.text, entry.unit, ", ".join(entry.flags))
    return table


def _alarms(view: RunView) -> list[EventView]:
    return [event for event in view.events if event.is_alarm][-NUM_ALARMS:]
