"""The commands that serve until they are ended: simulated beamline, guard, analysis."""

import signal
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from operando.model.beamline import load_beamline
from operando.model.channel_access import prepare, server_environment
from operando.model.clock import SystemClock
from operando.model.experiment_file import load_experiment
from operando.model.process_files import read_pid_files, write_pid_file
from operando.model.run_directory import RunDirectory
from operando.model.signals import SignalWatch
from operando.session.errors import EXIT_COMPLETE, RequestError
from operando.session.layout import open_run_directory

MAX_EPOCH_S = 4e9  # the year 2096
LOOK_ROUND_S = 1.0


if TYPE_CHECKING:
    from live_analysis.progress import Publish


def simulate_beamline(
    experiment_file: Path,
    geometry: str,
    directory: Path,
    *,
    seed: int | None,
    epoch_s: float | None,
    goes_on: bool,
    cell_file: Path | None,
    recorded: Path | None,
    angle_unit: str | None,
    await_all: bool,
    without_guard: bool,
    longest_alone_s: float,
    faults: Path | None = None,
) -> int:
    """Serve the simulated beamline in the foreground.

    Raises
    ------
    RequestError, FileFormatError
        If the experiment or the recorded scan cannot be served.
    """
    from operando.session.angle_unit import chosen_angle_unit
    from simulators.beamline import SimulationError, run_simulated_beamline
    from simulators.clock_participant import ROLES
    from simulators.ports import PortError
    from simulators.recorded_data import RecordedScanError

    if epoch_s is not None and not 0 <= epoch_s <= MAX_EPOCH_S:
        raise RequestError(f"--epoch {epoch_s:g}: is no time since 1970; allowed is 0 to {MAX_EPOCH_S:g} s.")
    if directory.exists() and not directory.is_dir():
        raise RequestError(f"--directory {directory}: is a file. Name a folder, or one that does not exist yet.")
    chosen_angle_unit(angle_unit)
    try:
        run_simulated_beamline(
            experiment_file,
            geometry,
            directory,
            seed=seed,
            epoch_s=epoch_s,
            goes_on=goes_on,
            cell_file=cell_file,
            recorded_scan=recorded,
            angle_unit=angle_unit,
            await_all=await_all,
            roles=("acquisition",) if without_guard else ROLES,
            longest_alone_s=longest_alone_s,
            faults=faults,
        )
    except (SimulationError, RecordedScanError, PortError) as error:
        raise RequestError(str(error)) from error
    return EXIT_COMPLETE


def guard_cell(path: Path, *, stop_cell: bool, longest_alone_s: float, in_reserve: bool) -> int:
    """Guard the cell of a run in the foreground; ``in_reserve`` only when standard input says a line.

    Raises
    ------
    RunDirectoryError, FileFormatError
        If the folder holds no experiment and beamline that could be guarded.
    """
    from operando.guard.main import run_guard

    run = open_run_directory(path)
    load_experiment(run.experiment)
    load_beamline(run.beamline)
    return run_guard(run.path, stop_cell=stop_cell, longest_alone_s=longest_alone_s, in_reserve=in_reserve)


def analyse_run(path: Path, *, follow: bool, again: bool, longest_alone_s: float, console: Console) -> int:
    """Analyse a run in the foreground; SIGTERM and Ctrl-C end it between two steps of work.

    With ``follow`` it also ends when the acquisition was killed and no other came for ``longest_alone_s``.
    """
    from live_analysis.analyse import AnalysisRunningError, analyse, only_one_analysis
    from live_analysis.progress import say_nothing

    run = open_run_directory(path)
    stop = threading.Event()
    SignalWatch((signal.SIGTERM, signal.SIGINT), lambda _: stop.set())  # to the process's end
    with ExitStack() as ending:
        try:
            ending.enter_context(only_one_analysis(run))
        except AnalysisRunningError as error:
            raise RequestError(str(error)) from error
        write_pid_file(run.processes, "analysis")
        ending.callback((run.processes / "analysis.pid").unlink, missing_ok=True)
        if follow:
            threading.Thread(target=_stop_if_abandoned, args=(run, stop, longest_alone_s), daemon=True).start()
        publish = _results_server(run, ending) if follow and run.beamline.is_file() else say_nothing
        analyse(run.path, follow=follow, again=again, stop=stop, report=console.print, publish=publish)
    return EXIT_COMPLETE


def _stop_if_abandoned(run: RunDirectory, stop: threading.Event, longest_alone_s: float) -> None:
    """Set ``stop`` when the acquisition's pid file has named a dead process for so long: nobody will close the run."""
    clock = SystemClock()
    attended_s = clock.steady()
    while not stop.wait(LOOK_ROUND_S):
        acquisition = next((record for record in read_pid_files(run.processes) if record.role == "acquisition"), None)
        if acquisition is None or acquisition.alive:
            attended_s = clock.steady()
        elif clock.steady() - attended_s >= longest_alone_s:
            stop.set()
    clock.close()


def _results_server(run: RunDirectory, ending: ExitStack) -> "Publish":
    """Serve results as process variables; return what takes them."""
    access = load_beamline(run.beamline).channel_access
    prepare(server_environment(access.results_port, interface=access.interface))

    from live_analysis.results_server import ResultsServer

    clock = SystemClock()
    ending.callback(clock.close)
    server = ResultsServer(load_beamline(run.beamline).results.prefix, access.interface, clock)
    server.start()
    ending.callback(server.stop)
    return server.publish
