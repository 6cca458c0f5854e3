"""One experiment from its file to its results: makes the run directory, starts the processes, acquires, sums up."""

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from live_analysis.results import read_analysis_runs, read_measurements
from operando.guard.life import has_guard
from operando.model.attendance import LONGEST_ALONE_S
from operando.model.clock import SystemClock
from operando.model.experiment import Experiment
from operando.model.experiment_file import load_experiment
from operando.model.number_text import duration_text
from operando.model.run_directory import RunDirectory
from operando.session.acquisition import Acquisition
from operando.session.beamline_probe import refuse_incomplete_beamline
from operando.session.check import chosen_geometry, refuse_what_cannot_be
from operando.session.errors import EXIT_FAILED, EXIT_STOPPED
from operando.session.injecting import refuse_wrong_faults
from operando.session.interrupt import Interrupted, one_interrupt
from operando.session.layout import make_run_directory, refuse_used_directory
from operando.session.processes import ChildProcess, ProcessError, Supervisor, read_pid_files, write_pid_file
from operando.session.report.writing import write_report
from operando.session.results_table import results_tables
from plans.report import Wishes

ANALYSIS_TIMEOUT_S = 1800.0


@dataclass(frozen=True)
class RunRequest:
    """What was asked on the command line."""

    experiment_file: Path
    beamline_file: Path | None
    geometry: str | None
    run_directory: Path | None
    seed: int | None
    recorded: Path | None = None
    epoch_s: float | None = None
    longest_alone_s: float = LONGEST_ALONE_S
    angle_unit: str | None = None
    faults: Path | None = None


def run_experiment(request: RunRequest, console: Console) -> int:
    """Run an experiment, or rehearse it when no beamline file is given; return the exit code."""
    if request.run_directory is not None:
        refuse_used_directory(request.run_directory)
    experiment = load_experiment(request.experiment_file)
    rehearsal = request.beamline_file is None
    if request.faults is not None:
        refuse_wrong_faults(request.faults, rehearsal=rehearsal)
    geometry = chosen_geometry(experiment, request.geometry, rehearsal=rehearsal, file=request.experiment_file)
    refuse_what_cannot_be(
        request.experiment_file,
        experiment,
        geometry,
        beamline_file=request.beamline_file,
        directory=request.run_directory,
        replayed=request.recorded is not None,
    )
    if request.beamline_file is not None:
        refuse_incomplete_beamline(
            request.beamline_file,
            sample_out_mm=experiment.tomogram.sample_out,
            sample_in_mm=experiment.tomogram.sample_in,
        )
    run = make_run_directory(request.experiment_file, experiment.experiment.name, directory=request.run_directory)
    write_pid_file(run.processes, "acquisition")
    console.print(
        f"{'REHEARSAL' if rehearsal else 'Experiment'} {experiment.experiment.name} ({geometry}) in {run.path}"
    )
    with one_interrupt() as no_more_interrupts, contextlib.ExitStack() as ending:
        ending.callback((run.processes / "acquisition.pid").unlink, missing_ok=True)
        try:
            return _run(request, experiment, geometry, run, console, ending)
        except (ProcessError, OSError) as error:  # as of a full disk
            console.print(f"The run could not go on: {error}", style="bold red", highlight=False, markup=False)
            return EXIT_FAILED
        except Interrupted:  # while processes start or the last measurements are made
            console.print(f"Stopped. Everything is in {run.path}", highlight=False, markup=False)
            return EXIT_STOPPED
        finally:
            no_more_interrupts()


