"""The areaDetector HDF5 plugin: opens, fills and closes frames files as its process variables say."""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ophyd.areadetector.plugins import HDF5Plugin_V34

from simulators.channel_access_server import MirroredGroup, properties, pv_names
from simulators.conductor import Conductor
from simulators.frame_path import QUEUE_LENGTH, Frame
from simulators.hdf5_writer import Hdf5Writer
from simulators.tap import Tap

WRITE_ERROR = 1
UINT16 = 3
_CONVERSION = re.compile(r"%%|%[-+ #0]*\d*(?:\.\d+)?[sdi]")

AcquisitionEnded = Callable[[Path, int, float], Awaitable[None]]


class Hdf5Plugin(MirroredGroup):
    """The ``HDF1:`` part.

    Parameters
    ----------
    conductor
        Time stands still while a file is opened or closed.
    frame_shape
        Rows and columns of every frame.
    on_acquisition
        Called when the camera has ended an acquisition into a file: with the file, the number of frames, and the time
        halfway between the first and the last of them.

    ``disk`` is the tap for the path of whatever is about to be written.
    """

    locals().update(
        properties(
            pv_names(HDF5Plugin_V34),
            {
                "PortName": "HDF1",
                "NDArrayPort": "CAM",
                "PluginType": "NDFileHDF5",
                "ADCoreVersion": "3.4.0",
                "NDimensions": 2,
                "DataType": UINT16,
                "FileTemplate": "%s%s_%6.6d.h5",
                "NumCapture": 1,
                "SWMRSupported": 1,
                "QueueSize": QUEUE_LENGTH,
            },
        )
    )

    def __init__(
        self,
        *args: Any,
        conductor: Conductor,
        frame_shape: tuple[int, int],
        on_acquisition: AcquisitionEnded,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._conductor = conductor
        self._frame_shape = frame_shape
        self._on_acquisition = on_acquisition
        self._disk = ThreadPoolExecutor(1, "hdf5")  # HDF5 never blocks the event loop
        self.disk: Tap[Path] = Tap()
        self._writer: Hdf5Writer | None = None
        self._last_path = Path()

    async def initialise(self) -> None:
        """Publish what depends on the camera; zero sizes would make ophyd ask for a warm-up."""
        rows, columns = self._frame_shape
        await self.post(ArraySize0_RBV=columns, ArraySize1_RBV=rows, ArraySize2_RBV=0)

    async def on_FilePath(self, value: Any) -> str:  # noqa: N802
        """Take a folder and say whether it exists; with CreateDirectory below 0 it is made."""
        text = (value if isinstance(value, str) else bytes(value).decode("latin-1")).rstrip("\0")
        folder = os.path.join(text, "") if text else ""
        if folder and self.value("CreateDirectory") < 0:
            try:
                os.makedirs(folder, exist_ok=True)
            except OSError as error:
                await self._failed(f"{folder}: {error.strerror}")
        await self.post(FilePath_RBV=folder, FilePathExists_RBV=int(os.path.isdir(folder)))
        return folder

    async def on_Capture(self, value: Any) -> int:  # noqa: N802
        """Open a file or close it; the put completes when that is done."""
        if self.index_of("Capture", value):
            return await self._open()
        await self._close()
        return 0

    @property
    def open_file(self) -> Path | None:
        """The file that frames go into, None if none is open."""
        return None if self._writer is None else self._writer.path

    async def take(self, frame: Frame) -> None:
        """Commit a frame to the file, if one is open; return when it is there or counted as lost."""
        await self.post(UniqueId_RBV=frame.frame_id, TimeStamp_RBV=frame.time_s)
        writer = self._writer  # somebody may close the file while this frame is on its way into it
        if writer is None or not self.value("EnableCallbacks"):
            return
        try:
            self.disk(writer.path)
            await self._run(writer.append, frame.counts, frame.time_s, frame.frame_id, frame.angle_deg)
        except (OSError, RuntimeError) as error:  # h5py says RuntimeError for some failures of the disk
            await self.drop()
            await self._failed(f"{writer.path}: frame {frame.frame_id} was not written: {error}")
            return
        await self.post(NumCaptured_RBV=writer.num_frames)
        if self._writer is writer and writer.num_frames == self.value("NumCapture"):
            await self._close()

    async def drop(self) -> None:
        """Count a frame that was lost on its way."""
        dropped = self.value("DroppedArrays") + 1
        await self.post(DroppedArrays=dropped, DroppedArrays_RBV=dropped)

    async def acquisition_ended(self, num_frames: int, middle_s: float) -> None:
        """Tell whom it concerns that the camera has ended an acquisition into the present or last file."""
        if self._last_path.name:
            await self._on_acquisition(self._last_path, num_frames, middle_s)

    async def reboot(self) -> None:
        """Close the file and forget what was counted, as a server that starts anew."""
        await self._close()
        await self.post(DroppedArrays=0, DroppedArrays_RBV=0, WriteStatus=0, WriteMessage="")

    async def close(self) -> None:
        """Close the file and end the thread."""
        await self._close()
        self._disk.shutdown()

    async def _open(self) -> int:
        if self._writer is not None:
            return 1
        name = c_format(
            self.value("FileTemplate"), self.value("FilePath_RBV"), self.value("FileName"), self.value("FileNumber")
        )
        with self._conductor.working():
            try:
                self._writer = await self._run(Hdf5Writer, self.disk(Path(name)), self._frame_shape)
            except (OSError, RuntimeError) as error:
                await self._failed(f"{name}: cannot be opened: {error}")
                return 0
            self._last_path = Path(name)
            if self.value("AutoIncrement"):
                number = self.value("FileNumber") + 1
                await self.post(FileNumber=number, FileNumber_RBV=number)
            await self.post(
                WriteStatus=0,
                WriteMessage="",
                FullFileName_RBV=name,
                NumCaptured_RBV=0,
                Capture=1,
                Capture_RBV=1,
                SWMRActive_RBV=1,
            )
        return 1

    async def _close(self) -> None:
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        with self._conductor.working():
            try:
                await self._run(writer.close)
            except (OSError, RuntimeError) as error:
                await self._failed(f"{writer.path}: cannot be closed: {error}")
            await self.post(Capture=0, Capture_RBV=0, SWMRActive_RBV=0)

    async def _failed(self, message: str) -> None:
        await self.post(WriteStatus=WRITE_ERROR, WriteMessage=message[-255:])

    def _run(self, function: Callable[..., Any], *arguments: Any) -> "asyncio.Future[Any]":
        return asyncio.get_running_loop().run_in_executor(self._disk, function, *arguments)


def c_format(template: str, *arguments: Any) -> str:
    """Return ``template`` filled as C's printf does: arguments beyond its conversions are ignored."""
    num_wanted = sum(conversion != "%%" for conversion in _CONVERSION.findall(template))
    return template % arguments[:num_wanted]
