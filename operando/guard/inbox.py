"""Where commands wait for the guard's loop, and where the loop waits for a command or for time."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Any

from operando.model.clock import Clock, RehearsalClock, kept_near


@dataclass(frozen=True)
class Answer:
    """What became of a command."""

    id: str
    outcome: str
    reason: str


@dataclass(frozen=True)
class Command:
    """A command as it came; ``answer`` is called once, from the guard's loop."""

    id: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    answer: Callable[[Answer], None] = lambda _: None


MOST_WAITING = 100  # a client that sends without end must not fill the memory


class Inbox:
    """A queue of commands that ends the loop's wait in the clock.

    In a rehearsal a command must not meet a guard that still counts as waiting: whoever sent it may wait in the clock
    as soon as it is received, and time would jump before the guard has answered. So telling the clock and queueing
    are one step that cannot fall between the loop's look at the queue and its wait.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._commands: deque[Command] = deque()
        self._waiting: Future[float] | None = None
        self._end_reason = ""

    @property
    def is_full(self) -> bool:
        """Whether so many commands wait that no more are taken."""
        return len(self._commands) >= MOST_WAITING

    @property
    def end_reason(self) -> str:
        """Why the guard shall end; empty while it shall go on."""
        return self._end_reason

    def end(self, reason: str) -> None:
        """Ask the loop to end and end its wait."""
        with self._lock:
            self._end_reason = reason
            if self._waiting is not None:
                self._waiting.cancel()

    def taken_end(self) -> str:
        """Return why to end and forget it, so that what is still to be done can be asked to end, too."""
        with self._lock:
            reason, self._end_reason = self._end_reason, ""
            return reason

    def put(self, command: Command) -> None:
        """Queue ``command`` and end the loop's wait; on return the clock knows that the guard works."""
        with self._lock:
            if isinstance(self._clock, RehearsalClock):
                self._clock.busy()
            self._commands.append(command)
            if self._waiting is not None:
                self._waiting.cancel()

    def take(self) -> Command | None:
        """Return the oldest command, or ``None``."""
        with self._lock:
            return self._commands.popleft() if self._commands else None

    def wait_until(self, deadline_s: float) -> None:
        """Wait for a time of the run's clock or for a command, whichever comes first."""
        self._wait(deadline_s, ends_with_command=True)

    def settle_until(self, deadline_s: float) -> None:
        """Wait for a time of the run's clock; commands stay queued. A clock that is set back makes it no longer."""
        longest_s = deadline_s - self._clock.now()
        while self._clock.now() < (deadline_s := kept_near(self._clock, deadline_s, longest_s)):
            self._wait(deadline_s, ends_with_command=False)

    def _wait(self, deadline_s: float, *, ends_with_command: bool) -> None:
        with self._lock:
            if ends_with_command and (self._commands or self._end_reason):
                return
            waiting = self._waiting = self._clock.timer(deadline_s)
        try:
            waiting.result()
        except CancelledError:
            pass
        finally:
            self._waiting = None
