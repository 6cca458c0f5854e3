"""What a person is told of a cell that its run leaves running, or could not verify to be at open circuit."""

import contextlib
import sqlite3

from operando.model.cell_log import CellLogReader
from operando.model.number_text import duration_text
from operando.model.process_files import read_pid_files
from operando.model.run_directory import RunDirectory

NOT_SAFE = "At the end the cell could NOT be verified to be at open circuit"


def words_of_cell(
    run: RunDirectory, *, is_safe: bool, stays: bool, guard_pid: int | None, longest_alone_s: float | None
) -> str:
    """Return what is to be said at the end of a run's acquisition; nothing if the cell is at open circuit.

    Parameters
    ----------
    stays
        Whether the cell is left as it is, by a person's wish or because the guard still tries to open its circuit.
    guard_pid
        Process id of the run's guard, None if none is left.
    longest_alone_s
        After what time the processes of a rehearsal end by themselves, in s; None at a beamline.
    """
    if not is_safe and longest_alone_s is not None and living(run, "simulator") is None:
        return "The simulated beamline is gone, and its cell with it."
    if guard_pid is not None:
        look = "" if is_safe else f"{NOT_SAFE}; {_whether_tried(run)}. Look at the instrument. "
        return look + _how_to_end(run, guard_pid, longest_alone_s) if stays else look
    if is_safe and not stays:
        return ""
    problem = "The cell goes on" if is_safe else NOT_SAFE
    if longest_alone_s is not None:
        return f"{problem}, and no guard is left. It is simulated, and ends with its beamline."
    return (
        f"{problem}, and no guard is left: only the technique's own limits protect the cell. Look at the instrument. "
        f"'operando guard {run.path}' guards it again; with --stop-cell, ended by Ctrl-C, it opens the circuit."
    )


def living(run: RunDirectory, role: str) -> int | None:
    """Return the process id of a living process of the run, None if there is none."""
    return next((record.pid for record in read_pid_files(run.processes) if record.role == role and record.alive), None)


def _whether_tried(run: RunDirectory) -> str:
    """Say whether the guard has tripped: then it opens the circuit again and again, else nobody could tell it to."""
    with contextlib.suppress(sqlite3.Error, OSError), contextlib.closing(CellLogReader(run.cell_log)) as log:
        if log.latched_trip():
            return "the guard goes on trying"
    return "the guard was not heard to try"


def _how_to_end(run: RunDirectory, guard_pid: int, longest_alone_s: float | None) -> str:
    """Say how a cell that was left cycling is ended; a beamline's guard is never alone for too long."""
    goes_on = f"The cell goes on under the guard, process {guard_pid}."
    if longest_alone_s is None:
        return (
            f"{goes_on} 'kill {guard_pid}' ends the guard only; the technique's own limits then protect the cell. "
            f"For open circuit run 'operando guard {run.path} --stop-cell' after it, and end that with Ctrl-C."
        )
    return (
        f"{goes_on} 'kill {guard_pid}' brings the cell to open circuit and ends it; "
        f"'kill {living(run, 'simulator')}' then ends the "
        f"simulated beamline. Each ends by itself {duration_text(longest_alone_s)} after its last client."
    )
