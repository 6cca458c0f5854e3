"""The devices that the plans of an experiment use, as one argument."""

from dataclasses import dataclass
from typing import Any, Protocol

from devices.camera import Camera
from devices.ring_current import RingCurrent
from devices.rotation_stage import RotationStage
from devices.sample_stage import SampleStage
from devices.shutter import Shutter


class Cell(Protocol):
    """What a plan needs of :class:`devices.cell.Cell`; it is never moved."""

    name: str
    connected: bool
    is_given_up: bool  # nobody answered for longer than a restart of the guard takes
    voltage: Any
    charge: Any
    state: Any
    step: Any
    sample_time: Any
    period: Any
    trip: Any
    potentiostat_row: Any
    clock_uncertainty: Any
    clock_drift: Any
    clock_drift_uncertainty: Any
    clock_server_behind: Any

    def command(self, command: str, arguments: dict[str, Any], *, command_id: str | None = None) -> Any:
        """Send a command to the guard; return a status that is done when the guard has verified it."""

    def check_answer(self) -> None:
        """Ask for the guard's last answer."""


@dataclass(frozen=True)
class Instruments:
    """Everything a tomogram needs, and the cell it is taken of."""

    camera: Camera
    rotation_stage: RotationStage
    sample_x: SampleStage
    shutter: Shutter
    cell: Cell
    ring_current: RingCurrent
