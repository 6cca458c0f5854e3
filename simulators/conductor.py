"""The rehearsal's clock server: moves virtual time only when everybody who must be asked waits for it."""

import asyncio
import contextlib
import heapq
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from operando.model.clock import ClockPage
from simulators.clock_participant import ROLES, Participant

REFRESH_S = 0.1  # how often readings that are only looked at are renewed while time runs by itself
ANSWER_S = 0.005  # real time for an answer to reach its client before virtual time may move on

Handler = Callable[[], Awaitable[None]]
Refresh = Callable[[float], Awaitable[None]]
_log = logging.getLogger(__name__)


@dataclass(order=True)
class Event:
    """Something a simulated instrument does at one moment of virtual time."""

    time_s: float
    number: int
    handler: Handler = field(compare=False)
    answers: bool = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Let it not happen."""
        self.cancelled = True


class Conductor:
    """Discrete-event kernel of the simulated beamline and server of its clock.

    Parameters
    ----------
    page
        Shared memory from which everybody reads the time; the conductor is its only writer.
    epoch_s
        Virtual time at which the rehearsal begins, in s since the Unix epoch.
    await_all
        Let time stand still until every role has joined for the first time, so that a rehearsal does not depend on
        how long its processes need to start.
    roles
        Who must wait before virtual time jumps; time runs by itself while one of them is not there.

    ``begun`` is set when virtual time may move for the first time.
    """

    def __init__(
        self, page: ClockPage, *, epoch_s: float, await_all: bool = False, roles: Sequence[str] = ROLES
    ) -> None:
        self._page = page
        self._page.write(epoch_s, 0.0)
        self._running = False
        self._free = False
        self._roles = roles
        self.begun = asyncio.Event()
        if not await_all:
            self.begun.set()
        self._events: list[Event] = []
        self._numbers = itertools.count()
        self._refreshers: list[Refresh] = []
        self._refreshed_s = -float("inf")
        self._participants: dict[str, Participant] = {}
        self._working = 0
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None

    @property
    def num_participants(self) -> int:
        """How many participants have joined and not gone."""
        return len(self._participants)

    @property
    def free(self) -> bool:
        """Whether time runs by itself, because somebody is gone or silent."""
        return self._free

    def now(self) -> float:
        """Return the virtual time, in s since the Unix epoch."""
        return self._page.now()

    def at(self, time_s: float, handler: Handler, *, answers: bool = False) -> Event:
        """Call ``handler`` when virtual time is ``time_s``; time stands still until it is done.

        With ``answers``, a client waits for what it does (the end of a motion or of an acquisition): the client gets a
        moment of real time to notice before virtual time moves on.
        """
        event = Event(time_s, next(self._numbers), handler, answers)
        heapq.heappush(self._events, event)
        self._changed.set()
        return event

    def on_arrival(self, refresh: Refresh) -> None:
        """Call ``refresh(time_s)`` before anybody sees a new moment of virtual time."""
        self._refreshers.append(refresh)

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Let virtual time stand still while an instrument works on something that takes none of it."""
        self._working += 1
        self._changed.set()
        try:
            yield
        finally:
            self._working -= 1
            self._changed.set()

    async def serve(self, host: str, port: int) -> None:
        """Accept participants."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Participant(self, loop), host, port)

    def close(self) -> None:
        """Accept no more participants; time stands still."""
        if self._server is not None:
            self._server.close()
        for participant in list(self._participants.values()):
            participant.drop()
        self._page.write(self.now(), 0.0)

    def joined(self, participant: Participant) -> None:
        """Take a participant in; it replaces an older one of its role."""
        older = self._participants.get(participant.role)
        self._participants[participant.role] = participant
        if older is not None:
            older.drop()
        self._changed.set()

    def gone(self, participant: Participant) -> None:
        """Forget a participant."""
        if self._participants.get(participant.role) is participant:
            del self._participants[participant.role]
        self._changed.set()

    def spoke(self) -> None:
        """Look again at who waits."""
        self._changed.set()

    async def run(self) -> None:
        """Move virtual time for ever."""
        await self._refresh(self.now())
        while True:
            self._changed.clear()
            if self._working:
                self._stand_still()
                await self._something_changes(None)
            elif self._everybody_is_there():
                self.begun.set()
                await self._fast_forward()
            elif not self.begun.is_set():
                await self._something_changes(None)
            else:
                await self._real_time()

    def _everybody_is_there(self) -> bool:
        for participant in self._participants.values():
            participant.judge()
        return all(role in self._participants and not self._participants[role].stuck for role in self._roles)

    async def _fast_forward(self) -> None:
        self._free = False
        self._stand_still()
        busy = [participant for participant in self._participants.values() if participant.until_s is None]
        if busy:
            await self._something_changes(min(participant.silent_in_s() for participant in busy))
            return
        deadlines = self._deadlines()
        next_s = self._next_event_s()
        arrival_s = max(self.now(), min([*deadlines, next_s]))
        if arrival_s == float("inf"):  # all wait for ever: only a message or a put can change anything
            await self._something_changes(None)
            return
        self._page.write(arrival_s, 0.0)
        if next_s <= arrival_s:
            await self._happen(arrival_s)
        else:
            await self._refresh(arrival_s)
            self._release(arrival_s, only_one=True)

    async def _real_time(self) -> None:
        self._free = True
        for participant in self._participants.values():
            # A wait that was to be jumped over would now really last: whoever waits looks again and asks anew.
            if participant.until_s is not None and not participant.knows_free:
                participant.release(self.now())
        self._run_freely()
        now_s = self.now()
        deadlines = self._deadlines()
        wait_s = min([*deadlines, self._next_event_s(), now_s + REFRESH_S]) - now_s
        if wait_s > 0:
            await self._something_changes(wait_s)
            now_s = self.now()
        if self._working:
            return
        self._stand_still()
        if self._next_event_s() <= now_s:
            await self._happen(now_s)
        if self.now() >= self._refreshed_s + REFRESH_S or any(deadline_s <= now_s for deadline_s in deadlines):
            await self._refresh(now_s)
        self._release(now_s, only_one=False)

    async def _happen(self, until_s: float) -> None:
        """Do all events up to ``until_s``, also those that they bring about."""
        answers = False
        while self._next_event_s() <= until_s:
            event = heapq.heappop(self._events)
            answers |= event.answers
            try:
                await event.handler()
            except Exception:
                _log.exception("An event of the simulated beamline failed; time goes on without it.")
        if answers:
            await self._refresh(until_s)
            await asyncio.sleep(ANSWER_S)

    async def _refresh(self, time_s: float) -> None:
        if time_s == self._refreshed_s:
            return
        self._refreshed_s = time_s
        for refresh in self._refreshers:
            await refresh(time_s)

    def _release(self, time_s: float, *, only_one: bool) -> None:
        for role in ROLES:
            participant = self._participants.get(role)
            if participant is not None and participant.until_s is not None and participant.until_s <= time_s:
                participant.release(self.now())
                if only_one:
                    return

    def _deadlines(self) -> list[float]:
        return [participant.until_s for participant in self._participants.values() if participant.until_s is not None]

    def _next_event_s(self) -> float:
        while self._events and self._events[0].cancelled:
            heapq.heappop(self._events)
        return self._events[0].time_s if self._events else float("inf")

    def _stand_still(self) -> None:
        if self._running:
            self._page.write(self.now(), 0.0)
            self._running = False

    def _run_freely(self) -> None:
        if not self._running:
            self._page.write(self.now(), 1.0)
            self._running = True

    async def _something_changes(self, timeout_s: float | None) -> None:
        # Not wait_for: it may swallow a cancellation that comes together with a change.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
