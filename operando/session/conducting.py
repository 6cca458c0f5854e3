"""An experiment under way: its processes, the acquisition, and what is said when it is over."""

import contextlib
import errno
import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from operando.guard.life import has_guard
from operando.model.experiment import Experiment
from operando.model.process_files import read_pid_files, write_pid_file
from operando.model.run_directory import RunDirectory
from operando.session.acquisition import Acquisition
from operando.session.asked import Asked
from operando.session.cell_left import living, words_of_cell
from operando.session.errors import EXIT_FAILED, EXIT_STOPPED, RequestError
from operando.session.interrupt import Interrupted, one_interrupt
from operando.session.last_measurements import sum_up, watched
from operando.session.processes import ChildProcess, ProcessError, Supervisor
from plans.report import Wishes
from simulators.past import PAST_FILE

LOCK_NAME = "acquisition.lock"
GUARD_RESERVE_AFTER_S = 15.0  # when the other processes have started, and a short rehearsal is over


@dataclass(frozen=True)
class Undertaking:
    """An experiment and its run directory; ``resumed`` says that an earlier acquisition has begun it."""

    run: RunDirectory
    experiment: Experiment
    asked: Asked
    resumed: bool = False
    epoch_s: float | None = None
    faults: Path | None = None


def conduct(undertaking: Undertaking, begin: Callable[[], None], console: Console) -> int:
    """Go through with an experiment; return the exit code.

    Parameters
    ----------
    begin
        Called when this process is the run's only acquisition; says what begins.

    Raises
    ------
    RequestError
        If another acquisition of this run lives.
    """
    return _in_charge(undertaking, begin, lambda ending: _conduct(undertaking, console, ending), console)


def measure_the_rest(undertaking: Undertaking, begin: Callable[[], None], console: Console) -> int:
    """Measure what an experiment that is over has not measured yet, and write its report; return the exit code.

    Parameters
    ----------
    begin
        As of :func:`conduct`.

    Raises
    ------
    RequestError
        If another process acquires into this run, or measures its rest.
    """
    return _in_charge(undertaking, begin, lambda ending: _measure_the_rest(undertaking, console, ending), console)


def _in_charge(
    undertaking: Undertaking, begin: Callable[[], None], do: Callable[[contextlib.ExitStack], int], console: Console
) -> int:
    """Do something as the run's only acquisition; what stops it becomes a sentence and an exit code."""
    run = undertaking.run
    with one_interrupt() as no_more_interrupts, contextlib.ExitStack() as ending:
        try:
            ending.enter_context(only_one_acquisition(run))
            ending.callback((run.processes / "acquisition.pid").unlink, missing_ok=True)
            write_pid_file(run.processes, "acquisition")
            begin()
            return do(ending)
        except (ProcessError, OSError) as error:
            told = f"The run could not go on: {error}{_room_wanted(undertaking, error)}"
            console.print(told, style="bold red", highlight=False, markup=False)
            return EXIT_FAILED
        except Interrupted:  # while processes start or the last measurements are made
            console.print(f"Stopped. Everything is in {run.path}", highlight=False, markup=False)
            return EXIT_STOPPED
        finally:
            no_more_interrupts()


def _room_wanted(undertaking: Undertaking, error: Exception) -> str:
    """Say how much room is wanted if a full disk is what stopped a run."""
    if not isinstance(error, OSError) or error.errno != errno.ENOSPC:
        return ""
    from plans.space import space_sentence  # seconds of loading that no start waits for
    from plans.tomogram_scan import scan_of

    return f": {space_sentence(undertaking.run.path, scan_of(undertaking.experiment, undertaking.asked.geometry))}"


def _measure_the_rest(undertaking: Undertaking, console: Console, ending: contextlib.ExitStack) -> int:
    run = undertaking.run
    analysis = ChildProcess("analysis", ["analyse", str(run.path)], run.processes)
    if not analysis.adopt():  # one that lives sees the run's end
        analysis.start()
    watcher = watched(analysis, console)
    ending.callback(analysis.end)
    ending.callback(watcher.stop)
    exit_code = sum_up(run, undertaking.experiment, watcher, console)
    console.print(f"Everything is in {run.path}", highlight=False)
    return exit_code


@contextmanager
def only_one_acquisition(run: RunDirectory) -> Iterator[None]:
    """Keep other processes from acquiring into the same run meanwhile.

    Raises
    ------
    RequestError
        If another process does so already.
    """
    run.processes.mkdir(parents=True, exist_ok=True)
    with (run.processes / LOCK_NAME).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pids = [record.pid for record in read_pid_files(run.processes) if record.role == "acquisition"]
            named = f"process {pids[0]}" if pids else "another process"
            raise RequestError(f"{run.path}: {named} acquires into this run already. Wait for its end.") from None
        yield


