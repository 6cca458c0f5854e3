"""What all faults have in common: when they begin, how long they last, and what they are given to work on."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from operando.model.toml_file import Table
from operando.model.units import Seconds, parse_quantity
from simulators.faults.moment import Moment, Now

if TYPE_CHECKING:
    from simulators.beamline_server import BeamlineServer
    from simulators.camera import Camera
    from simulators.conductor import Conductor
    from simulators.frame_path import FramePath
    from simulators.hdf5_plugin import Hdf5Plugin
    from simulators.load_cell import LoadCell
    from simulators.motor import Motor
    from simulators.potentiostat import Potentiostat
    from simulators.potentiostat_channel import Channel
    from simulators.scalar_sensors import ScalarSensors, StoredCurrent

End = Callable[[], None] | Callable[[], Awaitable[None]]
Tell = Callable[..., None]


@dataclass(frozen=True)
class Instruments:
    """The instruments of a simulated beamline, as far as they can be disturbed."""

    conductor: "Conductor"
    server: "BeamlineServer"
    rotation: "Motor"
    sample_x: "Motor"
    ring: "StoredCurrent"
    sensors: "ScalarSensors"
    load_cell: "LoadCell"
    potentiostat: "Potentiostat"
    channel: "Channel"
    camera: "Camera"
    frames: "FramePath"
    hdf5: "Hdf5Plugin"


@dataclass(frozen=True)
class Scene:
    """Where one fault happens.

    ``tell`` writes down what it did, by name; ``random`` is its own, the same in every repetition.
    """

    instruments: Instruments
    tell: Tell
    random: np.random.Generator


class Fault(Table):
    """A fault that ends by itself; its file calls it by ``kind``."""

    at: Moment = Now()

    async def begin(self, scene: Scene) -> End | None:
        """Do it; return what ends it, if it lasts."""
        raise NotImplementedError

    @property
    def lasts_s(self) -> float | None:
        """How long it lasts on the rehearsal's clock, in s; None if it ends by itself."""
        return None

    @property
    def lasts_wall_s(self) -> float | None:
        """How long it lasts on the host's clock, in s; None if it ends by itself or on the rehearsal's clock."""
        return None


class LastingFault(Fault):
    """A fault that is over after ``duration``."""

    duration: Seconds = Field(gt=0)

    @property
    def lasts_s(self) -> float | None:
        """How long it lasts on the rehearsal's clock, in s."""
        return self.duration


def in_unit_of(table: Any, key: str, chooser: str, units: Mapping[str, str], default: str = "") -> Any:
    """Return a fault's table with a quantity as a number of the unit that another of its parameters chooses.

    Raises
    ------
    ValueError
        If it is no quantity of that unit.
    """
    if not isinstance(table, dict) or key not in table:
        return table
    unit = units.get(str(table.get(chooser, default)))
    return table if unit is None else {**table, key: parse_quantity(table[key], unit)}
