"""A person clears the trip of a run's guard, over the guard's own process variables."""

from operando.model.process_files import read_pid_files
from operando.model.run_directory import RunDirectory
from operando.session.beamline_access import enter_beamline, quiet_channel_access
from operando.session.errors import RequestError

CONNECT_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 60.0  # real time: the guard reads everything anew and may wait for a silent instrument


def clear_trip(run: RunDirectory, *, person: str, reason: str) -> str:
    """Clear the latched trip; return what had tripped.

    Raises
    ------
    RequestError
        If no guard of this run answers, or if it refuses: the reason is still there, open circuit is not verified, or
        nothing is tripped.
    """
    if not any(record.role == "guard" and record.alive for record in read_pid_files(run.processes)):
        raise RequestError(f"{run.path}: no guard of this run is alive. Start it: operando guard {run.path}")
    beamline = enter_beamline(run.beamline)
    from devices.cell import Cell, CellCommandError  # ophyd first: it chooses the library that pyepics loads
    from devices.connection import DeviceConnectionError, connect

    quiet_channel_access()
    cell = Cell(beamline.guard.prefix, name="cell", token=run.token.read_text(encoding="utf-8").strip())
    try:
        connect([cell], CONNECT_TIMEOUT_S)
        tripped = str(cell.trip.get(use_monitor=False))
        status = cell.command("clear_trip", {"person": person, "reason": reason})
        status.wait(ANSWER_TIMEOUT_S)
    except (DeviceConnectionError, CellCommandError, TimeoutError) as error:
        raise RequestError(f"ask clear-trip: {error}") from None
    finally:
        cell.destroy()
    return tripped
