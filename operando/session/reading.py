"""Printing what a run holds: results, comparison, status."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from live_analysis.results import read_measurements
from operando.model.document_lines import read_documents
from operando.model.experiment_file import load_experiment
from operando.model.run_directory import RunDirectory
from operando.session.comparison import ComparedRun, comparison, comparison_tables
from operando.session.layout import RunDirectoryError, newest_run, open_run_directory
from operando.session.processes import read_pid_files
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


def print_status(parent: Path, console: Console) -> None:
    """Print the runs under a folder, or one run, with the processes that live and how the run ended."""
    if (parent / "experiment.toml").is_file():
        runs = [RunDirectory(parent.resolve())]
    elif parent.is_dir():
        runs = [
            RunDirectory(path.resolve()) for path in sorted(parent.iterdir()) if (path / "experiment.toml").is_file()
        ]
    else:
        raise RunDirectoryError(f"{parent}: there is no such folder. Give a folder of runs, or one run.")
    if not runs:
        console.print(f"{parent}: holds no run.")
        return
    table = Table("run", "tomograms", "state", "living processes")
    for run in runs:
        num_tomograms, state = _how_it_stands(run)
        records = read_pid_files(run.processes)
        living = [f"{record.role} ({record.pid})" for record in records if record.alive]
        acquisition = next((record for record in records if record.role == "acquisition"), None)
        if state == "not ended" and acquisition is None and not run.documents.exists():
            state = "ended before it began"  # only a process that ends in order takes its pid file away
        elif state == "not ended" and (acquisition is None or not acquisition.alive):
            state = "acquisition died" if living else "died"
        table.add_row(run.path.name, str(num_tomograms), state, ", ".join(living) or "none")
    console.print(table)


def _how_it_stands(run: RunDirectory) -> tuple[int, str]:
    num_tomograms, outer, state = 0, None, "not ended"
    for name, document in read_documents(run.documents):
        if name == "start" and document.get("kind") == "experiment":
            outer, state = document["uid"], "not ended"
        elif name == "start" and document.get("kind") == "tomogram":
            num_tomograms += 1
        elif name == "stop" and document.get("run_start") == outer:
            state = document["exit_status"] + (f": {document['reason']}" if document.get("reason") else "")
    return num_tomograms, state
