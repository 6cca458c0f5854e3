"""One experiment from its file to its results: makes the run directory, starts the processes, acquires, sums up."""

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from live_analysis.results import read_measurements
from operando.model.experiment import Experiment, load_experiment
from operando.model.run_directory import RunDirectory
from operando.session.acquisition import Acquisition
from operando.session.beamline_probe import refuse_incomplete_beamline
from operando.session.check import chosen_geometry, refuse_what_cannot_be
from operando.session.errors import EXIT_FAILED, EXIT_STOPPED
from operando.session.interrupt import one_interrupt
from operando.session.layout import make_run_directory, refuse_used_directory
from operando.session.processes import ChildProcess, ProcessError, Supervisor, write_pid_file
from operando.session.results_table import results_table
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
    angle_unit: str | None = None


def run_experiment(request: RunRequest, console: Console) -> int:
    """Run an experiment, or rehearse it when no beamline file is given; return the exit code."""
    if request.run_directory is not None:
        refuse_used_directory(request.run_directory)
    experiment = load_experiment(request.experiment_file)
    rehearsal = request.beamline_file is None
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
        refuse_incomplete_beamline(request.beamline_file, sample_out_mm=experiment.tomogram.sample_out)
    run = make_run_directory(request.experiment_file, experiment.experiment.name, directory=request.run_directory)
    write_pid_file(run.processes, "acquisition")
    console.print(
        f"{'REHEARSAL' if rehearsal else 'Experiment'} {experiment.experiment.name} ({geometry}) in {run.path}"
    )
    with one_interrupt() as no_more_interrupts, contextlib.ExitStack() as ending:
        ending.callback((run.processes / "acquisition.pid").unlink, missing_ok=True)
        try:
            return _run(request, experiment, geometry, run, console, ending)
        except ProcessError as error:
            console.print(f"The run could not go on: {error}", style="bold red", highlight=False, markup=False)
            return EXIT_FAILED
        except KeyboardInterrupt:  # while processes start or the last measurements are made
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

    guard = ChildProcess("guard", ["guard", str(run.path)], run.processes)
    if rehearsal:  # a beamline's guard goes on guarding the cell
        ending.callback(_end_unless_left, guard, wishes)
    guard.start()
    guard.wait_ready()
    supervisor = Supervisor(
        guard,
        on_restart=lambda code: console.print(f"The guard died (exit {code}) and was restarted.", style="bold red"),
    )
    ending.callback(supervisor.stop)

    analysis = ChildProcess("analysis", ["analyse", str(run.path), "--follow"], run.processes)
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
        console.print(_how_to_end(rehearsal, guard), markup=False, highlight=False)
    if not acquisition.stopped_now:
        with console.status("waiting for the last measurements ..."):
            finished = watcher.wait_finished(ANALYSIS_TIMEOUT_S)
        if not finished:
            exit_code = EXIT_FAILED
            console.print("The analysis did not finish; 'operando analyse RUN' finishes it.", style="red")
        measurements = read_measurements(run.results)
        if measurements:
            console.print(results_table(experiment, measurements))
    console.print(f"Everything is in {run.path}", highlight=False)
    return exit_code


def _start_simulator(
    request: RunRequest, geometry: str, run: RunDirectory, wishes: Wishes, ending: contextlib.ExitStack
) -> Path:
    arguments = ["simulate", str(request.experiment_file.resolve()), "--directory", str(run.simulation)]
    arguments += ["--geometry", geometry, "--await-all"]
    if request.seed is not None:
        arguments += ["--seed", str(request.seed)]
    if request.epoch_s is not None:
        arguments += ["--epoch", repr(request.epoch_s)]
    if request.recorded is not None:
        arguments += ["--recorded", str(request.recorded.resolve())]
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


def _how_to_end(rehearsal: bool, guard: ChildProcess) -> str:
    alone = " A rehearsal's guard ends by itself ten minutes after its last client." if rehearsal else ""
    return f"The cell goes on under the guard, process {guard.pid}; SIGTERM ends it.{alone}"
