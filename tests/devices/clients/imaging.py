"""Takes a tomogram with the real devices and plan over the wire, after trying what must fail; prints what it found."""

import json
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from operando.model.beamline import load_beamline
from operando.model.channel_access import client_environment, prepare
from operando.model.clock import RehearsalClock

path = Path(sys.argv[1])
beamline = load_beamline(path)
access = beamline.channel_access
prepare(client_environment([*access.instruments], {}, repeater_port=access.repeater_port))

import h5py  # noqa: E402
from bluesky import RunEngine  # noqa: E402
from epics import ca  # noqa: E402
from ophyd.utils import LimitError  # noqa: E402

from devices.answers import NO_ANSWER  # noqa: E402
from devices.camera import Camera  # noqa: E402
from devices.chip_region import ChipRegion  # noqa: E402
from devices.connection import DeviceConnectionError, connect  # noqa: E402
from devices.parallel_read import ParallelReader  # noqa: E402
from devices.ring_current import RingCurrent  # noqa: E402
from devices.rotation_stage import RotationStage  # noqa: E402
from devices.sample_stage import SampleStage  # noqa: E402
from devices.shutter import Shutter  # noqa: E402
from operando.model.frames import IMAGES  # noqa: E402
from plans.alignment import ShotFiles, alignment  # noqa: E402
from plans.clock_waits import move, sleep_until  # noqa: E402
from plans.clock_waits import prepare as prepare_device  # noqa: E402
from plans.instruments import Instruments  # noqa: E402
from plans.tomogram import TomogramName, tomogram  # noqa: E402
from plans.tomogram_scan import TomogramScan  # noqa: E402
from tests.support.fast_clock import FastClock  # noqa: E402
from tests.support.soft_beamline import SoftCell  # noqa: E402

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


threading.Thread(target=sample, daemon=True).start()
instruments = Instruments(
    camera=Camera(beamline.camera.prefix, name="camera", clock=clock),
    rotation_stage=RotationStage(beamline.rotation_stage.prefix, name="rotation", clock=clock),
    sample_x=SampleStage(beamline.sample_x.prefix, name="sample_x", clock=clock),
    shutter=Shutter(beamline.shutter.prefix, name="shutter", clock=clock),
    cell=SoftCell(name="cell", clock=FastClock(clock.now())),
    ring_current=RingCurrent(beamline.ring_current.pv, name="ring_current"),
)
found: dict[str, Any] = {}
devices = [
    instruments.camera, instruments.rotation_stage, instruments.sample_x, instruments.shutter, instruments.ring_current,
]  # fmt: skip
began_s = time.perf_counter()
connect(devices, 10.0)
found["connected_s"] = time.perf_counter() - began_s
try:
    connect([Shutter("NOBODY:", name="absent", clock=clock)], 0.3)
except DeviceConnectionError as error:
    found["absent"] = str(error)


class Refusing:
    """libca that refuses the next get as it does after a circuit broke, and hands on everything else."""

    def __init__(self, libca: Any) -> None:
        self._libca = libca

    def __getattr__(self, name: str) -> Any:
        return getattr(self._libca, name)

    def ca_array_get_callback(self, *_: object) -> int:
        ca.libca = self._libca
        return 192  # ECA_DISCONN


def refused() -> list[str]:
    """Read after a refusal, and again: each entry is what came of a read."""
    ring, came = instruments.ring_current.readback, []

    def read(**options: Any) -> str:
        try:
            ring.get(use_monitor=False, **options)
        except NO_ANSWER as error:
            return type(error).__name__
        return "value"

    ca.libca = Refusing(ca.libca)
    came += [read(), read(timeout=0.3)]
    ring._run_subs(sub_type=ring.SUB_META, connected=False)  # as ophyd says a moment later
    came.append(read())
    reader = ParallelReader([beamline.ring_current.pv])
    reader.connected(5.0, needed=reader.pv_names)
    ca.libca = Refusing(ca.libca)
    return came + ["value" if value else "none" for _ in range(2) for value in reader.read(5.0).values()]


found["refused"] = refused()
engine = RunEngine(call_returns_result=True)


def stopped() -> Any:
    status = instruments.rotation_stage.set(90.0)
    instruments.rotation_stage.stop()
    while not status.done:
        yield from sleep_until(clock, clock.now() + 0.1)
        instruments.rotation_stage.look()
    return status.exception(timeout=0)


