"""Making the devices of a beamline from its file; import it only after the beamline was entered."""

from dataclasses import dataclass
from typing import Any

from devices.camera import Camera
from devices.cell import Cell
from devices.potentiostat import Potentiostat
from devices.ring_current import RingCurrent
from devices.rotation_stage import RotationStage
from devices.sample_stage import SampleStage
from devices.shutter import Shutter
from devices.temperature import Temperature
from devices.write_access import repair_ophyd
from operando.model.beamline import Beamline
from operando.model.clock import Clock
from plans.instruments import Instruments

# ophyd gives up the variables of a device that nobody holds any more, also while threads of its own still ask them:
# that can end the process by a signal. A process makes its devices once or twice.
_made: list[Any] = []


def instruments(beamline: Beamline, clock: Clock, token: str) -> Instruments:
    """Return the devices that the plans of a run use."""
    repair_ophyd()
    camera = beamline.camera
    made = Instruments(
        camera=Camera(camera.prefix, name="camera", clock=clock, cam=camera.cam, hdf1=camera.hdf1),
        rotation_stage=RotationStage(beamline.rotation_stage.prefix, name="rotation_stage", clock=clock),
        sample_x=SampleStage(beamline.sample_x.prefix, name="sample_x", clock=clock),
        shutter=Shutter(beamline.shutter.prefix, name="shutter", clock=clock),
        cell=Cell(beamline.guard.prefix, name="cell", token=token),
        ring_current=RingCurrent(beamline.ring_current.pv, name="ring_current"),
    )
    _made.append(made)
    return made


@dataclass(frozen=True)
class AllDevices:
    """Everything a beamline file names that answers over Channel Access."""

    plan_devices: Instruments
    potentiostat: Potentiostat
    temperature: Temperature

    @property
    def all(self) -> list[Any]:
        """In the order of a table for people."""
        plan = self.plan_devices
        return [
            plan.rotation_stage,
            plan.sample_x,
            plan.shutter,
            plan.camera,
            plan.ring_current,
            self.potentiostat,
            self.temperature,
            plan.cell,
        ]


def all_devices(beamline: Beamline, clock: Clock) -> AllDevices:
    """Return every device of a beamline, for looking at."""
    made = AllDevices(
        instruments(beamline, clock, token=""),
        Potentiostat(f"{beamline.potentiostat.prefix}C{beamline.potentiostat.channel}:", name="potentiostat"),
        Temperature(beamline.temperature.pv, name="temperature"),
    )
    _made.append(made)
    return made
