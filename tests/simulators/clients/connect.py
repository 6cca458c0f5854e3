"""Connects every signal of the ophyd classes, moves the motor to argument 2, reads it back."""

import json
import sys
from pathlib import Path

from operando.model.beamline import load_beamline
from operando.model.channel_access import client_environment, prepare

beamline = load_beamline(Path(sys.argv[1]))
access = beamline.channel_access
prepare(client_environment([*access.instruments], {}, repeater_port=access.repeater_port))

import epics  # noqa: E402
from ophyd import EpicsMotor  # noqa: E402
from ophyd.areadetector.cam import SimDetectorCam  # noqa: E402
from ophyd.areadetector.plugins import HDF5Plugin_V34  # noqa: E402
from ophyd.utils import LimitError  # noqa: E402

from simulators.channel_access_server import pv_names  # noqa: E402

motor = EpicsMotor(beamline.rotation_stage.prefix, name="rotation")
motor.wait_for_connection(timeout=10)
names = [f"{beamline.camera.prefix}cam1:{name}" for name in pv_names(SimDetectorCam)]
names += [f"{beamline.camera.prefix}HDF1:{name}" for name in pv_names(HDF5Plugin_V34)]
pvs = [epics.PV(name, auto_monitor=False) for name in names]
missing = [pv.pvname for pv in pvs if not pv.wait_for_connection(timeout=5)]
motor.set(float(sys.argv[2])).wait(timeout=20)
try:
    motor.set(10_000)
    limited = False
except LimitError:
    limited = True
status = motor.set(float(sys.argv[2]) + 100)
motor.stop()
status.wait(timeout=5)
print(
    json.dumps(
        {
            "missing": missing,
            "limited": limited,
            "stopped_at": motor.user_readback.get(use_monitor=False),
            "target_after_stop": motor.user_setpoint.get(use_monitor=False),
            "stamp": motor.user_readback.timestamp,
            "guard_prefix": beamline.guard.prefix,
        }
    )
)