def too_large() -> Any:
    yield from prepare_device(instruments.camera, ChipRegion(4000, 16, 4))


found["stopped"] = str(engine(stopped()).plan_result)
try:
    engine(too_large())
except Exception as error:
    found["too_large"] = f"{error} {error.__cause__}"  # bluesky raises what failed, or that a status has failed by it
try:
    instruments.rotation_stage.set(1e6)
except LimitError as error:
    found["limit"] = str(error)
engine(move(clock, instruments.rotation_stage, 0.0))
found["position"] = instruments.rotation_stage.user_readback.get(use_monitor=False)

scan = TomogramScan(
    num_darks=3, num_flats=4, num_projections=36, exposure_s=0.4, frame_period_s=0.5, angle_range_deg=180.0,
    num_columns=32, num_rows=16, binning=4, pixel_size_um=1.0, energy_kev=35.0, sample_out_mm=12.0,
)  # fmt: skip
documents: list[tuple[str, dict[str, Any]]] = []


def whole() -> Any:
    yield from prepare_device(instruments.camera, scan.region)
    return (
        yield from tomogram(
            instruments,
            clock,
            scan,
            TomogramName("T", 1, "rest", 1, "time"),
            file_of=lambda kind: path.parent / "frames" / f"0001_{kind}.h5",
            metadata={"rehearsal": True},
        )
    )


wall_s, clock_s = time.perf_counter(), clock.now()
end = engine(whole(), lambda name, doc: documents.append((name, doc))).plan_result
found["wall_s"], found["clock_s"] = time.perf_counter() - wall_s, clock.now() - clock_s
found["outcome"], found["reason"], found["frames"] = end.outcome.value, end.reason, dict(end.frames)
found["shutter"] = instruments.shutter.state.value
found["swmr"] = instruments.camera.hdf1.swmr_mode.get(use_monitor=False)
found["exit_status"] = [doc["exit_status"] for name, doc in documents if name == "stop"]
found["num_datums"] = sum(name == "stream_datum" for name, _ in documents)
found["dead_time"] = [
    dict(zip(doc["data"]["dead_time_phases"], zip(doc["data"]["dead_time_clock_s"], doc["data"]["dead_time_wall_s"],
         strict=True), strict=True))
    for name, doc in documents if name == "event" and "dead_time_phases" in doc["data"]
]  # fmt: skip
found["camera_clock"] = next(
    [doc["data"]["camera_clock_behind_s"], doc["data"]["camera_clock_uncertainty_s"]]
    for name, doc in documents if name == "event" and "camera_clock_behind_s" in doc["data"]
)  # fmt: skip
found["velocity"] = instruments.rotation_stage.velocity.get(use_monitor=False)


def axis_of(files: ShotFiles) -> SimpleNamespace:
    for key, taken in (("dark", files.dark), ("flat", files.flat), ("first", files.first), ("second", files.second)):
        with h5py.File(taken, "r") as file:
            shots[key] = [[int(count) for count in frame[0, 1:3]] for frame in file[IMAGES]]
    return SimpleNamespace(column=15.5, uncertainty=0.1)


shots: dict[str, list[list[int]]] = {}
end = engine(
    alignment(
        instruments, clock, scan, num_frames=2, axis_of=axis_of, centre=True, metadata={"rehearsal": True},
        files_of=lambda _: ShotFiles(*(path.parent / f"{key}.h5" for key in ("a_dark", "a_flat", "a_0", "a_180"))),
    )
).plan_result  # fmt: skip
found["shots"], found["moved_mm"] = shots, end.moved_mm
found["shutter_after_shots"] = instruments.shutter.state.value
over.set()
clock.close()
guard.close()

with h5py.File(path.parent / "frames" / "0001_projection.h5") as file:
    found["angles"] = file["entry/instrument/NDAttributes/rotation_angle"][:].tolist()
with h5py.File(path.parent / "frames" / "0001_dark.h5") as file:
    found["dark_open"] = file["entry/data/data"][:, 0, 2].tolist()
with h5py.File(path.parent / "frames" / "0001_flat.h5") as file:
    found["flat_open"] = file["entry/data/data"][:, 0, 2].tolist()
print(json.dumps(found))
