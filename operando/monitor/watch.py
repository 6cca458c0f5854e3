"""The essentials of a run in a terminal."""

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from operando.model.clock import Clock, SystemClock
from operando.model.run_directory import RunDirectory
from operando.monitor.now.card_content import card_contents
from operando.monitor.now.limit_distance import Level
from operando.monitor.reading.frame_counts import lost_text
from operando.monitor.reading.run_processes import death_text, restart_text
from operando.monitor.reading.run_reader import RunReader
from operando.monitor.reading.run_view import MeasurementView, RunView

PERIOD_S = 0.5
HISTORY_BUDGET_S = 0.2  # of each look: capacity and the next tomogram's time need samples from before
NUM_TOMOGRAMS = 4  # with all else that is known these fit into 24 lines
MEASURED = {  # the columns, heading and decimals: what a person asks first; the last one with its uncertainty
    "voltage": ("voltage\nV", 3),
    "capacity": ("capacity\nmAh/g", 1),
    "stack_pressure": ("pressure\nMPa", 2),
    "high_attenuation_volume": ("bright volume\num3", None),
}
AXIS = {"rotation_axis": ("rotation axis\ncolumn", None)}  # of a replay nothing else may be known
NUM_ALARMS = 2


def watch(run: RunDirectory, console: Console, *, once: bool, host_clock: Clock | None = None) -> None:
    """Print the state of a run once, or keep it on the screen until Ctrl-C."""
    clock = SystemClock() if host_clock is None else host_clock
    reader = RunReader(run, clock, history_budget_s=HISTORY_BUDGET_S)
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
    parts: list[Text | Table] = [_cell(view, wall_s), *_absences(view, wall_s), _state(view), _tomogram(view)]
    parts += [Text(sentence) for sentence in (_next(view), _run(view)) if sentence]
    if view.recorded:
        parts.append(Text("replay of a recorded scan: the cell's values do not belong to it", style="yellow"))
    if view.measurements:
        parts.append(_measurements(view))
    parts += _alarms(view)
    parts += [Text(problem, style="yellow") for problem in view.problems]
    word = view.kind_word or "not known yet whether a rehearsal"
    style = "yellow" if view.rehearsal else "white"
    return Panel(Group(*parts), title=Text(f"{word} · {view.name}", style=f"bold {style}"), border_style=style)


def _cell(view: RunView, wall_s: float) -> Table:
    """Return a row for each figure: what is wrong with it comes before its age."""
    cell = Table.grid(padding=(0, 2))
    cell.add_column(no_wrap=True)
    cell.add_column(no_wrap=True, justify="right", style="bold")
    cell.add_column(no_wrap=True)
    cell.add_column(no_wrap=True)
    cell.add_column(style="dim")
    for card in card_contents(view, wall_s):
        words = " ".join((*card.words, *([] if card.level is Level.FINE else [card.level.upper()])))
        limit = card.limit_note if card.limit is None else card.limit.text
        more = " · ".join(filter(None, (card.below, limit)))
        age = Text(f"{words} " if words else "", style="bold red").append(card.age, style="not bold")
        cell.add_row(card.heading.lower(), card.number, card.unit, age, _in_one_line(more))
    return cell


def _in_one_line(text: str) -> Text:
    """Return what is cut off where a narrow terminal needs the room for numbers."""
    return Text(text, no_wrap=True, overflow="ellipsis")


def _absences(view: RunView, wall_s: float) -> list[Text]:
    deaths = [Text(death_text(process, wall_s), style="bold white on red") for process in view.missing]
    restarts = [Text(restart_text(process, wall_s), style="bold yellow") for process in view.restarted(wall_s)]
    return deaths + restarts


def _tomogram(view: RunView) -> Text:
    lost = view.situation.num_lost
    return Text.assemble(view.tomogram_text, (f" · {lost_text(view.situation.frames)}", "bold red") if lost else "")


def _next(view: RunView) -> str:
    if view.ended or not view.situation.triggers:
        return ""
    first = view.situation.triggers[0]
    when = first.when_text(view.now_s, clock_is_the_walls=view.rehearsal is False)
    return ", ".join(filter(None, (f"next: {first.text}", when)))


def _run(view: RunView) -> str:
    disk = view.situation.disk
    return " · ".join(filter(None, (view.time_text, "" if disk is None else f"disk: {disk.text}")))


def _state(view: RunView) -> Text:
    danger = view.state in ("TRIPPED", "UNSAFE")
    text = Text.assemble(
        "guard: ",
        (view.state or ("nothing logged yet" if view.log_is_read else "unknown"), "bold red" if danger else "bold"),
    )
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
        table.add_row(Text(tomogram), *texts, _in_one_line(", ".join(flag.replace("_", " ") for flag in flags)))
    return table


def _text(entry: MeasurementView | None, decimals: int | None) -> str:
    if entry is None:
        return "–"
    return entry.text if decimals is None else f"{entry.value:.{decimals}f}"


def _alarms(view: RunView) -> list[Text]:
    """Return what goes on and what came last; a trip stands beside the guard's state."""
    others = [alarm for alarm in view.situation.alarms if alarm.text != view.trip]
    last = sorted(others, key=lambda alarm: (alarm.is_on, alarm.time_s))[-NUM_ALARMS:]
    words = ["ON NOW " if alarm.is_on and not view.ended else "" for alarm in last]
    return [Text(f"{word}{alarm.word}: {alarm.text}", style="red") for word, alarm in zip(words, last, strict=True)]
