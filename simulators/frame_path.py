"""The way of a frame from the camera to the file writer, with the queue in which it waits for a slow disk."""

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulators.conductor import Conductor
from simulators.tap import Tap

QUEUE_LENGTH = 20  # QueueSize of the simulated plugin


@dataclass(frozen=True)
class Frame:
    """Counts of one frame, shape (rows, columns), with the camera's number of it and what its time and angle were."""

    counts: NDArray[np.uint16]
    time_s: float
    frame_id: int
    angle_deg: float


class FrameWriter(Protocol):
    """What takes the frames in the end: the HDF5 plugin."""

    async def take(self, frame: Frame) -> None:
        """Return when the frame is stored or counted as lost."""

    async def drop(self) -> None:
        """Count a frame that was lost on its way."""

    async def acquisition_ended(self, num_frames: int, middle_s: float) -> None:
        """Note that a whole acquisition of ``num_frames`` ended."""


async def _nobody_looks() -> None:
    return


class FramePath:
    """Hands frames on to a writer, at once as long as nothing disturbs them.

    ``frames`` is the tap for what comes at one moment; it is asked with an empty list when the acquisition has ended,
    so that nothing stays behind. ``storing_s`` is how long the disk takes for one frame, in s; a frame that finds the
    queue full is dropped and counted by the writer. ``before_each`` is called when a frame has come from the camera.
    """

    def __init__(self, writer: FrameWriter, conductor: Conductor) -> None:
        self.frames: Tap[list[Frame]] = Tap()
        self.storing_s = 0.0
        self.before_each: Callable[[], Awaitable[None]] = _nobody_looks
        self._writer = writer
        self._conductor = conductor
        self._waiting: deque[Frame] = deque()

    async def take(self, frame: Frame) -> None:
        """Return when the frame is stored, waits for the disk, or is lost."""
        await self.before_each()
        await self._pass_on([frame])

    async def drop(self) -> None:
        """Have the writer count a frame that was lost on its way."""
        await self._writer.drop()

    async def acquisition_ended(self, num_frames: int, middle_s: float) -> None:
        """Hand on what was held back, and tell the writer."""
        await self._pass_on([])
        await self._writer.acquisition_ended(num_frames, middle_s)

    async def _pass_on(self, frames: list[Frame]) -> None:
        for frame in self.frames(frames):
            if not self.storing_s and not self._waiting:
                await self._writer.take(frame)
            elif len(self._waiting) < QUEUE_LENGTH:
                self._waiting.append(frame)
                if len(self._waiting) == 1:
                    self._conductor.at(self._conductor.now() + self.storing_s, self._store, answers=True)
            else:
                await self._writer.drop()

    async def _store(self) -> None:
        await self._writer.take(self._waiting[0])
        self._waiting.popleft()
        if self._waiting:
            self._conductor.at(self._conductor.now() + self.storing_s, self._store, answers=True)
