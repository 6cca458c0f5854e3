"""Acts on the guard of one run from a process of its own, where ophyd may be imported with this run's addresses.

Reads one JSON request a line: ["get"], ["describe"], ["put", pv, value], ["read", pv], ["send", text],
["command", name, arguments, id, token], ["trip_after_a_short_change"], ["trip_while_its_time_is_asked_for"].
"""

import json
import sys
from pathlib import Path

from ophyd import EpicsSignal, EpicsSignalRO

from devices.cell import Cell, CellCommandError
from operando.model.run_directory import RunDirectory

SIGNALS = ("voltage", "current", "charge", "pressure", "temperature", "state", "step", "trip", "quality", "heartbeat")
ROWS = (
    "potentiostat_row",
    "load_cell_row",
    "temperature_row",
    "pid",
    "sample_time",
    "period",
    "made_time",
    "clock_uncertainty",
)


def answer(cell: Cell, request: list[object]) -> object:
    match request:
        case ["get"]:
            return {name: getattr(cell, name).get(use_monitor=False) for name in SIGNALS + ROWS}
        case ["trip_after_a_short_change"]:
            cell.trip.wait_for_connection(timeout=10)
            cell.trip._read_pv._args["count"] = 1  # as pyepics has it while the newest change is still on its way
            return cell.trip.get(use_monitor=False)
        case ["trip_while_its_time_is_asked_for"]:
            from epics import ca  # after ophyd, which chooses the library that pyepics loads

            cell.trip.wait_for_connection(timeout=10)
            pv = cell.trip._read_pv
            ca.get_with_metadata(pv.chid, ftype=pv.ftype, count=1, wait=False)  # as ca.get_timevars does
            return cell.trip.get(use_monitor=False)
        case ["describe"]:
            cell.wait_for_connection(timeout=10)
            return {key: value.get("units") for key, value in cell.describe().items()}
        case ["put", str(pv), value]:
            EpicsSignal(pv, put_complete=True, name="put").set(value).wait(5)
            return 1
        case ["read", str(pv)]:
            return EpicsSignalRO(pv, name="read").get()
        case ["send", str(text)]:
            cell.command_text.put(text)
            return 1
        case ["command", str(name), dict(arguments), identity, token]:
            sender = cell if token is None else Cell(cell.prefix, name="stranger", token=str(token))
            try:
                status = sender.command(name, arguments, command_id=None if identity is None else str(identity))
                status.wait(30)
            except CellCommandError as error:
                return str(error)
            return "done"
    raise ValueError(request)


def main(run_directory: Path, prefix: str) -> None:
    token = RunDirectory(run_directory).token.read_text().strip()
    cell = Cell(prefix, name="cell", token=token)
    for line in sys.stdin:
        try:
            found = {"answer": answer(cell, json.loads(line))}
        except TimeoutError as error:
            found = {"error": f"TimeoutError {error}"}
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
