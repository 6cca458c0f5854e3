"""One acquisition of the simulated camera: exposes frame after frame in virtual time, rendering one frame ahead."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Exposure:
    """Everything that a frame depends on."""

    mid_exposure_s: float
    exposure_s: float
    angle_deg: float
    sample_x_mm: float
    beam: float
    frame_number: int
    num_interventions: int


class Foreseen(Protocol):
    """Something that will happen."""

    def cancel(self) -> None:
        """Let it not happen."""


class ExposingCamera(Protocol):
    """What an acquisition asks of its camera."""

    num_frames_made: int

    def at(self, time_s: float, handler: Callable[[], Awaitable[None]], *, answers: bool = False) -> Foreseen:
        """Let something happen at a moment of virtual time."""

    def exposure(self, mid_exposure_s: float, exposure_s: float, frame_number: int) -> Exposure:
        """Return what a frame depends on, as far as it is known now."""

    def render(self, exposure: Exposure) -> "asyncio.Future[NDArray[np.uint16]]":
        """Begin to make a frame."""

    def delivered_s(self, exposed_s: float) -> float:
        """Return when a frame that should have been exposed at ``exposed_s`` really is."""

    async def finish_frame(self, frame: NDArray[np.uint16], exposure: Exposure, num_taken: int) -> None:
        """Store, show and count a frame."""

    async def ended(self, acquisition: "Acquisition", middle_s: float) -> None:
        """Publish that the acquisition is over; ``middle_s`` is the time halfway between its first and last frame."""


class Acquisition:
    """The frames between one start of the camera and its end.

    Frame k of an acquisition begun at t0 is exposed from t0 + k period and done one exposure later. The next frame is
    rendered while the present one is stored, as if nothing happened to the sample in between; if something did, it is
    rendered again. A camera that holds back shifts all frames from the present one on.
    """

    def __init__(self, camera: ExposingCamera, wanted: int, begin_s: float, exposure_s: float, period_s: float) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.num_taken = 0
        self._stopping = False
        self._end_of_exposure: Foreseen | None = None
        self._ending: asyncio.Future[None] | None = None
        self._camera = camera
        self._wanted = wanted
        self._begin_s = begin_s
        self._exposure_s = exposure_s
        self._period_s = period_s
        self._foreseen: tuple[Exposure, asyncio.Future[NDArray[np.uint16]]] | None = None

    def expose(self) -> None:
        """Have the next frame done when its time comes."""
        self._end_of_exposure = self._camera.at(
            self._exposed_s, self._exposed, answers=self.num_taken + 1 == self._wanted
        )
        if self._foreseen is None:
            self._foresee(self.num_taken)

    @property
    def _exposed_s(self) -> float:
        return self._begin_s + self.num_taken * self._period_s + self._exposure_s

    def stop(self) -> None:
        """Give up the frame that is being exposed and end; a frame that is exposed already is still stored."""
        self._stopping = True
        if self._end_of_exposure is not None:
            self._end_of_exposure.cancel()
            self._end_of_exposure = None
            # A task of its own: whoever stops it is a put to the very variable that shows the end.
            self._ending = asyncio.ensure_future(self._end())

    def _foresee(self, index: int) -> None:
        exposure = self._exposure(index)
        self._foreseen = exposure, self._camera.render(exposure)

    def _exposure(self, index: int) -> Exposure:
        mid_exposure_s = self._begin_s + index * self._period_s + self._exposure_s / 2
        number = self._camera.num_frames_made + 1 + index - self.num_taken
        return self._camera.exposure(mid_exposure_s, self._exposure_s, number)

    async def _exposed(self) -> None:
        held_back_s = self._camera.delivered_s(self._exposed_s) - self._exposed_s
        if held_back_s > 0:
            self._begin_s += held_back_s
            self.expose()
            return
        self._end_of_exposure = None
        exposure = self._exposure(self.num_taken)
        frame = await self._frame(exposure)
        if self.num_taken + 1 < self._wanted and not self._stopping:
            self._foresee(self.num_taken + 1)
        await self._camera.finish_frame(frame, exposure, self.num_taken + 1)
        self.num_taken += 1
        if self.num_taken < self._wanted and not self._stopping:
            self.expose()
        else:
            await self._end()

    async def _end(self) -> None:
        last = max(self.num_taken - 1, 0)
        await self._camera.ended(self, self._begin_s + (last * self._period_s + self._exposure_s) / 2)

    async def _frame(self, exposure: Exposure) -> NDArray[np.uint16]:
        foreseen, self._foreseen = self._foreseen, None
        if foreseen is not None:
            frame = await foreseen[1]
            if foreseen[0] == exposure:
                return frame
        return await self._camera.render(exposure)
