"""The storage ring: beam that is lost, or that flickers."""

from typing import Literal

from pydantic import Field

from operando.model.units import Seconds
from simulators.faults.fault import End, LastingFault, Scene


class BeamLoss(LastingFault):
    """The ring holds ``left`` of its current: counts on the frames and the reading of the ring say so."""

    kind: Literal["beam_loss"]
    left: float = Field(default=0.0, ge=0, le=1)

    async def begin(self, scene: Scene) -> End:
        """Dump the beam."""
        ring, loss = scene.instruments.ring, object()
        ring.lose(loss, self.left)
        return lambda: ring.regain(loss)


class BeamFlicker(LastingFault):
    """The beam goes off and on, ``period`` for both: the ring's reading, once a second, may never show it."""

    kind: Literal["beam_flicker"]
    period: Seconds = Field(default=0.3, ge=0.02)

    async def begin(self, scene: Scene) -> End:
        """Begin with the beam off."""
        ring, conductor = scene.instruments.ring, scene.instruments.conductor
        flicker, left, ended = object(), 1.0, False

        async def change() -> None:
            nonlocal left
            if not ended:
                left = 1.0 - left
                ring.lose(flicker, left)
                conductor.at(conductor.now() + self.period / 2, change)

        await change()

        def end() -> None:
            nonlocal ended
            ended = True
            ring.regain(flicker)

        return end
