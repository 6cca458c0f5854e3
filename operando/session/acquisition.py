"""The acquisition: a RunEngine with the journal first, the experiment's plan, and a person's hand on it."""

import errno
import importlib.metadata
import logging
import os
import platform
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from operando.model.cell_log import CellLogReader
from operando.model.clock import Clock, Pulse, RehearsalClock
from operando.model.experiment import Experiment
from operando.model.experiment_file import raw_table
from operando.model.free_memory import give_back_free_memory
from operando.model.instrument_lock import InstrumentOwnedError, Owner, only_owner
from operando.model.run_directory import RunDirectory
from operando.session.beamline_access import enter_beamline, open_clock, quiet_channel_access, server_of
from operando.session.editing import taken_edit
from operando.session.errors import EXIT_CODE, EXIT_FAILED, EXIT_MISTAKE, EXIT_STOPPED
from operando.session.interrupt import InterruptHandler, Wish
from operando.session.journal import DocumentJournal
from operando.session.logged_samples import LoggedSamples
from operando.session.progress_line import ProgressLine
from plans.report import Wishes

if TYPE_CHECKING:
    from plans.instruments import Instruments
    from plans.schedule_journal import ScheduleJournal

CONNECT_TIMEOUT_S = 40.0  # real time; a guard that was killed while it began needs its restart
BEGIN_POLL_S = 0.05
LIBRARIES = ("operando", "bluesky", "ophyd", "event-model", "pyepics", "h5py", "numpy")


