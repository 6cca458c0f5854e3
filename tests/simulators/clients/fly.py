"""As guard and acquisition at once: turns the stage and takes frames meanwhile, in virtual time."""

import json
import sys
import threading
from pathlib import Path

from operando.model.beamline import load_beamline
from operando.model.channel_access import client_environment, prepare
from operando.model.clock import RehearsalClock

path = Path(sys.argv[1])
beamline = load_beamline(path)
access = beamline.channel_access
prepare(client_environment([*access.instruments], {}, repeater_port=access.repeater_port))

import epics  # noqa: E402
import h5py  # noqa: E402

CAM, HDF = f"{beamline.camera.prefix}cam1:", f"{beamline.camera.prefix}HDF1:"
NUM_FRAMES, PERIOD_S, EXPOSURE_S, VELOCITY = 40, 0.5, 0.4, 8.0
assert beamline.clock is not None
address = beamline.clock.host, beamline.clock.port
guard = RehearsalClock(address, path.parent / beamline.clock.page, role="guard")
clock = RehearsalClock(address, path.parent / beamline.clock.page, role="acquisition")
over = threading.Event()


def sample() -> None:
    deadline_s = guard.now()
    while not over.is_set():
        deadline_s += 1.0
        guard.sleep_until(deadline_s)


def put(name: str, value: object) -> None:
    assert epics.caput(name, value, wait=True, timeout=5) == 1, name


def live() -> None:
    while not over.wait(0.1):
        clock.alive()


threading.Thread(target=sample, daemon=True).start()
threading.Thread(target=live, daemon=True).start()
clock.sleep_until(clock.now())  # from here on time stands still while this client works
for name, value in {
    f"{HDF}FilePath": str(path.parent),
    f"{HDF}FileName": sys.argv[2],
    f"{HDF}FileTemplate": "%s%s.h5",
    f"{HDF}FileWriteMode": 2,
    f"{HDF}NumCapture": 0,
    f"{HDF}EnableCallbacks": 1,
    f"{CAM}ArrayCallbacks": 1,
    f"{CAM}AcquireTime": EXPOSURE_S,
    f"{CAM}AcquirePeriod": PERIOD_S,
    f"{CAM}ImageMode": 1,
    f"{CAM}NumImages": NUM_FRAMES,
    f"{CAM}ArrayCounter": 0,
    f"{HDF}Capture": 1,
    f"{beamline.rotation_stage.prefix}.VELO": VELOCITY,
    f"{beamline.shutter.prefix}OPEN_CMD": 1,
}.items():
    put(name, value)
stage = epics.PV(beamline.rotation_stage.prefix)
acquire = epics.PV(f"{CAM}Acquire")
stage.wait_for_connection()
acquire.wait_for_connection()
begin_s, start = clock.now(), epics.caget(f"{beamline.rotation_stage.prefix}.RBV", use_monitor=False)
taken = threading.Event()
stage.put(start + 200.0)
acquire.put(1, callback=lambda **_: taken.set())
acquire.get(use_monitor=False)
while not taken.is_set():
    clock.sleep_until(clock.now() + PERIOD_S)
end_s = clock.now()
captured = epics.caget(f"{HDF}NumCaptured_RBV", use_monitor=False)
put(f"{HDF}Capture", 0)
put(f"{HDF}FileName", "nowhere")
put(f"{HDF}FilePath", str(path.parent / "absent"))
put(f"{HDF}Capture", 1)
put(f"{HDF}FilePath", str(path.parent))
put(f"{beamline.rotation_stage.prefix}.STOP", 1)
put(f"{beamline.rotation_stage.prefix}.VELO", 36.0)
over.set()
status = epics.caget(f"{HDF}WriteStatus", use_monitor=False)
message = epics.caget(f"{HDF}WriteMessage", as_string=True, use_monitor=False)
clock.close()
guard.close()
with h5py.File(path.parent / f"{sys.argv[2]}.h5") as file:
    attributes = file["entry/instrument/NDAttributes"]
    print(
        json.dumps(
            {
                "captured": int(captured),
                "begin_s": begin_s,
                "end_s": end_s,
                "start_deg": start,
                "times": attributes["NDArrayTimeStamp"][:].tolist(),
                "ids": attributes["NDArrayUniqueId"][:].tolist(),
                "angles": attributes["rotation_angle"][:].tolist(),
                "pixels": file["entry/data/data"][:, 0, :3].tolist(),
                "error_status": int(status),
                "error_message": message,
            }
        )
    )