def _run(
    request: RunRequest,
    experiment: Experiment,
    geometry: str,
    run: RunDirectory,
    console: Console,
    ending: contextlib.ExitStack,
) -> int:
    rehearsal = request.beamline_file is None
    wishes = Wishes()
    if request.beamline_file is None:
        beamline_file = _start_simulator(request, geometry, run, wishes, ending)
    else:
        beamline_file = request.beamline_file
    shutil.copyfile(beamline_file, run.beamline)

    alone = ["--longest-alone", repr(request.longest_alone_s)]
    guard = ChildProcess("guard", ["guard", str(run.path), *alone], run.processes)
    if rehearsal:
        ending.callback(_end_unless_left, guard, wishes)
    else:  # a beamline's guard goes on guarding the cell
        ending.callback(_tell_of_guard, guard, wishes, console)
    guard.start()
    guard.wait_ready()
    supervisor = Supervisor(
        guard,
        on_restart=lambda code: console.print(f"The guard died (exit {code}) and was restarted.", style="bold red"),
        taken_over=lambda: has_guard(run),
    )
    ending.callback(supervisor.stop)

    analysis = ChildProcess("analysis", ["analyse", str(run.path), "--follow", *alone], run.processes)
    ending.callback(analysis.end)
    analysis.start()
    watcher = Supervisor(
        analysis,
        on_restart=lambda code: console.print(f"The analysis died (exit {code}) and was restarted.", style="bold red"),
        max_restarts=3,
    )
    ending.callback(watcher.stop)

    acquisition = Acquisition(run, experiment, geometry, rehearsal=rehearsal, wishes=wishes, console=console)
    exit_code = acquisition.run()
    if wishes.cell_stays:
        console.print(
            _how_to_end(run, guard, request.longest_alone_s if rehearsal else None),
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    if not acquisition.stopped_now:
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
    console.print(f"Everything is in {run.path}", highlight=False)
    return exit_code


def _write_report(run: RunDirectory, console: Console) -> None:
    try:
        with console.status("writing the report ..."):
            page = write_report(run, written_s=SystemClock().now())
        console.print(f"Report: {page}", highlight=False)
    except Exception as error:  # a report never decides how a run ended
        sentence = f"The report could not be written ({error}); 'operando report {run.path}' tries again."
        console.print(sentence, style="red", markup=False, highlight=False)


def _start_simulator(
    request: RunRequest, geometry: str, run: RunDirectory, wishes: Wishes, ending: contextlib.ExitStack
) -> Path:
    arguments = ["simulate", str(request.experiment_file.resolve()), "--directory", str(run.simulation)]
    arguments += ["--geometry", geometry, "--await-all"]
    arguments += ["--longest-alone", repr(request.longest_alone_s)]
    if request.seed is not None:
        arguments += ["--seed", str(request.seed)]
    if request.epoch_s is not None:
        arguments += ["--epoch", repr(request.epoch_s)]
    if request.recorded is not None:
        arguments += ["--recorded", str(request.recorded.resolve())]
    if request.faults is not None:
        arguments += ["--faults", str(request.faults.resolve())]
    if request.angle_unit is not None:
        arguments += ["--angle-unit", request.angle_unit]
    simulator = ChildProcess("simulator", arguments, run.processes)
    ending.callback(_end_unless_left, simulator, wishes)
    simulator.start()
    return Path(simulator.wait_ready())


def _end_unless_left(process: ChildProcess, wishes: Wishes) -> None:
    """End a process that guards or is the cell, unless a person left the cell cycling."""
    if not wishes.cell_stays or process.exit_code() is not None:
        process.end()


def _tell_of_guard(guard: ChildProcess, wishes: Wishes, console: Console) -> None:
    """Say that a guard goes on after its run, unless that was said already."""
    if not wishes.cell_stays and guard.pid is not None and guard.exit_code() is None:
        console.print(
            f"The guard, process {guard.pid}, goes on watching the cell; 'kill {guard.pid}' ends it.", soft_wrap=True
        )


def _how_to_end(run: RunDirectory, guard: ChildProcess, longest_alone_s: float | None) -> str:
    """Say how a cell that was left cycling is ended; a beamline's guard is never alone for too long."""
    goes_on = f"The cell goes on under the guard, process {guard.pid}."
    if longest_alone_s is None:
        return (
            f"{goes_on} 'kill {guard.pid}' ends the guard only; the technique's own limits then protect the cell. "
            f"For open circuit run 'operando guard {run.path} --stop-cell' after it, and end that with Ctrl-C."
        )
    simulator = next(record.pid for record in read_pid_files(run.processes) if record.role == "simulator")
    return (
        f"{goes_on} 'kill {guard.pid}' brings the cell to open circuit and ends it; 'kill {simulator}' then ends the "
        f"simulated beamline. Each ends by itself {duration_text(longest_alone_s)} after its last client."
    )
