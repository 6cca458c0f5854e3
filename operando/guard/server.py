"""The guard's process variables: what it publishes, and the one through which commands arrive."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from caproto import ChannelType
from caproto.server import PVGroup, pvproperty

from operando.guard.command_text import LONGEST_TEXT, answer_text, parsed
from operando.guard.inbox import Answer, Command, Inbox
from operando.model.cell_state import CellState
from operando.model.clock import Clock
from operando.model.pv_server import PvServer

_logger = logging.getLogger(__name__)

_FLOATS = {
    "VOLTAGE": "V",
    "CURRENT": "A",
    "CHARGE": "mAh",
    "ELAPSED": "s",
    "FORCE": "N",
    "PRESSURE": "MPa",
    "TEMPERATURE": "degC",
    "SAMPLE_TIME": "s",
    "PERIOD": "s",
    "MADE_TIME": "s",
    "CLOCK_UNCERTAINTY": "s",
    "CLOCK_OFFSET": "s",
    "CLOCK_DRIFT": "ppm",
    "CLOCK_DRIFT_UNCERTAINTY": "ppm",
    "CLOCK_DELAY": "s",
    "CLOCK_SERVER_BEHIND": "s",
}
_INTEGERS = ("TECHNIQUE_INDEX", "POTENTIOSTAT_ROW", "LOAD_CELL_ROW", "TEMPERATURE_ROW", "HEARTBEAT", "PID")
_TEXTS = ("STEP", "QUALITY")
_LONG_TEXTS = ("TRIP", "COMMAND_RECEIVED", "LAST_COMMAND")


def _long_text(name: str, **options: Any) -> Any:
    return pvproperty(
        name=name,
        value="",
        dtype=ChannelType.CHAR,
        max_length=LONGEST_TEXT,
        string_encoding="latin-1",
        **options,
    )


def _properties(receive: Callable[[str], Awaitable[None]]) -> dict[str, Any]:
    async def put_command(_group: PVGroup, _instance: Any, value: Any) -> None:
        await receive(str(value))

    declared = {
        name: pvproperty(name=name, value=float("nan"), units=unit, precision=6, read_only=True)
        for name, unit in _FLOATS.items()
    }
    declared |= {name: pvproperty(name=name, value=0, read_only=True) for name in _INTEGERS}
    declared |= {name: pvproperty(name=name, value="", dtype=ChannelType.STRING, read_only=True) for name in _TEXTS}
    declared |= {name: _long_text(name, read_only=True) for name in _LONG_TEXTS}
    declared["STATE"] = pvproperty(
        name="STATE",
        value=CellState.STARTING.value,
        dtype=ChannelType.ENUM,
        enum_strings=[state.value for state in CellState],
        read_only=True,
    )
    declared["COMMAND"] = _long_text("COMMAND", put=put_command)
    return declared


class GuardServer:
    """Serves the guard's process variables from a thread of its own.

    Parameters
    ----------
    prefix
        Of every process variable, as in the beamline file.
    interface
        Address to answer on; the port comes from the environment that :func:`server_environment` describes.
    token
        Secret that a command must carry.
    inbox
        Where commands that carry it are queued.
    """

    def __init__(self, prefix: str, interface: str, token: str, inbox: Inbox, clock: Clock) -> None:
        self._token = token
        self._inbox = inbox
        self._clock = clock
        group = type("GuardVariables", (PVGroup,), _properties(self._receive))(prefix=prefix)
        self._server = PvServer(group, interface, "guard")

    @property
    def num_clients(self) -> int:
        """Circuits that are open now."""
        return self._server.num_clients

    def start(self) -> None:
        """Serve; return when clients can connect.

        Raises
        ------
        RuntimeError
            If the port is taken or the server ended at once.
        """
        self._server.start()

    def stop(self) -> None:
        """End the server."""
        self._server.stop()

    def publish(self, values: Mapping[str, Any], time_s: float) -> None:
        """Post ``values`` stamped with ``time_s``; return when every get sees them."""
        self._server.publish({name: _shown(value) for name, value in values.items()}, time_s)

    async def _receive(self, text: str) -> None:
        """Queue a command and return when the guard's loop has answered: that is what completes the put."""
        command, refusal = parsed(text, self._token)
        if not refusal and self._inbox.is_full:
            refusal = "Too many commands wait to be obeyed. Ask again when those are answered."
        if refusal:
            await self._post(COMMAND_RECEIVED=json.dumps({"id": command.id}))
            await self._post(LAST_COMMAND=answer_text(Answer(command.id, "refused", refusal)))
            return
        answered: asyncio.Future[None] = self._server.loop.create_future()

        def answer(given: Answer) -> None:
            try:
                self.publish({"LAST_COMMAND": answer_text(given)}, self._clock.now())
            except TimeoutError:  # a server too busy to show it; who asked asks again and is told then
                _logger.warning("The answer to command %r could not be shown in time.", given.id)
            self._server.loop.call_soon_threadsafe(_complete, answered)

        queued = Command(command.id, command.name, command.arguments, answer)
        await self._server.loop.run_in_executor(None, self._inbox.put, queued)
        await self._post(COMMAND_RECEIVED=json.dumps({"id": command.id}))
        await answered

    async def _post(self, **values: str) -> None:
        await self._server.post(values, self._clock.now())


def _complete(answered: asyncio.Future[None]) -> None:
    if not answered.done():  # its client may have gone
        answered.set_result(None)


def _shown(value: Any) -> Any:
    """Return a text as the variables can hold it: a name in other letters must not keep the rest from being shown."""
    if not isinstance(value, str):
        return value
    return value[: LONGEST_TEXT - 1].encode("latin-1", "replace").decode("latin-1")
