"""The guard's process variables: what it publishes, and the one through which commands arrive."""

import asyncio
import hmac
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from typing import Any

from caproto import ChannelType
from caproto.asyncio.server import Context
from caproto.server import PVGroup, pvproperty

from operando.guard.inbox import Answer, Command, Inbox
from operando.guard.state import State
from operando.model.channel_access import repair_caproto
from operando.model.clock import Clock

LONGEST_TEXT = 4000
_START_TIMEOUT_S = 10.0
_PUBLISH_TIMEOUT_S = 5.0
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
        value=State.STARTING.value,
        dtype=ChannelType.ENUM,
        enum_strings=[state.value for state in State],
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
        self._loop = asyncio.new_event_loop()
        group = type("GuardVariables", (PVGroup,), _properties(self._receive))(prefix=prefix)
        self._variables = {name: getattr(group, name) for name in _all_names()}
        self._group = group
        self._interface = interface
        self._context: Context | None = None
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="guard-server", daemon=True)
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
        if not self._listening.wait(_START_TIMEOUT_S):
            raise RuntimeError(
                f"The guard's server did not start within {_START_TIMEOUT_S:g} s ({self._failure}). "
                "Is channel_access.guard_port of the beamline file free?"
            )

    def stop(self) -> None:
        """End the server."""
        if self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(_START_TIMEOUT_S)

    def publish(self, values: Mapping[str, Any], time_s: float) -> None:
        """Post ``values`` stamped with ``time_s``; return when every get sees them."""
        self._run(self._post(values, time_s)).result(_PUBLISH_TIMEOUT_S)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._task = self._loop.create_task(self._answer_clients())
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        except OSError as error:
            self._failure = error
        finally:
            self._loop.close()

    async def _answer_clients(self) -> None:
        self._context = Context(self._group.pvdb, [self._interface])  # it binds itself to the running loop
        await self._context.run(startup_hook=self._on_start)

    async def _on_start(self, _library: Any) -> None:
        self._listening.set()

    def _run(self, work: Any) -> "Future[None]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _post(self, values: Mapping[str, Any], time_s: float) -> None:
        for name, value in values.items():
            await self._variables[name].write(value, timestamp=time_s)

    async def _receive(self, text: str) -> None:
        """Queue a command and return when the guard's loop has answered: that is what completes the put."""
        command, refusal = self._parsed(text)
        if refusal is not None:
            await self._post({"COMMAND_RECEIVED": _as_json(id=command.id)}, self._clock.now())
            await self._post({"LAST_COMMAND": _answer_text(Answer(command.id, "refused", refusal))}, self._clock.now())
            return
        answered: asyncio.Future[None] = self._loop.create_future()

        def answer(given: Answer) -> None:
            self.publish({"LAST_COMMAND": _answer_text(given)}, self._clock.now())
            self._loop.call_soon_threadsafe(answered.set_result, None)

        queued = Command(command.id, command.name, command.arguments, answer)
        await self._loop.run_in_executor(None, self._inbox.put, queued)
        await self._post({"COMMAND_RECEIVED": _as_json(id=command.id)}, self._clock.now())
        await answered

    def _parsed(self, text: str) -> tuple[Command, str | None]:
        try:
            said = json.loads(text)
            identity, name, arguments = said["id"], said["command"], said.get("arguments", {})
            token = said.get("token")
        except (ValueError, KeyError, TypeError, AttributeError):
            return Command("", ""), "COMMAND takes a JSON table with id, token, command and arguments."
        if not (isinstance(identity, str) and isinstance(name, str) and isinstance(arguments, dict)):
            return Command(str(identity), ""), "COMMAND's id and command are text, its arguments a table."
        command = Command(identity, name, arguments)
        if not isinstance(token, str) or not hmac.compare_digest(token.encode(), self._token.encode()):
            return command, "The token is not that of this run: read guard.token in the run directory."
        return command, None


def _all_names() -> tuple[str, ...]:
    return (*_FLOATS, *_INTEGERS, *_TEXTS, *_LONG_TEXTS, "STATE", "COMMAND")


def _as_json(**values: Any) -> str:
    return json.dumps(values)


def _answer_text(answer: Answer) -> str:
    # Cut where it is longest, so that what is published stays whole JSON within the waveform.
    reason = answer.reason
    while len(text := _as_json(id=answer.id, outcome=answer.outcome, reason=reason)) >= LONGEST_TEXT:
        reason = reason[: len(reason) // 2]
    return text
