"""The simulator's end of one participant's connection to the rehearsal's clock: JSON lines."""

import asyncio
import json
import logging
from typing import Any, Protocol

from operando.model.clock import SILENCE_S

ROLES = ("guard", "acquisition")  # in the order in which equal deadlines are served

_log = logging.getLogger(__name__)


class Listener(Protocol):
    """Who keeps the participants."""

    @property
    def free(self) -> bool:
        """Whether time runs by itself."""

    def joined(self, participant: "Participant") -> None:
        """Take a participant in."""

    def gone(self, participant: "Participant") -> None:
        """Forget a participant."""

    def spoke(self) -> None:
        """Look again at who waits."""


class Participant(asyncio.Protocol):
    """One participant: who it is, whether it waits, whether it lives.

    Parameters
    ----------
    conductor
        Is told when something changes.
    loop
        Its time, which is real, judges silence.
    """

    def __init__(self, conductor: Listener, loop: asyncio.AbstractEventLoop) -> None:
        self._conductor = conductor
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._number = 0
        self._spoke_at = self._loop.time()
        self.role = ""
        self.until_s: float | None = None
        self.stuck = False
        self.knows_free = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Count this participant no more: it left, or its process died."""
        self._conductor.gone(self)

    def data_received(self, data: bytes) -> None:
        """Take in whole lines."""
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            try:
                self._answer(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                _log.warning("The clock cannot understand %r (%s); the connection is closed.", line, error)
                self.drop()
                return
        if self.role:
            self._conductor.spoke()

    def release(self, now_s: float) -> None:
        """End this participant's wait; it learns whether time runs by itself."""
        self.until_s = None
        self.knows_free = self._conductor.free
        self._spoke_at = self._loop.time()
        self._say({"number": self._number, "now": now_s, "free": self.knows_free})

    def silent_in_s(self) -> float:
        """Real time that is left until this participant counts as stuck."""
        return max(0.0, self._spoke_at + SILENCE_S - self._loop.time())

    def judge(self) -> None:
        """Call this participant stuck if it works and says nothing."""
        if self.until_s is None and not self.stuck and self.silent_in_s() == 0.0:
            self.stuck = True
            _log.warning("The %s is silent for %g s: time is real until it waits again.", self.role, SILENCE_S)

    def drop(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def _answer(self, message: dict[str, Any]) -> None:
        self._spoke_at = self._loop.time()
        operation = message["operation"]
        if operation == "join":
            if message["role"] not in ROLES:
                raise ValueError(f"role must be one of {', '.join(ROLES)}")
            self.role = message["role"]
            self._conductor.joined(self)
            self._say({"answer": "acknowledged"})
        elif operation == "wait":
            self._number, self.until_s, self.stuck = int(message["number"]), float(message["until"]), False
        elif operation == "busy":
            self.until_s = None
            self._say({"answer": "acknowledged"})
        elif operation == "leave":
            self._conductor.gone(self)
            self.drop()
        elif operation != "alive":
            raise ValueError(f"unknown operation {operation!r}")

    def _say(self, message: dict[str, object]) -> None:
        if self._transport is not None:
            self._transport.write(json.dumps(message).encode() + b"\n")