def _conduct(undertaking: Undertaking, console: Console, ending: contextlib.ExitStack) -> int:
    run, experiment, rehearsal = undertaking.run, undertaking.experiment, undertaking.asked.rehearsal
    wishes = Wishes()
    alone = ["--longest-alone", repr(undertaking.asked.longest_alone_s)]
    guard = ChildProcess(
        "guard", ["guard", str(run.path), *alone], run.processes, reserve_after_s=GUARD_RESERVE_AFTER_S
    )
    analysis = ChildProcess("analysis", ["analyse", str(run.path), "--follow", *alone], run.processes)
    if rehearsal:
        _have_simulator(undertaking, (guard, analysis), wishes, ending, console)
        ending.callback(_end_unless_left, guard, wishes)
    else:  # a beamline's guard goes on guarding the cell
        ending.callback(_tell_of_guard, guard, wishes, console)
    if not (undertaking.resumed and guard.adopt()):
        guard.start_ready()
    supervisor = Supervisor(
        guard,
        on_restart=lambda code: console.print(f"The guard died (exit {code}) and was restarted.", style="bold red"),
        taken_over=lambda: has_guard(run),
    )
    ending.callback(supervisor.stop)

    if undertaking.resumed and analysis.adopt():
        analysis.end()  # of the run that is closed now it would see the end, and wait for no other
    watchers: list[Supervisor] = []

    def begin_analysis() -> None:
        analysis.start()
        watchers.append(watched(analysis, console))
        ending.callback(analysis.end)
        ending.callback(watchers[-1].stop)

    if not undertaking.resumed:
        begin_analysis()  # its kernels are loaded while the first step goes on
    acquisition = Acquisition(
        run,
        experiment,
        undertaking.asked.geometry,
        rehearsal=rehearsal,
        resumed=undertaking.resumed,
        opened=begin_analysis if undertaking.resumed else lambda: None,
        wishes=wishes,
        console=console,
    )
    try:
        exit_code = acquisition.run()
    finally:
        _tell_of_cell(undertaking, acquisition, wishes, console)
    if acquisition.has_opened and not acquisition.stopped_now:  # else there is nothing to wait for
        exit_code = max(exit_code, sum_up(run, experiment, watchers[0], console))
    console.print(f"Everything is in {run.path}", highlight=False)
    return exit_code


def _tell_of_cell(undertaking: Undertaking, acquisition: Acquisition, wishes: Wishes, console: Console) -> None:
    """Say what is to be known of a cell that is not at open circuit, and leave it to a guard that tries to open it."""
    run, rehearsal = undertaking.run, undertaking.asked.rehearsal
    guard_pid = living(run, "guard")
    if not acquisition.cell_is_safe and guard_pid is not None and (not rehearsal or living(run, "simulator")):
        wishes.leave_cell_running()  # the guard goes on trying to open its circuit
    if undertaking.resumed and not acquisition.has_opened and not acquisition.stopped_now:
        wishes.leave_cell_running()  # a guard that has tripped is asked to clear it, then the run is resumed again
    said = words_of_cell(
        run,
        is_safe=acquisition.cell_is_safe,
        stays=wishes.cell_stays,
        guard_pid=guard_pid,
        longest_alone_s=undertaking.asked.longest_alone_s if rehearsal else None,
    )
    if said:
        console.print(said, markup=False, highlight=False, soft_wrap=True)


def _have_simulator(
    undertaking: Undertaking,
    clients: tuple[ChildProcess, ...],
    wishes: Wishes,
    ending: contextlib.ExitStack,
    console: Console,
) -> None:
    """Take over the simulated beamline that lives, or start one; clients of one that died cannot use another."""
    run, asked = undertaking.run, undertaking.asked
    arguments = ["simulate", str(run.experiment), "--directory", str(run.simulation)]
    arguments += ["--geometry", asked.geometry]
    arguments += ["--longest-alone", repr(asked.longest_alone_s)]
    if run.simulated_cell.is_file():
        arguments += ["--cell", str(run.simulated_cell)]
    if asked.seed is not None:
        arguments += ["--seed", str(asked.seed)]
    if undertaking.epoch_s is not None:
        arguments += ["--epoch", repr(undertaking.epoch_s)]
    if not undertaking.resumed:
        arguments += ["--await-all"]
    elif (run.simulation / PAST_FILE).is_file():  # time runs at once: a guard that had tripped verifies it first
        arguments += ["--go-on"]
    if asked.recorded is not None:
        arguments += ["--recorded", asked.recorded]
    if undertaking.faults is not None:  # a beamline that is started again has none
        arguments += ["--faults", str(undertaking.faults.resolve())]
    if asked.angle_unit is not None:
        arguments += ["--angle-unit", asked.angle_unit]
    simulator = ChildProcess("simulator", arguments, run.processes)
    ending.callback(_end_unless_left, simulator, wishes)
    if undertaking.resumed and simulator.adopt():
        simulator.wait_ready()  # it may have been started just before
        shutil.copyfile(run.simulation / "beamline.toml", run.beamline)
        return
    for client in clients:
        if undertaking.resumed and client.adopt():
            console.print(f"The {client.role} of the lost beamline, process {client.pid}, is ended.", highlight=False)
            client.end()
    simulator.start()
    shutil.copyfile(Path(simulator.wait_ready()), run.beamline)


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
