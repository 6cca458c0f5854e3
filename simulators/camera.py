"""An areaDetector camera: exposes frames in virtual time and completes when they are in the file."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from ophyd.areadetector.cam import SimDetectorCam

from simulators.channel_access_server import MirroredGroup, properties, pv_names
from simulators.conductor import Conductor
from simulators.frame_source import FrameSource

MAX_CONTINUOUS_FRAMES = 100_000  # a client that was killed must not leave the camera running for ever
NICENESS = 10
UINT16 = 3


@dataclass(frozen=True)
class Chip:
    """The sensor, and the part of it that is read out at first."""

    num_columns: int
    num_rows: int
    binning: int
    region_columns: int  # unbinned
    region_rows: int


@dataclass(frozen=True)
class Stages:
    """What the camera sees of the beamline, at any time."""

    angle_deg: Callable[[float], float]
    sample_x_mm: Callable[[float], float]
    shutter_open: Callable[[], bool]


class FrameSink(Protocol):
    """What takes the finished frames: the HDF5 plugin."""

    async def take(self, frame: NDArray[np.uint16], time_s: float, frame_id: int, angle_deg: float) -> None:
        """Return when the frame is stored or counted as lost."""

    async def acquisition_ended(self, num_frames: int, last_mid_exposure_s: float) -> None:
        """Note that a whole acquisition of ``num_frames`` ended."""


class _Region:
    """Columns and rows that are read out, as the process variables say."""

    def __init__(self, camera: "Camera") -> None:
        self.columns = camera.value("SizeX") // camera.value("BinX")
        self.rows = camera.value("SizeY") // camera.value("BinY")


class Camera(MirroredGroup):
    """The ``cam1:`` part.

    Parameters
    ----------
    conductor
        Time: frame k of an acquisition begun at t0 is exposed from t0 + k period and done one exposure later.
    chip
        Size of the sensor.
    source
        Makes the frames.
    sink
        Takes them.
    stages
        Where the sample is.
    preview
        Is shown every frame: counts, frame id, time of mid-exposure.
    at_mid_exposure
        Called in the event loop, in the order of time, before the frame of that moment is made.
    """

    locals().update(
        properties(
            pv_names(SimDetectorCam),
            {
                "PortName": "CAM",
                "Manufacturer": "simulated",
                "Model": "camera",
                "AcquireTime": 0.01,
                "AcquirePeriod": 0.01,
                "NumImages": 1,
                "NumExposures": 1,
                "ImageMode": 1,
                "DataType": UINT16,
                "BinX": 1,
                "BinY": 1,
            },
        )
    )

    def __init__(
        self,
        *args: Any,
        conductor: Conductor,
        chip: Chip,
        source: FrameSource,
        sink: FrameSink,
        stages: Stages,
        preview: Callable[[NDArray[np.uint16], int, float], None],
        at_mid_exposure: Callable[[float], None],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._conductor = conductor
        self._chip = chip
        self._source = source
        self._sink = sink
        self._stages = stages
        self._preview = preview
        self._at_mid_exposure = at_mid_exposure
        self._renderer = ThreadPoolExecutor(1, "render", initializer=_lower_priority)
        self._acquisition: Acquisition | None = None
        self.num_frames_made = 0

    async def initialise(self) -> None:
        """Publish what depends on the chip."""
        chip = self._chip
        both = {
            "BinX": chip.binning,
            "BinY": chip.binning,
            "SizeX": chip.region_columns,
            "SizeY": chip.region_rows,
            "MinX": (chip.num_columns - chip.region_columns) // 2,
            "MinY": (chip.num_rows - chip.region_rows) // 2,
        }
        for name, value in both.items():
            await self.post(**{name: value, f"{name}_RBV": value})
        await self.post(MaxSizeX_RBV=chip.num_columns, MaxSizeY_RBV=chip.num_rows)
        await self._post_region()

    async def on_SizeX(self, value: int) -> int:  # noqa: N802
        """Set the unbinned columns that are read out."""
        return await self._set_region("SizeX", value, self._chip.num_columns)

    async def on_SizeY(self, value: int) -> int:  # noqa: N802
        """Set the unbinned rows that are read out."""
        return await self._set_region("SizeY", value, self._chip.num_rows)

    async def on_BinX(self, value: int) -> int:  # noqa: N802
        """Set how many columns make one pixel."""
        return await self._set_region("BinX", value, self._chip.num_columns)

    async def on_BinY(self, value: int) -> int:  # noqa: N802
        """Set how many rows make one pixel."""
        return await self._set_region("BinY", value, self._chip.num_rows)

    async def _set_region(self, name: str, value: int, largest: int) -> int:
        allowed = min(max(int(value), 1), largest)
        await self.post(**{name: allowed, f"{name}_RBV": allowed})
        await self._post_region()
        return allowed

    async def _post_region(self) -> None:
        region = _Region(self)
        await self.post(
            ArraySizeX_RBV=region.columns, ArraySizeY_RBV=region.rows, ArraySize_RBV=2 * region.columns * region.rows
        )

    async def on_AcquireTime(self, value: float) -> float:  # noqa: N802
        """Set the exposure; a shorter period follows it."""
        exposure_s = max(float(value), 1e-6)
        await self.post(AcquireTime_RBV=exposure_s)
        if self.value("AcquirePeriod") < exposure_s:
            await self.post(AcquirePeriod=exposure_s, AcquirePeriod_RBV=exposure_s)
        return exposure_s

    async def on_AcquirePeriod(self, value: float) -> float:  # noqa: N802
        """Set the time between the beginnings of two exposures; it is never shorter than the exposure."""
        period_s = max(float(value), self.value("AcquireTime"))
        await self.post(AcquirePeriod_RBV=period_s)
        return period_s

    async def on_Acquire(self, value: Any) -> int:  # noqa: N802
        """Begin or end an acquisition; the put that begins it completes when all frames are in the file."""
        if self.index_of("Acquire", value) == 0:
            if self._acquisition is not None:
                self._acquisition.stopping = True
            return 0
        if self._acquisition is not None:
            return 1
        region = _Region(self)
        if (region.rows, region.columns) != self._source.frame_shape:
            rows, columns = self._source.frame_shape
            await self.post(
                DetectorState_RBV=6,
                StatusMessage_RBV=f"Region gives {region.columns} x {region.rows} pixels; set {columns} x {rows}.",
            )
            return 0
        wanted = (1, max(1, self.value("NumImages")), MAX_CONTINUOUS_FRAMES)[self.value("ImageMode")]
        self._acquisition = Acquisition(
            self, wanted, self._conductor.now(), self.value("AcquireTime"), self.value("AcquirePeriod")
        )
        self._acquisition.schedule_frame()
        await self.post(
            Acquire=1, Acquire_RBV=1, DetectorState_RBV=1, NumImagesCounter_RBV=0, StatusMessage_RBV="Acquiring"
        )
        await asyncio.shield(self._acquisition.ended)
        return 0

    async def ended(self, acquisition: "Acquisition", last_mid_exposure_s: float) -> None:
        """Publish that an acquisition is over, all its frames being in the file."""
        self._acquisition = None
        await self._sink.acquisition_ended(acquisition.num_taken, last_mid_exposure_s)
        await self.post(Acquire=0, Acquire_RBV=0, DetectorState_RBV=0, StatusMessage_RBV="Waiting for acquisition")
        acquisition.ended.set_result(None)

    def begin_frame(self, mid_exposure_s: float, exposure_s: float) -> "asyncio.Future[NDArray[np.uint16]]":
        """Begin to make a frame in the rendering thread."""
        self._at_mid_exposure(mid_exposure_s)
        self.num_frames_made += 1
        return asyncio.get_running_loop().run_in_executor(
            self._renderer,
            self._source.frame,
            mid_exposure_s,
            exposure_s,
            self._stages.angle_deg(mid_exposure_s),
            self._stages.sample_x_mm(mid_exposure_s),
            self._stages.shutter_open(),
            self.num_frames_made,
        )

    async def finish_frame(self, frame: NDArray[np.uint16], mid_exposure_s: float, num_taken: int) -> None:
        """Store, show and count a frame."""
        counter = self.value("ArrayCounter") + 1
        angle_deg = self._stages.angle_deg(mid_exposure_s)
        if self.value("ArrayCallbacks"):
            await self._sink.take(frame, mid_exposure_s, counter, angle_deg)
        self._preview(frame, counter, mid_exposure_s)
        await self.post(ArrayCounter=counter, ArrayCounter_RBV=counter, NumImagesCounter_RBV=num_taken)

    def at(self, time_s: float, handler: Callable[[], Any], *, answers: bool = False) -> None:
        """Let something happen in the camera at a moment of virtual time."""
        self._conductor.at(time_s, handler, answers=answers)

    def close(self) -> None:
        """End the rendering thread."""
        self._renderer.shutdown(wait=True, cancel_futures=True)


class Acquisition:
    """The frames between one start of the camera and its end."""

    def __init__(self, camera: Camera, wanted: int, begin_s: float, exposure_s: float, period_s: float) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.stopping = False
        self.num_taken = 0
        self._camera = camera
        self._wanted = wanted
        self._begin_s = begin_s
        self._exposure_s = exposure_s
        self._period_s = period_s
        self._frame: asyncio.Future[NDArray[np.uint16]] | None = None

    @property
    def _mid_exposure_s(self) -> float:
        return self._begin_s + self.num_taken * self._period_s + self._exposure_s / 2

    def schedule_frame(self) -> None:
        """Expose the next frame when its time comes."""
        self._camera.at(self._mid_exposure_s, self._mid_exposure)

    async def _mid_exposure(self) -> None:
        self._frame = self._camera.begin_frame(self._mid_exposure_s, self._exposure_s)
        is_last = self.num_taken + 1 == self._wanted or self.stopping
        done_s = self._begin_s + self.num_taken * self._period_s + self._exposure_s
        self._camera.at(done_s, self._exposed, answers=is_last)

    async def _exposed(self) -> None:
        assert self._frame is not None
        mid_exposure_s = self._mid_exposure_s
        await self._camera.finish_frame(await self._frame, mid_exposure_s, self.num_taken + 1)
        self.num_taken += 1
        if self.num_taken < self._wanted and not self.stopping:
            self.schedule_frame()
        else:
            await self._camera.ended(self, mid_exposure_s)


def _lower_priority() -> None:
    """Let rendering yield to everything else; on Linux a thread has a priority of its own."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
