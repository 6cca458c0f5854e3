"""Commands that only look at runs and beamlines."""

from pathlib import Path
from typing import Annotated

import typer

from operando.cli.options import AsJson, OptionalRun, OptionalRuns, RunFolder, terminal


def monitor(
    run: OptionalRun = None,
    headless: Annotated[
        Path | None,
        typer.Option("--headless", metavar="PNG", help="Draw the window into a PNG file, without a display."),
    ] = None,
) -> None:
    """Open the monitor window on a run; it never commands anything."""
    from operando.session.looking import look_at

    look_at("window", run, *([] if headless is None else ["--headless", str(headless)]))


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
