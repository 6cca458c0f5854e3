"""The Channel Access servers of all instruments: gone for a while, or started anew."""

from typing import Literal

from pydantic import Field

from operando.model.units import Seconds
from simulators.faults.fault import End, Fault, Scene


class LostServers(Fault):
    """All circuits break and nobody answers, for a time on the host's clock.

    With ``rebooted`` the camera and its file writer come back idle and with their counts at zero, as servers that were
    started anew; instruments keep what they do meanwhile.
    """

    kind: Literal["lost_servers"]
    wall_duration: Seconds = Field(gt=0)
    rebooted: bool = False

    @property
    def lasts_wall_s(self) -> float | None:
        """How long it lasts on the host's clock, in s."""
        return self.wall_duration

    async def begin(self, scene: Scene) -> End:
        """Take them away."""
        instruments = scene.instruments
        instruments.server.leave()
        if self.rebooted:
            await instruments.camera.reboot()
            await instruments.hdf5.reboot()
        return instruments.server.come_back
