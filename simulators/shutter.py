"""The photon shutter: two commands and a status."""

from typing import Any

from caproto import ChannelType
from caproto.server import PVGroup, pvproperty


class Shutter(PVGroup):  # type: ignore[misc]
    """Opens on a put to ``OPEN_CMD``, closes on a put to ``CLOSE_CMD``; ``STATUS`` says where it is."""

    open_command = pvproperty(name="OPEN_CMD", value=0)
    close_command = pvproperty(name="CLOSE_CMD", value=0)
    status = pvproperty(
        name="STATUS", value="Closed", dtype=ChannelType.ENUM, enum_strings=["Closed", "Open"], read_only=True
    )

    is_open = False

    @open_command.putter
    async def open_command(self, instance: Any, value: int) -> int:
        """Open."""
        if value:
            await self._move(True)
        return 0

    @close_command.putter
    async def close_command(self, instance: Any, value: int) -> int:
        """Close."""
        if value:
            await self._move(False)
        return 0

    async def _move(self, is_open: bool) -> None:
        self.is_open = is_open
        await self.status.write("Open" if is_open else "Closed")
