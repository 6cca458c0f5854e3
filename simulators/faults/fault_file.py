"""Faults as people write them: a ``[[fault]]`` list in a TOML file, or one table in a command."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from operando.model.toml_file import Table, read_toml
from simulators.faults.beam_faults import BeamFlicker, BeamLoss
from simulators.faults.disk_faults import FullDisk, SlowDisk
from simulators.faults.fault import Fault
from simulators.faults.frame_faults import (
    CameraStall,
    DamagedFrames,
    DuplicatedFrames,
    LateFrame,
    LostFrames,
    RepeatedImage,
)
from simulators.faults.potentiostat_faults import (
    EarlyLimit,
    PotentiostatClock,
    PotentiostatDisconnect,
    RefusedCommand,
)
from simulators.faults.sensor_faults import FrozenSensor, NotANumber, SilentSensor, Spike
from simulators.faults.serial_faults import SerialGarbage, SerialUnplug, WrongChecksum
from simulators.faults.server_faults import LostServers
from simulators.faults.stage_faults import StageSlip, StageStall, StageStop

AnyFault = Annotated[
    LostFrames
    | LateFrame
    | DuplicatedFrames
    | RepeatedImage
    | DamagedFrames
    | CameraStall
    | FullDisk
    | SlowDisk
    | BeamLoss
    | BeamFlicker
    | StageStall
    | StageStop
    | StageSlip
    | FrozenSensor
    | NotANumber
    | Spike
    | SilentSensor
    | SerialUnplug
    | SerialGarbage
    | WrongChecksum
    | PotentiostatDisconnect
    | RefusedCommand
    | EarlyLimit
    | PotentiostatClock
    | LostServers,
    Field(discriminator="kind"),
]


class FaultError(ValueError):
    """Something that is no fault."""


class FaultFile(Table):
    """The faults of a rehearsal."""

    fault: tuple[AnyFault, ...] = ()


def load_faults(path: Path) -> tuple[Fault, ...]:
    """Read a file of faults.

    Raises
    ------
    FileFormatError
        With one sentence per mistake.
    """
    return read_toml(path, FaultFile).fault


def fault_from(table: dict[str, Any]) -> Fault:
    """Return the fault that a table says.

    Raises
    ------
    FaultError
        If it says none.
    """
    adapter: TypeAdapter[Fault] = TypeAdapter(AnyFault)
    try:
        return adapter.validate_python(table)
    except ValidationError as error:
        mistakes = [f"{'.'.join(map(str, each['loc'])) or 'fault'}: {each['msg']}" for each in error.errors()]
        raise FaultError("; ".join(mistakes)) from error
