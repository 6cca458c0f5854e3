"""The potentiostat: gone behind its server, refusing commands, ending techniques early, with a clock of its own."""

from typing import Literal

from pydantic import Field

from operando.model.units import Seconds
from simulators.faults.fault import End, Fault, LastingFault, Scene
from simulators.potentiostat_technique import ChannelError, Code

PPM = 1e-6


class PotentiostatDisconnect(LastingFault):
    """The server has lost its instrument: readings stop, in COMM alarm, and commands fail; the technique goes on."""

    kind: Literal["potentiostat_disconnect"]

    async def begin(self, scene: Scene) -> End:
        """Cut the connection."""
        potentiostat = scene.instruments.potentiostat

        def fail(command: str) -> str:
            scene.tell(refused=command)
            raise ChannelError(Code.NOT_CONNECTED)

        take_outs = potentiostat.readings.put_in(lambda _: {}), potentiostat.commands.put_in(fail)
        await potentiostat.disconnected(True)

        async def end() -> None:
            for take_out in take_outs:
                take_out()
            await potentiostat.disconnected(False)

        return end


class RefusedCommand(Fault):
    """The instrument refuses the next ``times`` commands of a name; any if none is given."""

    kind: Literal["refused_command"]
    command: Literal["LOADTECH", "START", "STOP", "UPDATE"] | None = None
    times: int = Field(default=1, ge=1)

    async def begin(self, scene: Scene) -> None:
        """Begin to refuse."""
        left = self.times

        def refuse(command: str) -> str:
            nonlocal left
            if self.command not in (None, command):
                return command
            left -= 1
            if not left:
                take_out()
            scene.tell(refused=command)
            raise ChannelError(Code.FUNCTION_IN_PROGRESS)

        take_out = scene.instruments.potentiostat.commands.put_in(refuse)


class EarlyLimit(Fault):
    """The instrument takes the limit of the running technique as met, as after a glitch of its own reading."""

    kind: Literal["early_limit"]

    async def begin(self, scene: Scene) -> None:
        """Meet the limit."""
        scene.tell(had_limit=await scene.instruments.potentiostat.meet_limit())


class PotentiostatClock(Fault):
    """The instrument's clock jumps by ``jump`` and goes on faster than the rehearsal's by ``drift_ppm``."""

    kind: Literal["potentiostat_clock"]
    jump: Seconds = 0.0
    drift_ppm: float = Field(default=0.0, ge=-1000, le=1000)

    async def begin(self, scene: Scene) -> None:
        """Set it."""
        instruments = scene.instruments
        drift = self.drift_ppm * PPM
        instruments.channel.set_clock(instruments.conductor.now(), jump_s=self.jump, drift=drift)
