"""A person, or a campaign, lets something go wrong in a rehearsal that runs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from operando.model.run_directory import RunDirectory
from operando.session.beamline_access import enter_beamline, quiet_channel_access
from operando.session.errors import RequestError
from simulators.beamline_file import CONTROL_PREFIX, FAULTS_TOKEN
from simulators.faults.fault_file import FaultError, fault_from, load_faults

CONNECT_TIMEOUT_S = 10.0


def parsed(kind: str, options: Sequence[str]) -> dict[str, Any]:
    """Return a fault as its table in a file would be, from ``key=value`` options; a value is JSON or a text.

    Raises
    ------
    RequestError
        If it is no fault, with what is allowed.
    """
    table: dict[str, Any] = {"kind": kind}
    for option in options:
        key, separator, text = option.partition("=")
        if not separator:
            raise RequestError(f"inject {option!r}: is no option. Write key=value, as in duration='30 s'.")
        try:
            table[key] = json.loads(text)
        except ValueError:
            table[key] = text
    try:
        fault_from(table)
    except FaultError as error:
        raise RequestError(f"inject {kind}: {error}.") from error
    return table


def refuse_wrong_faults(file: Path, *, rehearsal: bool) -> None:
    """Refuse a file of faults before anything starts.

    Raises
    ------
    RequestError
        If this is no rehearsal.
    FileFormatError
        If the file is not what it must be.
    """
    if not rehearsal:
        raise RequestError(f"--faults {file}: is for rehearsals only. Leave it out, or --beamline.")
    load_faults(file)


def inject(path: Path, table: dict[str, Any]) -> list[int]:
    """Put a fault into the simulated beamline of a run; return its numbers in ``simulation/faults.jsonl``.

    Raises
    ------
    RequestError
        If this is no rehearsal, nobody answers, or the beamline refuses.
    """
    run = RunDirectory(path)
    folder = run.simulation if run.simulation.is_dir() else path
    token, beamline_file = folder / FAULTS_TOKEN, folder / "beamline.toml"
    if not token.is_file():
        raise RequestError(f"{path}: holds no simulated beamline. Faults can only be injected into rehearsals.")
    enter_beamline(beamline_file)
    from ophyd import EpicsSignal, EpicsSignalRO

    quiet_channel_access()
    command = EpicsSignal(f"{CONTROL_PREFIX}INJECT", name="inject", string=True, put_complete=True)
    answer = EpicsSignalRO(f"{CONTROL_PREFIX}INJECTED", name="injected", string=True)
    try:
        for signal in (command, answer):
            signal.wait_for_connection(timeout=CONNECT_TIMEOUT_S)
        command.set(json.dumps({"token": token.read_text(encoding="utf-8"), "fault": table})).wait(CONNECT_TIMEOUT_S)
        said = json.loads(str(answer.get(use_monitor=False)))
    except (TimeoutError, ValueError) as error:
        raise RequestError(f"{path}: the simulated beamline does not answer ({error}).") from None
    finally:
        command.destroy()
        answer.destroy()
    if "refused" in said:
        raise RequestError(f"{path}: {said['refused']}")
    return [int(number) for number in said["ids"]]
