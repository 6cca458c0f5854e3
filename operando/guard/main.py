"""Starts the guard of one run: ``python -m operando.guard.main --run-dir DIR``."""

import argparse
import contextlib
import logging
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

from devices.force_calibration import CalibrationError, force_calibration
from operando.guard.life import GuardRunsAlreadyError, only_guard
from operando.model.attendance import LONGEST_ALONE_S
from operando.model.beamline import Beamline, load_beamline
from operando.model.cell_log import CellLogWriter
from operando.model.channel_access import client_environment, prepare, server_environment
from operando.model.clock import Clock, ClockError, RehearsalClock, SystemClock
from operando.model.experiment_file import load_experiment
from operando.model.instrument_lock import Owner, only_owner
from operando.model.run_directory import RunDirectory
from operando.model.signals import SignalWatch
from operando.model.toml_file import FileFormatError


class GuardError(RuntimeError):
    """The guard cannot guard this run."""


def run_guard(run_directory: Path, *, stop_cell: bool = False, longest_alone_s: float = LONGEST_ALONE_S) -> int:
    """Guard the cell of one run until told to end; return the exit status.

    SIGTERM ends it. In a rehearsal, or with ``stop_cell``, the cell goes to open circuit first, and a guard that is
    not obeyed goes on trying until it is, or until a second signal. At a beamline the technique otherwise goes on,
    bounded by its own limits and duration, and the next guard adopts it.
    A rehearsal's guard also ends when nobody has been connected to it for ``longest_alone_s`` of the host's time.

    Returns
    -------
    int
        0 when it ended as asked, 1 when it could not start or leave the cell as asked, 2 when the run has a guard
        already; the reason is on stderr.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    run = RunDirectory(run_directory)
    try:
        with only_guard(run), ExitStack() as ending:
            _guard(run, ending, stop_cell=stop_cell, longest_alone_s=longest_alone_s)
    except GuardRunsAlreadyError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (GuardError, FileFormatError, CalibrationError, ClockError, OSError, RuntimeError) as error:
        logging.getLogger(__name__).critical("%s", error, exc_info=not isinstance(error, RuntimeError | ValueError))
        return 1
    return 0


def _guard(run: RunDirectory, ending: ExitStack, *, stop_cell: bool, longest_alone_s: float) -> None:
    experiment = load_experiment(run.experiment)
    beamline = load_beamline(run.beamline)
    token = _token(run)
    access = beamline.channel_access
    prepare(client_environment(access.addresses, os.environ, repeater_port=access.repeater_port))
    # Only now: importing ophyd fixes the client's addresses for good, and the server's port must not become the default
    # port of the site's own list.
    from devices.lorenz import LorenzPort
    from devices.potentiostat import Potentiostat
    from devices.temperature import Temperature
    from devices.write_access import repair_ophyd

    repair_ophyd()
    prepare(server_environment(access.guard_port, interface=access.interface))
    from operando.guard.control import CellControl, NotObeyedError
    from operando.guard.guard import Guard
    from operando.guard.inbox import Inbox
    from operando.guard.life import Loneliness, ended_when
    from operando.guard.memory import remembered
    from operando.guard.potentiostat_clock import PotentiostatClock, read_outs
    from operando.guard.pressure import pressure_limit
    from operando.guard.record import Record
    from operando.guard.samples import Sampler
    from operando.guard.server import GuardServer

    tare_counts = beamline.load_cell.tare_counts
    calibration = force_calibration(beamline.load_cell.calibration, beamline.load_cell.full_scale_n)
    if tare_counts is not None:
        calibration = calibration.tared(tare_counts)
    channel = f"{beamline.potentiostat.prefix}C{beamline.potentiostat.channel}:"
    potentiostat = Potentiostat(channel, name="potentiostat")
    potentiostat.connect()
    owner = Owner(channel, "guard", os.getpid(), str(run.path), access.guard_port)
    ending.enter_context(only_owner(potentiostat.server, owner))
    temperature = Temperature(beamline.temperature.pv, name="temperature")
    temperature.connect()  # a thermometer that is not there yet is an instrument fault, no reason not to guard
    clock = _clock(beamline, run)
    host_clock = SystemClock()
    inbox = Inbox(clock)
    server = GuardServer(beamline.guard.prefix, access.interface, token, inbox, clock)
    load_cell = LorenzPort(beamline.load_cell.port, clock)
    memory = remembered(run.cell_log)
    record = Record(CellLogWriter(run.cell_log), clock, host_clock)
    area_mm2, poll_s = experiment.cell.geometry.bore_area_mm2, beamline.potentiostat.poll_s
    sampler = Sampler(potentiostat, load_cell, temperature, calibration, area_mm2, clock, poll_s=poll_s)
    control = CellControl(potentiostat, inbox, clock, poll_s)
    loneliness = Loneliness(clock, host_clock, lambda: server.num_clients, longest_alone_s=longest_alone_s)
    kept_by_instrument = None
    if (force_input := beamline.potentiostat.force_input) is not None:
        if not potentiostat.has(f"AUX{force_input.number}"):
            raise GuardError(
                f"potentiostat.force_input.number = {force_input.number}: the server of {channel} has no "
                f"AUX{force_input.number}, so the instrument cannot limit the stack pressure. Correct the number or "
                "leave force_input out."
            )
        kept_by_instrument = pressure_limit(force_input, experiment.limits.max_stack_pressure, area_mm2)
    potentiostat_clock = PotentiostatClock(read_outs(potentiostat.elapsed, clock), record)
    guard = Guard(
        *(experiment, sampler, control, record, server, inbox, clock, memory, potentiostat_clock),
        pressure_limit=kept_by_instrument,
    )
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a closed terminal or a lost ssh session must not unguard the cell
    SignalWatch((signal.SIGTERM, signal.SIGINT), lambda _: inbox.end("A signal asked for it."))  # to the process's end
    record.event(
        "guard",
        "Started.",
        pid=os.getpid(),
        calibration_id=calibration.calibration_id,
        tare_counts=tare_counts,
        tare_n=calibration.tare_n,
    )
    try:
        server.start()
        server.publish({"PID": os.getpid()}, clock.now())
        guard.adopt()
        with contextlib.suppress(OSError):  # a log on a full disk: there is a cell to guard
            sys.stdout.write("READY\n")
            sys.stdout.flush()
        with ended_when(loneliness.reason_to_end, inbox.end):
            guard.run()
        reason = inbox.taken_end()
        if beamline.rehearsal or stop_cell:
            with ended_when(loneliness.reason_to_give_up, inbox.end):
                guard.end_at_open_circuit(f"The guard ends. {reason}")
        record.event("guard", f"Ended. {reason}")
    except NotObeyedError as error:
        record.event("guard", str(error), level=logging.CRITICAL)
        raise
    finally:
        record.close()
        server.stop()
        load_cell.close()
        clock.close()
        host_clock.close()


def _token(run: RunDirectory) -> str:
    try:
        token = run.token.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise GuardError(f"{run.token}: the secret of this run cannot be read ({error}). Create it first.") from error
    if not token:
        raise GuardError(f"{run.token}: the secret of this run is empty. Write a random text into it.")
    return token


def _clock(beamline: Beamline, run: RunDirectory) -> Clock:
    if beamline.clock is None:
        return SystemClock()
    # The run directory holds a copy of the beamline file; its paths are relative to where the original lies.
    pages = [folder / beamline.clock.page for folder in (run.simulation, run.path)]
    page = next((page for page in pages if page.exists()), pages[0])
    try:
        return RehearsalClock((beamline.clock.host, beamline.clock.port), page, role="guard")
    except OSError as error:
        raise GuardError(
            f"The rehearsal's clock at {beamline.clock.host}:{beamline.clock.port} cannot be reached ({error}). "
            "Is the simulated beamline running?"
        ) from error


def main() -> None:
    """Read the command line and guard."""
    parser = argparse.ArgumentParser(description="Guard the cell of one run.")
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--stop-cell", action="store_true", help="open the circuit at the end also at a beamline")
    parser.add_argument(
        "--longest-alone-s", type=float, default=LONGEST_ALONE_S, help="end a rehearsal's guard after so long alone"
    )
    options = parser.parse_args()
    sys.exit(run_guard(options.run_dir, stop_cell=options.stop_cell, longest_alone_s=options.longest_alone_s))


if __name__ == "__main__":
    main()
