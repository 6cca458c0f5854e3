"""Frames that are lost, late, repeated or damaged on their way from the camera, and a camera that stalls."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from simulators.faults.fault import End, Fault, LastingFault, Scene
from simulators.frame_path import Frame

Frames = list[Frame]


class _FrameFault(Fault):
    """Hits the next frames and ends with the last of them."""

    num_frames: int = Field(default=1, ge=1, le=10_000)

    def _hit(self, scene: Scene, disturb: Callable[[Frame], Frames]) -> None:
        left = self.num_frames

        def change(frames: Frames) -> Frames:
            nonlocal left
            found: Frames = []
            for frame in frames:
                if left:
                    left -= 1
                    scene.tell(frame_id=frame.frame_id)
                    found += disturb(frame)
                else:
                    found.append(frame)
            if not left:
                take_out()
            return found

        take_out = scene.instruments.frames.frames.put_in(change)


class LostFrames(_FrameFault):
    """Frames never reach the file; ``counted`` if the plugin notices, whose ``DroppedArrays`` then grows."""

    kind: Literal["lost_frames"]
    counted: bool = False

    async def begin(self, scene: Scene) -> None:
        """Lose the next frames."""
        self._hit(scene, lambda _: [])
        if self.counted:
            for _ in range(self.num_frames):
                await scene.instruments.frames.drop()


class LateFrame(Fault):
    """A frame comes after the one that follows it, or after the end of the exposures if none follows."""

    kind: Literal["late_frame"]

    async def begin(self, scene: Scene) -> None:
        """Hold the next frame back until another one has come."""
        held: Frames = []

        def change(frames: Frames) -> Frames:
            if not held and frames:
                held.append(frames[0])
                scene.tell(frame_id=held[0].frame_id)
                return frames[1:]
            take_out()
            return [*frames, *held]

        take_out = scene.instruments.frames.frames.put_in(change)


class DuplicatedFrames(_FrameFault):
    """Frames come twice with the same unique id, as from a driver that hands a buffer on a second time."""

    kind: Literal["duplicated_frames"]

    async def begin(self, scene: Scene) -> None:
        """Repeat the next frames."""
        self._hit(scene, lambda frame: [frame, frame])


class RepeatedImage(Fault):
    """A frame shows the image of the one before it under a number, time and angle of its own: a stale buffer."""

    kind: Literal["repeated_image"]

    async def begin(self, scene: Scene) -> None:
        """Show the next frame twice."""
        shown: Frames = []

        def change(frames: Frames) -> Frames:
            if not frames:
                return frames
            if not shown:
                shown.append(frames[0])
                return frames
            take_out()
            scene.tell(frame_id=frames[0].frame_id)
            return [replace(frames[0], counts=shown[0].counts), *frames[1:]]

        take_out = scene.instruments.frames.frames.put_in(change)


class DamagedFrames(_FrameFault):
    """Frames whose lower part never arrived: zeros, or with ``garbage`` whatever the buffer held."""

    kind: Literal["damaged_frames"]
    garbage: bool = False
    arrived: float = Field(default=0.5, ge=0, lt=1)  # share of the rows

    async def begin(self, scene: Scene) -> None:
        """Damage the next frames."""

        def damaged(frame: Frame) -> Frames:
            counts = frame.counts.copy()
            rest = counts[int(self.arrived * counts.shape[0]) :]
            rest[...] = scene.random.integers(0, 65536, rest.shape, np.uint16) if self.garbage else 0
            return [replace(frame, counts=counts)]

        self._hit(scene, damaged)


class CameraStall(LastingFault):
    """The camera exposes nothing for a while and then goes on, so that stage and frames no longer agree."""

    kind: Literal["camera_stall"]

    async def begin(self, scene: Scene) -> End:
        """Stop exposing."""
        until_s = scene.instruments.conductor.now() + self.duration
        return scene.instruments.camera.delivery.put_in(lambda exposed_s: max(exposed_s, until_s))
