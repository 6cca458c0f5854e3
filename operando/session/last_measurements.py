"""When nothing more is acquired: the last measurements are waited for and printed, and the report is written."""

from rich.console import Console

from live_analysis.results import read_analysis_runs, read_measurements
from operando.model.clock import SystemClock
from operando.model.experiment import Experiment
from operando.model.run_directory import RunDirectory
from operando.session.errors import EXIT_COMPLETE, EXIT_FAILED
from operando.session.processes import ChildProcess, Supervisor
from operando.session.results_table import results_tables

ANALYSIS_TIMEOUT_S = 1800.0
MAX_RESTARTS = 3


def watched(analysis: ChildProcess, console: Console) -> Supervisor:
    """Return who restarts an analysis that dies, and says so."""
    return Supervisor(
        analysis,
        on_restart=lambda code: console.print(f"The analysis died (exit {code}) and was restarted.", style="bold red"),
        max_restarts=MAX_RESTARTS,
    )


def sum_up(run: RunDirectory, experiment: Experiment, watcher: Supervisor, console: Console) -> int:
    """Wait for the last measurements, print them and write the report; return the exit code that they are worth."""
    exit_code = EXIT_COMPLETE
    with console.status("waiting for the last measurements ..."):
        finished = watcher.wait_finished(ANALYSIS_TIMEOUT_S)
    if not finished:
        exit_code = EXIT_FAILED
        console.print("The analysis did not finish; 'operando analyse RUN' finishes it.", style="red")
    analysed = read_analysis_runs(run.results)
    last = {entry.tomogram: entry for entry in analysed}  # an attempt that was taken again is told, not judged
    for entry in analysed:
        if entry.failures:
            exit_code = EXIT_FAILED if entry is last[entry.tomogram] else exit_code
            told = f"{entry.tomogram} could not be analysed: {' '.join(entry.failures)}"
            console.print(told, style="red", markup=False, highlight=False)
    measurements = read_measurements(run.results)
    if measurements:
        console.print(*results_tables(experiment, measurements))
    _write_report(run, console)
    return exit_code


def _write_report(run: RunDirectory, console: Console) -> None:
    try:
        with console.status("writing the report ..."):
            from operando.session.report.writing import write_report  # a second of loading that no start waits for

            page = write_report(run, written_s=SystemClock().now())
        console.print(f"Report: {page}", highlight=False)
    except Exception as error:  # a report never decides how a run ended
        sentence = f"The report could not be written ({error}); 'operando report {run.path}' tries again."
        console.print(sentence, style="red", markup=False, highlight=False)
