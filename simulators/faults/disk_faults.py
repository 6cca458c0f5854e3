"""The disk of the frames: full, or too slow for the camera."""

import errno
import os
from pathlib import Path
from typing import Literal

from pydantic import Field

from operando.model.units import Seconds
from simulators.faults.fault import End, LastingFault, Scene


class FullDisk(LastingFault):
    """No frame can be written and no file opened; the plugin shows a write error and counts what it drops."""

    kind: Literal["full_disk"]

    async def begin(self, scene: Scene) -> End:
        """Fill the disk of the file writer."""

        def refuse(path: Path) -> Path:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

        return scene.instruments.hdf5.disk.put_in(refuse)


class SlowDisk(LastingFault):
    """Each frame takes ``storing`` to be written; what does not fit into the plugin's queue is dropped and counted."""

    kind: Literal["slow_disk"]
    storing: Seconds = Field(gt=0, le=600)

    async def begin(self, scene: Scene) -> End:
        """Slow the disk of the file writer down."""
        frames = scene.instruments.frames
        frames.storing_s = self.storing

        def end() -> None:
            frames.storing_s = 0.0

        return end
