"""Starts the guard of one run: ``python -m operando.guard.main --run-dir DIR``."""

import argparse
import importlib
import logging
import os
import sys
from contextlib import ExitStack
from pathlib import Path

from devices.force_calibration import CalibrationError
from operando.guard.life import GuardRunsAlreadyError, only_guard
from operando.guard.lines_beside import lines_beside
from operando.model.attendance import LONGEST_ALONE_S
from operando.model.beamline import ChannelAccess, load_beamline
from operando.model.channel_access import client_environment, prepare, server_environment
from operando.model.clock import ClockError
from operando.model.experiment_file import load_experiment
from operando.model.process_end import run_as_process
from operando.model.run_directory import RunDirectory
from operando.model.toml_file import FileFormatError


def run_guard(
    run_directory: Path, *, stop_cell: bool = False, longest_alone_s: float = LONGEST_ALONE_S, in_reserve: bool = False
) -> int:
    """Guard the cell of one run until told to end; return the exit status.

    SIGTERM ends it. In a rehearsal, or with ``stop_cell``, the cell goes to open circuit first, and a guard that is
    not obeyed goes on trying until it is, or until a second signal. At a beamline the technique otherwise goes on,
    bounded by its own limits and duration, and the next guard adopts it.
    A rehearsal's guard also ends when nobody has been connected to it for ``longest_alone_s`` of the host's time.
    One ``in_reserve`` loads what it needs, waits for a line on standard input before it touches anything, and ends
    when that is closed.

    Returns
    -------
    int
        0 when it ended as asked, 1 when it could not start or leave the cell as asked, 2 when the run has a guard
        already; the reason is on stderr.
    """
    with lines_beside(sys.stderr):
        return _guard(
            RunDirectory(run_directory), stop_cell=stop_cell, longest_alone_s=longest_alone_s, in_reserve=in_reserve
        )


def _guard(run: RunDirectory, *, stop_cell: bool, longest_alone_s: float, in_reserve: bool) -> int:
    try:
        if in_reserve:
            _load(load_beamline(run.beamline).channel_access)
            if not sys.stdin.readline():
                return 0
        with only_guard(run), ExitStack() as ending:
            experiment, beamline = load_experiment(run.experiment), load_beamline(run.beamline)
            _load(beamline.channel_access)
            from operando.guard.guarding import guard_until_ended

            guard_until_ended(run, experiment, beamline, ending, stop_cell=stop_cell, longest_alone_s=longest_alone_s)
    except GuardRunsAlreadyError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (FileFormatError, CalibrationError, ClockError, OSError, RuntimeError) as error:
        logging.getLogger(__name__).critical("%s", error, exc_info=not isinstance(error, RuntimeError | ValueError))
        return 1
    return 0


def _load(access: ChannelAccess) -> None:
    """Load what guards, and with it what speaks EPICS.

    Importing ophyd fixes the client's addresses for good, and the server's port must not become the default port of
    the site's own list: so each waits for its part of the environment.
    """
    prepare(client_environment(access.addresses, os.environ, repeater_port=access.repeater_port))
    from devices.write_access import repair_ophyd

    repair_ophyd()
    prepare(server_environment(access.guard_port, interface=access.interface))
    importlib.import_module("operando.guard.guarding")


def main() -> int:
    """Read the command line and guard."""
    parser = argparse.ArgumentParser(description="Guard the cell of one run.")
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--stop-cell", action="store_true", help="open the circuit at the end also at a beamline")
    parser.add_argument(
        "--longest-alone-s", type=float, default=LONGEST_ALONE_S, help="end a rehearsal's guard after so long alone"
    )
    options = parser.parse_args()
    return run_guard(options.run_dir, stop_cell=options.stop_cell, longest_alone_s=options.longest_alone_s)


if __name__ == "__main__":
    run_as_process(main)
