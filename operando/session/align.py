"""Before the experiment: a test shot, the rotation axis and a region of interest, at a beamline or in a rehearsal."""

import contextlib
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from live_analysis.axis_of_pair import AxisOfPairError
from operando.model.experiment import Experiment
from operando.model.experiment_file import load_experiment, raw_table
from operando.model.frames import FrameKind
from operando.model.instrument_lock import InstrumentOwnedError, Owner, only_owner
from operando.model.process_files import write_pid_file
from operando.model.run_directory import RunDirectory
from operando.model.signals import SignalWatch
from operando.session.acquisition import CONNECT_TIMEOUT_S, log_libraries_to, versions
from operando.session.alignment_report import PairLook, look_at_pair, report_alignment
from operando.session.beamline_access import enter_beamline, open_clock, quiet_channel_access, server_of
from operando.session.beamline_probe import refuse_incomplete_beamline
from operando.session.check import chosen_geometry, refuse_what_cannot_be
from operando.session.errors import EXIT_COMPLETE, EXIT_FAILED, EXIT_STOPPED
from operando.session.interrupt import Interrupted, one_interrupt
from operando.session.journal import DocumentJournal
from operando.session.layout import make_run_directory, refuse_used_directory
from operando.session.processes import ChildProcess, ProcessError
from operando.session.progress_line import ProgressLine

if TYPE_CHECKING:
    from plans.alignment import AlignmentEnd, ShotFiles

ABORT_POLL_S = 0.05


@dataclass(frozen=True)
class AlignRequest:
    """What was asked on the command line."""

    experiment_file: Path
    beamline_file: Path | None
    geometry: str | None
    run_directory: Path | None
    seed: int | None
    num_frames: int
    centre: bool


def align(request: AlignRequest, console: Console) -> int:
    """Take and judge dark, flat and a half-turn pair; return the exit code.

    Nothing is asked of the cell: neither guard nor potentiostat is needed.

    Raises
    ------
    RequestError, FileFormatError, RunDirectoryError
        If it cannot begin; nothing has moved then.
    """
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
        replayed=False,
    )
    if request.beamline_file is not None:
        tomogram = experiment.tomogram
        refuse_incomplete_beamline(
            request.beamline_file,
            sample_out_mm=tomogram.sample_out,
            sample_in_mm=tomogram.sample_in,
            imaging_only=True,
        )
    name = f"{experiment.experiment.name}_align"
    run = make_run_directory(request.experiment_file, name, directory=request.run_directory)
    write_pid_file(run.processes, "acquisition")
    console.print(
        f"{'REHEARSAL of an alignment' if rehearsal else 'Alignment'} for {experiment.experiment.name} ({geometry}) "
        f"in {run.path}",
        highlight=False,
    )
    with one_interrupt() as no_more_interrupts, ExitStack() as ending:
        ending.callback((run.processes / "acquisition.pid").unlink, missing_ok=True)
        try:
            return _align(request, experiment, geometry, run, console, ending)
        except (ProcessError, InstrumentOwnedError) as error:
            console.print(f"The alignment could not go on: {error}", style="bold red", highlight=False)
            return EXIT_FAILED
        except Interrupted:
            console.print(f"Stopped. Everything is in {run.path}", highlight=False)
            return EXIT_STOPPED
        finally:
            no_more_interrupts()


