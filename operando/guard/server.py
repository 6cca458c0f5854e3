"""The guard's process variables: what it publishes, and the one through which commands arrive."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from caproto import ChannelType
from caproto.server import PVGroup, pvproperty

from operando.guard.inbox import Answer, Command, Inbox
from operando.model.cell_state import CellState
from operando.model.clock import Clock
from operando.model.pv_server import PvServer

LONGEST_TEXT = 4000
LONGEST_ID = 100  # it stands in every answer, which must leave room for a reason
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
        self._server.publish(values, time_s)

    async def _receive(self, text: str) -> None:
        """Queue a command and return when the guard's loop has answered: that is what completes the put."""
        command, refusal = self._parsed(text)
        if refusal is not None:
            await self._server.post({"COMMAND_RECEIVED": _as_json(id=command.id)}, self._clock.now())
            await self._server.post(
                {"LAST_COMMAND": _answer_text(Answer(command.id, "refused", refusal))}, self._clock.now()
            )
            return
        answered: asyncio.Future[None] = self._server.loop.create_future()

        def answer(given: Answer) -> None:
            self.publish({"LAST_COMMAND": _answer_text(given)}, self._clock.now())
            self._server.loop.call_soon_threadsafe(answered.set_result, None)

        queued = Command(command.id, command.name, command.arguments, answer)
        await self._server.loop.run_in_executor(None, self._inbox.put, queued)
        await self._server.post({"COMMAND_RECEIVED": _as_json(id=command.id)}, self._clock.now())
        await answered

    def _parsed(self, text: str) -> tuple[Command, str | None]:
        try:
            said = json.loads(text)
            identity, name, arguments = said["id"], said["command"], said.get("arguments", {})
            token = said.get("token")
        except (ValueError, KeyError, TypeError, AttributeError):
            return Command("", ""), "COMMAND takes a JSON table with id, token, command and arguments."
        if not (isinstance(identity, str) and isinstance(name, str) and isinstance(arguments, dict)):
            return Command(str(identity)[:LONGEST_ID], ""), "COMMAND's id and command are text, its arguments a table."
        if len(identity) > LONGEST_ID:
            found = f"COMMAND's id has {len(identity)} characters; allowed are {LONGEST_ID}."
            return Command(identity[:LONGEST_ID], ""), found
        command = Command(identity, name, arguments)
        if not isinstance(token, str) or not hmac.compare_digest(token.encode(), self._token.encode()):
            return command, "The token is not that of this run: read guard.token in the run directory."
        return command, None


def _as_json(**values: Any) -> str:
    return json.dumps(values)


def _answer_text(answer: Answer) -> str:
    # Cut where it is longest, so that what is published stays whole JSON within the waveform.
    reason = answer.reason
    while len(text := _as_json(id=answer.id, outcome=answer.outcome, reason=reason)) >= LONGEST_TEXT:
        reason = reason[: len(reason) // 2]
    return text
