"""Printing what a run holds: results, comparison."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from live_analysis.results import read_measurements
from operando.model.experiment_file import load_experiment
from operando.model.run_directory import RunDirectory
from operando.session.comparison import ComparedRun, comparison, comparison_tables
from operando.session.layout import newest_run, open_run_directory
from operando.session.results_table import as_json, json_text, results_tables


def print_results(path: Path | None, console: Console, *, json: bool) -> None:
    """Print the measurements of a run as a table, or as a JSON list."""
    run = open_run_directory(path or newest_run())
    measurements = read_measurements(run.results)
    if json:
        print(as_json(measurements))
    elif measurements:
        console.print(*results_tables(load_experiment(run.experiment), measurements))
    else:
        console.print(f"{run.path.name}: nothing has been measured yet.")


def print_comparison(paths: Sequence[Path], console: Console, *, json: bool) -> None:
    """Print published, true and measured values of one or more runs side by side."""
    runs = [_compared(open_run_directory(path)) for path in paths or [newest_run()]]
    rows = comparison(runs)
    if json:
        print(json_text(rows))
    elif rows:
        console.print(*comparison_tables(rows))
    else:
        names = ", ".join(compared.run.path.name for compared in runs)
        console.print(f"{names}: nothing has been measured yet that could be compared.")


def _compared(run: RunDirectory) -> ComparedRun:
    return ComparedRun(run, load_experiment(run.experiment), read_measurements(run.results))
