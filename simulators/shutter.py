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

    def __init__(self, *args: Any, conductor: Conductor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._conductor = conductor
        self._moves: deque[tuple[float, bool]] = deque([(-math.inf, False)], maxlen=8)

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
        await self.status.write("Open" if is_open else "Closed")