def _align(
    request: AlignRequest, experiment: Experiment, geometry: str, run: RunDirectory, console: Console, ending: ExitStack
) -> int:
    beamline_file = request.beamline_file or _simulated(request, geometry, run, ending)
    shutil.copyfile(beamline_file, run.beamline)
    rehearsal = request.beamline_file is None
    beamline = enter_beamline(beamline_file)
    clock = open_clock(beamline, beamline_file, "acquisition")
    ending.callback(clock.close)

    from bluesky import RunEngine
    from bluesky.utils import RunEngineInterrupted

    from devices.connection import DeviceConnectionError, connect
    from operando.model.clock import Pulse, RehearsalClock
    from operando.session.beamline_devices import instruments
    from plans.alignment import AxisUnseenError, alignment
    from plans.tomogram_scan import scan_of

    quiet_channel_access()
    log_libraries_to(run.processes / "acquisition.log")
    devices = instruments(beamline, clock, run.token.read_text().strip())
    used = [devices.camera, devices.rotation_stage, devices.sample_x, devices.shutter, devices.ring_current]
    try:
        connect(used, CONNECT_TIMEOUT_S)
    except DeviceConnectionError as error:
        console.print(str(error), style="bold red", highlight=False)
        return EXIT_FAILED
    owner = Owner(devices.camera.prefix, "alignment", os.getpid(), str(run.path))
    ending.enter_context(only_owner(server_of(devices.camera.cam.acquire.pvname), owner))
    engine = RunEngine(context_managers=[])  # signals are ours: see _aborted_by_signals
    journal = DocumentJournal(run.documents)
    ending.callback(journal.close)
    engine.subscribe(journal)
    pulse = Pulse(clock, lambda delay_s, beat: engine.loop.call_soon_threadsafe(engine.loop.call_later, delay_s, beat))
    ending.callback(pulse.stop)
    scan, looks = scan_of(experiment, geometry), dict[str, PairLook]()

    def axis_of(files: "ShotFiles") -> Any:
        try:
            looks["last"] = look_at_pair(files.dark, files.flat, files.first, files.second)
        except AxisOfPairError as error:
            raise AxisUnseenError(str(error)) from error
        return looks["last"].axis

    ends: list[AlignmentEnd] = []
    with ProgressLine(console, rehearsal=rehearsal) as line:
        if isinstance(clock, RehearsalClock):
            clock.join()
        plan = alignment(
            devices,
            clock,
            scan,
            num_frames=request.num_frames,
            files_of=lambda number: _files(run, number),
            axis_of=axis_of,
            centre=request.centre,
            metadata={
                "name": experiment.experiment.name,
                "rehearsal": rehearsal,
                "geometry": geometry,
                "run_directory": run.path.name,
                "experiment": raw_table(run.experiment),
                "versions": versions(),
            },
            report=line.show,
        )

        def keep_end() -> Any:
            ends.append((yield from plan))

        with _aborted_by_signals(engine) as stopped:
            try:
                engine(keep_end())
            except RunEngineInterrupted:
                pass  # a person's wish; the plan has closed its runs
            except Exception as error:
                console.print(f"The alignment ended with an error: {error}", style="bold red", highlight=False)
    if stopped.is_set():
        console.print(f"Stopped. Everything is in {run.path}", highlight=False)
        return EXIT_STOPPED
    if ends:
        report_alignment(looks["last"], ends[-1], experiment, geometry, beamline, run, console, request.experiment_file)
    console.print(f"Everything is in {run.path}", highlight=False, soft_wrap=True)
    return EXIT_COMPLETE if ends else EXIT_FAILED


def _simulated(request: AlignRequest, geometry: str, run: RunDirectory, ending: ExitStack) -> Path:
    arguments = ["simulate", str(request.experiment_file.resolve()), "--directory", str(run.simulation)]
    arguments += ["--geometry", geometry, "--await-all", "--without-guard"]
    if request.seed is not None:
        arguments += ["--seed", str(request.seed)]
    simulator = ChildProcess("simulator", arguments, run.processes)
    ending.callback(simulator.end)
    simulator.start()
    return Path(simulator.wait_ready())


def _files(run: RunDirectory, number: int) -> "ShotFiles":
    from plans.alignment import ShotFiles

    first, second = 2 * number - 1, 2 * number
    return ShotFiles(
        run.frames_file(1, FrameKind.DARK),
        run.frames_file(1, FrameKind.FLAT),
        run.frames_file(first, FrameKind.PROJECTION),
        run.frames_file(second, FrameKind.PROJECTION),
    )


@contextlib.contextmanager
def _aborted_by_signals(engine: Any) -> Iterator[threading.Event]:
    """Let Ctrl-C, SIGTERM and SIGHUP end the plan in an orderly way: shutter closed, camera idle, runs closed."""
    from bluesky.utils import TransitionError

    stopped, ended = threading.Event(), threading.Event()

    def abort() -> None:
        while not ended.is_set():
            try:
                engine.abort("a person stopped the alignment")
                return
            except TransitionError:  # the plan is about to begin
                ended.wait(ABORT_POLL_S)

    def stop(_number: int) -> None:
        if not stopped.is_set():
            stopped.set()
            threading.Thread(target=abort, name="stop", daemon=True).start()

    watch = SignalWatch((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), stop)
    try:
        yield stopped
    finally:
        ended.set()
        watch.close()