class Acquisition:
    """Runs the plan of one experiment in this process; prints how it goes.

    Parameters
    ----------
    resumed
        Whether an earlier acquisition has begun the experiment; what it left is cleared up first.
    opened
        Called when the experiment's run has been opened.

    Attributes
    ----------
    has_opened
        Whether a run was opened: before it nothing was asked of the cell.
    stopped_now
        Whether a person wanted no more than its end.
    cell_is_safe
        False if open circuit was wanted and could not be verified.
    """

    def __init__(
        self,
        run: RunDirectory,
        experiment: Experiment,
        geometry: str,
        *,
        rehearsal: bool,
        wishes: Wishes,
        console: Console,
        resumed: bool = False,
        opened: Callable[[], None] = lambda: None,
    ) -> None:
        self._run = run
        self._experiment = experiment
        self._geometry = geometry
        self._rehearsal = rehearsal
        self._console = console
        self._wishes = wishes
        self._resumed = resumed
        self._opened = opened
        self._ended = threading.Event()
        self.has_opened = False
        self.stopped_now = False
        self.cell_is_safe = True
        self._is_left = False

    def run(self) -> int:
        """Acquire until the schedule has ended or somebody stops it; return the exit code."""
        with ExitStack() as ending:
            return self._acquire(ending)

    def _acquire(self, ending: ExitStack) -> int:
        beamline_file = self._run.simulation / "beamline.toml" if self._rehearsal else self._run.beamline
        beamline = enter_beamline(beamline_file)
        clock = open_clock(beamline, beamline_file, "acquisition")
        ending.callback(clock.close)

        from bluesky import RunEngine
        from bluesky.utils import RunEngineInterrupted

        from devices.connection import DeviceConnectionError, connect
        from operando.session.beamline_devices import instruments
        from plans.experiment import experiment_plan
        from plans.schedule_journal import ScheduleJournal
        from plans.space import num_tomograms_to_come, space_sentence
        from plans.tomogram_scan import scan_of

        quiet_channel_access()
        log_libraries_to(self._run.processes / "acquisition.log")
        devices = instruments(beamline, clock, self._run.token.read_text().strip())
        try:
            connect(
                [
                    devices.camera,
                    devices.rotation_stage,
                    devices.sample_x,
                    devices.shutter,
                    devices.cell,
                    devices.ring_current,
                ],
                CONNECT_TIMEOUT_S,
            )
        except DeviceConnectionError as error:
            self._console.print(str(error), style="bold red", markup=False, highlight=False)
            return EXIT_FAILED

        owner = Owner(devices.camera.prefix, "acquisition", os.getpid(), str(self._run.path))
        try:
            ending.enter_context(only_owner(server_of(devices.camera.cam.acquire.pvname), owner))
        except InstrumentOwnedError as error:
            self._console.print(str(error), style="bold red", markup=False, highlight=False)
            return EXIT_FAILED

        engine = RunEngine(context_managers=[])  # Ctrl-C is ours: see InterruptHandler
        journal = DocumentJournal(self._run.documents)
        ending.callback(journal.close)
        engine.subscribe(journal)
        engine.subscribe(lambda *_: self._tell_opened(), "start")
        engine.subscribe(lambda *_: give_back_free_memory(), "stop")  # of each tomogram
        schedule = ScheduleJournal(self._run.schedule, clock)
        ending.callback(schedule.close)
        log = CellLogReader(self._run.cell_log)
        ending.callback(log.close)
        line = ending.enter_context(ProgressLine(self._console, rehearsal=self._rehearsal))
        handler = InterruptHandler(self._act_on(engine), self._console, line.hidden)
        ending.callback(handler.close)
        ending.callback(self._ended.set)
        pulse = Pulse(
            clock, lambda delay_s, beat: engine.loop.call_soon_threadsafe(engine.loop.call_later, delay_s, beat)
        )
        ending.callback(pulse.stop)
        if isinstance(clock, RehearsalClock):
            clock.join()

        scan = scan_of(self._experiment, self._geometry)
        continues = None
        if self._resumed:
            from devices.answers import NO_ANSWER  # after ophyd, which chooses the library that pyepics loads
            from plans.cell_watch import CellDangerError
            from plans.clock_waits import WaitError
            from plans.space import DiskFullError, require_space

            try:
                require_space(self._run.path, "to come", scan, self._experiment, schedule)
                continues = self._clear_up(engine, devices, clock, schedule)
            except (CellDangerError, DiskFullError, WaitError, *NO_ANSWER) as error:
                self._console.print(f"Not resumed: {error}", style="bold red", markup=False, highlight=False)
                return EXIT_MISTAKE
            except RunEngineInterrupted:
                self._leave_safe(engine, devices.cell, clock)
                return EXIT_STOPPED
        plan = experiment_plan(
            devices,
            clock,
            self._experiment,
            geometry=self._geometry,
            run_directory=self._run,
            journal=schedule,
            samples=LoggedSamples(log),
            metadata={"experiment": raw_table(self._run.experiment), "versions": versions()},
            rehearsal=self._rehearsal,
            wishes=self._wishes,
            report=line.show,
            tell=lambda sentence: self._console.print(sentence, markup=False, highlight=False, soft_wrap=True),
            continues=continues,
            take_edit=lambda name, num_begun: taken_edit(self._run, name, num_begun),
            left=self._note_left,
        )
        ends: list[Any] = []

        def keep_end() -> Any:
            ends.append((yield from plan))

        try:
            engine(keep_end())
        except RunEngineInterrupted:
            self._leave_safe(engine, devices.cell, clock)  # a person's wish; the plan has closed its runs
        except Exception as error:
            self._leave_safe(engine, devices.cell, clock)
            told = str(error)
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                told += f": {space_sentence(self._run.path, scan, num_tomograms_to_come(self._experiment, schedule))}"
            self._console.print(f"The run ended with an error: {told}", style="bold red", markup=False, highlight=False)
            return EXIT_STOPPED if self.stopped_now else EXIT_FAILED
        if self.stopped_now:
            return EXIT_STOPPED
        end = ends[-1] if ends else None
        if end is None:
            return EXIT_FAILED
        if end.reason:
            self._console.print(f"{end.outcome.value}: {end.reason}", markup=False, highlight=False)
        return EXIT_CODE[end.outcome]

    def _note_left(self, is_safe: bool) -> None:
        self._is_left, self.cell_is_safe = True, is_safe

    def _leave_safe(self, engine: Any, cell: Any, clock: Clock) -> None:
        """Open the circuit of a cell that an earlier acquisition may have left driven, if no plan did."""
        if self._resumed and not self._is_left and not self._wishes.cell_stays:
            problem = open_circuit(engine, cell, clock)
            self.cell_is_safe = not problem
            if problem:
                self._console.print(problem, style="bold red", markup=False, highlight=False)

    def _tell_opened(self) -> None:
        if not self.has_opened:
            self.has_opened = True
            self._opened()

    def _clear_up(self, engine: Any, devices: "Instruments", clock: Clock, schedule: "ScheduleJournal") -> str | None:
        """Find and end what an acquisition that died has left; return the uid of its outer run."""
        from operando.session.salvage import salvage
        from operando.session.unfinished import close_unfinished
        from plans import cell_watch
        from plans.left_running import stop_what_runs

        ends: list[list[str]] = []

        def stop() -> Any:
            velocity_deg_s = schedule.first_velocity_deg_s
            ends.append((yield from stop_what_runs(devices, clock, normal_velocity_deg_s=velocity_deg_s)))

        engine(stop())
        said = [f"found running and stopped: {what}" for what in ends[0]]
        said += [f"salvaged: {sentence}" for sentence in salvage(self._run)]  # whose writer is at rest now
        closed = close_unfinished(self._run, schedule, clock)
        for sentence in (*said, *closed.sentences):
            self._console.print(sentence, markup=False, highlight=False)
        cell_watch.state(devices.cell)  # of a tripped cell nothing more is asked
        return closed.outer_run

    def _act_on(self, engine: Any) -> Callable[[Wish], None]:
        def act(wish: Wish) -> None:
            if wish is Wish.FINISH_TOMOGRAM:
                self._wishes.stop_after_tomogram()
            elif wish is Wish.LEAVE_CYCLING:
                self._wishes.leave_cell_running()
            else:
                self.stopped_now = True
                self._wishes.stop_now()
            self._console.print(f"{wish.value} ...", markup=False, highlight=False)
            if self.stopped_now:
                self._abort(engine)

        return act

    def _abort(self, engine: Any) -> None:
        from bluesky.utils import TransitionError

        while not self._ended.is_set():
            try:
                engine.abort("a person stopped the run")
                return
            except TransitionError:  # the plan is about to begin
                self._ended.wait(BEGIN_POLL_S)


def open_circuit(engine: Any, cell: Any, clock: Clock) -> str:
    """Open the circuit outside of any run; return a sentence if that could not be verified."""
    from plans.cell_watch import command

    try:
        engine(command(cell, clock, "open_circuit", reason="the run that was resumed ended before it went on"))
    except Exception as error:  # of whatever kind: a person is told
        return f"Open circuit could not be verified: {error}"
    return ""


def log_libraries_to(path: Path) -> None:
    """Send what the libraries log, tracebacks included, to a file: the terminal gets sentences."""
    logging.raiseExceptions = False  # what a full disk does not take would be told line by line on the terminal
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name in ("bluesky", "ophyd", "channel_access"):
        log = logging.getLogger(name)
        log.handlers = [handler]
        log.propagate = False
        log.setLevel(logging.INFO)


def versions() -> dict[str, str]:
    """Return the versions of what makes the data."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        found[name] = importlib.metadata.version(name)
    return found
