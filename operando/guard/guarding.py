"""Guarding one run from its first sample to its end: the instruments, the clock, the server, and the loop's life."""

import contextlib
import logging
import os
import signal
import sys
from contextlib import ExitStack

from devices.force_calibration import force_calibration
from devices.lorenz import LorenzPort
from devices.potentiostat import Potentiostat
from devices.temperature import Temperature
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
from operando.model.beamline import Beamline
from operando.model.cell_log import CellLogWriter
from operando.model.clock import Clock, RehearsalClock, SystemClock
from operando.model.experiment import Experiment
from operando.model.instrument_lock import Owner, only_owner
from operando.model.run_directory import RunDirectory
from operando.model.signals import SignalWatch


class GuardError(RuntimeError):
    """The guard cannot guard this run."""


def guard_until_ended(
    run: RunDirectory,
    experiment: Experiment,
    beamline: Beamline,
    ending: ExitStack,
    *,
    stop_cell: bool,
    longest_alone_s: float,
) -> None:
    """Guard the cell of a run; ``ending`` gives the instrument free.

    Raises
    ------
    GuardError, CalibrationError, ClockError
        If it cannot begin.
    NotObeyedError
        If it was ended before the cell that it was to leave at open circuit could be verified to be so.
    """
    token = _token(run)
    access = beamline.channel_access
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
        if not potentiostat.has_auxiliary(force_input.number):
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
