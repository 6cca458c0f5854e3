"""Serving process variables of our own from a thread beside other work."""

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from typing import Any

from caproto.asyncio.server import Context
from caproto.server import PVGroup

from operando.model.channel_access import repair_caproto

START_TIMEOUT_S = 10.0
POST_TIMEOUT_S = 5.0


class PvServer:
    """Answers Channel Access for one group of variables.

    Set :func:`operando.model.channel_access.server_environment` before this module is imported; the port comes from
    there.

    Parameters
    ----------
    group
        The variables; values are posted by their attribute names.
    interface
        Address to answer on.
    what
        Whose server this is, for messages.
    """

    def __init__(self, group: PVGroup, interface: str, what: str) -> None:
        self._group = group
        self._interface = interface
        self._what = what
        self.loop = asyncio.new_event_loop()
        self._context: Context | None = None
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"{what}-server", daemon=True)
        self._task: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None

    @property
    def num_clients(self) -> int:
        """Circuits that are open now."""
        return 0 if self._context is None else len(self._context.circuits)

    def start(self) -> None:
        """Serve; return when clients can connect.

        Raises
        ------
        RuntimeError
            If the port is taken or the server ended at once.
        """
        repair_caproto()
        self._thread.start()
        if not self._listening.wait(START_TIMEOUT_S):
            raise RuntimeError(
                f"The {self._what}'s server did not start within {START_TIMEOUT_S:g} s ({self._failure}). "
                f"Is its port of the beamline file free?"
            )

    def stop(self) -> None:
        """End the server."""
        if self._task is not None:
            self.loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(START_TIMEOUT_S)

    def publish(self, values: Mapping[str, Any], time_s: float) -> None:
        """Post ``values`` stamped with ``time_s``; return when every get sees them."""
        self._run(self.post(values, time_s)).result(POST_TIMEOUT_S)

    async def post(self, values: Mapping[str, Any], time_s: float) -> None:
        """Do the same from the server's own loop."""
        for name, value in values.items():
            await getattr(self._group, name).write(value, timestamp=time_s)

    def _run(self, work: Coroutine[Any, Any, None]) -> "Future[None]":
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self._task = self.loop.create_task(self._answer_clients())
            self.loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        except OSError as error:
            self._failure = error
        finally:
            self.loop.close()

    async def _answer_clients(self) -> None:
        self._context = Context(self._group.pvdb, [self._interface])  # it binds itself to the running loop
        await self._context.run(startup_hook=self._on_start)

    async def _on_start(self, _library: Any) -> None:
        self._listening.set()
