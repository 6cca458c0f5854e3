"""Commands that only look at runs and beamlines."""

import re
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from operando.cli.options import AsJson, OptionalRun, OptionalRuns, RunFolder, terminal
from operando.model.expendable import ANALYSIS_NICENESS, become_expendable


class MonitorPage(Enum):
    """Pages of the monitor's window."""

    NOW = "now"
    HISTORY = "history"
    INSIDE = "inside"
    HEALTH = "health"


class MonitorTheme(Enum):
    """Colours of the monitor's window."""

    DARK = "dark"
    LIGHT = "light"


def _size(text: str) -> str:
    if re.fullmatch(r"[1-9]\d{2,3}x[1-9]\d{2,3}", text) is None:
        raise typer.BadParameter(f"{text!r} is no size in pixels; write it as in 1366x768.")
    return text


def monitor(
    run: OptionalRun = None,
    headless: Annotated[
        Path | None,
        typer.Option("--headless", metavar="PNG", help="Draw the window into a PNG file, without a display."),
    ] = None,
    page: Annotated[MonitorPage, typer.Option(help="With --headless: which page.")] = MonitorPage.NOW,
    theme: Annotated[MonitorTheme, typer.Option(help="With --headless: its colours.")] = MonitorTheme.DARK,
    size: Annotated[
        str, typer.Option(metavar="WxH", help="With --headless: its size in pixels.", parser=_size)
    ] = "1366x768",
) -> None:
    """Open the monitor window on a run, living or over.

    It only reads and never commands anything; it may be opened and closed at any time, more than once, and on a copy
    of a run. Keys: 1 to 4 turn the pages, T changes between dark and light, F fills the screen, Ctrl+S saves what is
    seen, H tells the keys.
    """
    from operando.session.looking import look_at

    picture = ["--headless", str(headless), "--page", page.value, "--theme", theme.value, "--size", size]
    look_at("window", run, *([] if headless is None else picture))


def watch(
    run: OptionalRun = None,
    once: Annotated[bool, typer.Option("--once", help="Print once and end.")] = False,
) -> None:
    """Show the essentials of a run in the terminal."""
    from operando.session.looking import look_at

    look_at("watch", run, *(["--once"] if once else []))


def results(run: OptionalRun = None, json: AsJson = False) -> None:
    """Print what was measured, beside the published numbers."""
    from operando.session.reading import print_results

    print_results(run, terminal(), json=json)


def compare(runs: OptionalRuns = None, json: AsJson = False) -> None:
    """Print published, true and measured values side by side.

    Numbers of one publication may need several experiments: give all their runs. What was really there is known in
    rehearsals only.
    """
    from operando.session.reading import print_comparison

    print_comparison(runs or [], terminal(), json=json)


def report(
    run: RunFolder,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Where it goes (default: RUN/report).")
    ] = None,
    truth: Annotated[bool, typer.Option("--truth", help="Of a rehearsal: also print what was really there.")] = False,
) -> None:
    """Write a page about a run that opens without this software.

    index.html holds what was done, slices, numbers beside the published ones, data quality and provenance; tables for
    programs lie beside it. A run that goes on, or was cut off, is told as far as it came.
    """
    from operando.session.reporting import report_run

    become_expendable(niceness=ANALYSIS_NICENESS)
    report_run(run, output, terminal(), with_truth=truth)


def status(
    parent: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of runs, or one run.")] = Path("runs"),
) -> None:
    """Say which runs there are and which processes live.

    Of one run also what 'operando resume' would find and do. It looks only. Exit code: 0, or 2 if there is no such run.
    """
    from operando.session.status import print_status

    print_status(parent, terminal())


def devices(
    beamline: Annotated[Path, typer.Argument(metavar="BEAMLINE|RUN", help="Beamline file, or a run directory.")],
) -> None:
    """Connect to every device and print what it reads."""
    from operando.session.device_table import print_devices

    raise typer.Exit(print_devices(beamline, terminal()))
