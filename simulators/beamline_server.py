"""The Channel Access server of all instruments, which can be absent for a while."""

from typing import Any

from caproto.asyncio.server import Context


class BeamlineServer(Context):  # type: ignore[misc]
    """Serves process variables; while it is absent, nobody finds them and every circuit is broken."""

    _absent = False

    def leave(self) -> None:
        """Break all circuits and answer nobody, as a server that has died."""
        self._absent = True
        for circuit in tuple(self.circuits):
            circuit.client.close()

    def come_back(self) -> None:
        """Answer again."""
        self._absent = False

    async def tcp_handler(self, client: Any, addr: Any) -> None:
        """Serve a client."""
        if self._absent:
            client.close()
        else:
            await super().tcp_handler(client, addr)

    async def _broadcaster_recv_datagram(self, bytes_received: bytes, address: Any) -> None:
        if not self._absent:
            await super()._broadcaster_recv_datagram(bytes_received, address)
