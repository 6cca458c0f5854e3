"""The photon shutter: two commands and a status."""

import math
from collections import deque
from typing import Any

from caproto import ChannelType
from caproto.server import PVGroup, pvproperty

from simulators.conductor import Conductor


class Shutter(PVGroup):  # type: ignore[misc]
    """Opens on a put to ``OPEN_CMD``, closes on a put to ``CLOSE_CMD``; ``STATUS`` says where it is."""

    open_command = pvproperty(name="OPEN_CMD", value=0)
    close_command = pvproperty(name="CLOSE_CMD", value=0)
    status = pvproperty(
        name="STATUS", value="Closed", dtype=ChannelType.ENUM, enum_strings=["Closed", "Open"], read_only=True
    )

    def __init__(self, *args: Any, conductor: Conductor, is_open: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._conductor = conductor
        self._moves: deque[tuple[float, bool]] = deque([(-math.inf, is_open)], maxlen=8)

    @property
    def is_open(self) -> bool:
        """Whether the beam is on."""
        return self._moves[-1][1]

    async def initialise(self) -> None:
        """Say where it is; call it once the server runs."""
        await self._say()

    def is_open_at(self, time_s: float) -> bool:
        """Return whether the beam was on at ``time_s``."""
        return next((is_open for moved_s, is_open in reversed(self._moves) if moved_s <= time_s), False)

    @open_command.putter  # type: ignore[no-redef, untyped-decorator]
    async def open_command(self, instance: Any, value: int) -> int:
        """Open."""
        if value:
            await self._move(True)
        return 0

    @close_command.putter  # type: ignore[no-redef, untyped-decorator]
    async def close_command(self, instance: Any, value: int) -> int:
        """Close."""
        if value:
            await self._move(False)
        return 0

    async def _move(self, is_open: bool) -> None:
        self._moves.append((self._conductor.now(), is_open))
        await self._say()

    async def _say(self) -> None:
        await self.status.write("Open" if self.is_open else "Closed")
