"""An areaDetector camera: exposes frames in virtual time and completes when they are in the file."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ophyd.areadetector.cam import SimDetectorCam

from simulators.acquisition import Acquisition, Exposure, Foreseen
from simulators.channel_access_server import MirroredGroup, properties, pv_names
from simulators.conductor import Conductor
from simulators.frame_path import Frame, FramePath
from simulators.frame_source import FrameSource
from simulators.tap import Tap

MAX_CONTINUOUS_FRAMES = 100_000  # a client that was killed must not leave the camera running for ever
NICENESS = 10
UINT16 = 3
ERROR = 6  # of DetectorState


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
    beam: Callable[[float, float], float]  # mean between two times, relative to the filled ring; 0 is none
    num_interventions: Callable[[], int]  # counts what was done to the cell: what was foreseen before no longer holds


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

    ``delivery`` is the tap for the moment at which an exposure is over.
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
        sink: FramePath,
        stages: Stages,
        preview: Callable[[NDArray[np.uint16], int, float], None],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._conductor = conductor
        self._chip = chip
        self._source = source
        self._sink = sink
        self._stages = stages
        self._preview = preview
        self._renderer = ThreadPoolExecutor(1, "render", initializer=_lower_priority)
        self._acquisition: Acquisition | None = None
        self.num_frames_made = 0
        self.delivery: Tap[float] = Tap()

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
        rows, columns = self._read_out()
        await self.post(ArraySizeX_RBV=columns, ArraySizeY_RBV=rows, ArraySize_RBV=2 * columns * rows)

    def _read_out(self) -> tuple[int, int]:
        """Rows and columns of a frame, as the process variables ask for."""
        return self.value("SizeY") // self.value("BinY"), self.value("SizeX") // self.value("BinX")

    async def on_AcquireTime(self, value: float) -> float:  # noqa: N802
        """Set the exposure; a shorter period follows it."""
        exposure_s = max(float(value), 1e-6)
        await self.post(AcquireTime_RBV=exposure_s)
        if self.value("AcquirePeriod") < exposure_s:
            await self.post(AcquirePeriod=exposure_s, AcquirePeriod_RBV=exposure_s)
        return exposure_s

    async def on_AcquirePeriod(self, value: float) -> float:  # noqa: N802
        """Set the time between the beginnings of two exposures; it is never shorter than the exposure."""
        period_s = max(float(value), float(self.value("AcquireTime")))
        await self.post(AcquirePeriod_RBV=period_s)
        return period_s

    async def on_Acquire(self, value: Any) -> int:  # noqa: N802
        """Begin or end an acquisition; the put that begins it completes when all frames are in the file."""
        if self.index_of("Acquire", value) == 0:
            if self._acquisition is not None:
                self._acquisition.stop()
            return 0
        if self._acquisition is not None:
            return 1
        if self._read_out() != self._source.frame_shape:
            await self.post(
                DetectorState_RBV=ERROR,
                StatusMessage_RBV=f"Rows, columns: {self._read_out()} asked, {self._source.frame_shape} possible",
            )
            return 0
        wanted = (1, max(1, self.value("NumImages")), MAX_CONTINUOUS_FRAMES)[self.value("ImageMode")]
        begin_s, exposure_s, period_s = self._conductor.now(), self.value("AcquireTime"), self.value("AcquirePeriod")
        self._acquisition = Acquisition(self, wanted, begin_s, exposure_s, period_s)
        self._acquisition.expose()
        await self.post(
            Acquire=1, Acquire_RBV=1, DetectorState_RBV=1, NumImagesCounter_RBV=0, StatusMessage_RBV="Acquiring"
        )
        await asyncio.shield(self._acquisition.ended)
        return 0

    async def ended(self, acquisition: "Acquisition", middle_s: float) -> None:
        """Publish that an acquisition is over, all its frames being in the file."""
        self._acquisition = None
        await self._sink.acquisition_ended(acquisition.num_taken, middle_s)
        await self.post(Acquire=0, Acquire_RBV=0, DetectorState_RBV=0, StatusMessage_RBV="Waiting for acquisition")
        acquisition.ended.set_result(None)

    def exposure(self, mid_exposure_s: float, exposure_s: float, frame_number: int) -> Exposure:
        """Return what a frame depends on, as far as it is known now."""
        return Exposure(
            mid_exposure_s,
            exposure_s,
            self._stages.angle_deg(mid_exposure_s),
            self._stages.sample_x_mm(mid_exposure_s),
            self._stages.beam(mid_exposure_s - exposure_s / 2, mid_exposure_s + exposure_s / 2),
            frame_number,
            self._stages.num_interventions(),
        )

    def render(self, exposure: Exposure) -> "asyncio.Future[NDArray[np.uint16]]":
        """Begin to make a frame in the rendering thread."""
        return asyncio.get_running_loop().run_in_executor(
            self._renderer,
            self._source.frame,
            exposure.mid_exposure_s,
            exposure.exposure_s,
            exposure.angle_deg,
            exposure.sample_x_mm,
            exposure.beam,
            exposure.frame_number,
        )

    async def finish_frame(self, frame: NDArray[np.uint16], exposure: Exposure, num_taken: int) -> None:
        """Store, show and count a frame."""
        self.num_frames_made = exposure.frame_number
        counter = self.value("ArrayCounter") + 1
        if self.value("ArrayCallbacks"):
            angle_deg = self._source.frame_angle_deg(exposure.angle_deg)
            await self._sink.take(Frame(frame, exposure.mid_exposure_s, counter, angle_deg))
        self._preview(frame, counter, exposure.mid_exposure_s)
        await self.post(ArrayCounter=counter, ArrayCounter_RBV=counter, NumImagesCounter_RBV=num_taken)

    def at(self, time_s: float, handler: Callable[[], Awaitable[None]], *, answers: bool = False) -> Foreseen:
        """Let something happen in the camera at a moment of virtual time."""
        return self._conductor.at(time_s, handler, answers=answers)

    def delivered_s(self, exposed_s: float) -> float:
        """Return when a frame that should have been exposed at ``exposed_s`` really is."""
        return self.delivery(exposed_s)

    async def reboot(self) -> None:
        """End what is being acquired, as a server that starts anew."""
        if self._acquisition is not None:
            self._acquisition.stop()

    def close(self) -> None:
        """End the rendering thread."""
        self._renderer.shutdown(wait=True, cancel_futures=True)


def _lower_priority() -> None:
    """Let rendering yield to everything else; on Linux a thread has a priority of its own."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
