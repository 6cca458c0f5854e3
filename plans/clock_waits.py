"""The only way plans wait: in the run's clock, so that in a rehearsal the acquisition counts as waiting.

What an instrument answers at once (a put, an opened file) needs no time of the rehearsal and is awaited by
:func:`answered`; meanwhile the rehearsal's clock stands still.
"""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import FailedStatus, MsgGenerator, short_uid

from operando.model.clock import Clock, kept_near

SETTLE_S = 1.0  # real time; ophyd needs well below a millisecond, on a machine with other work some more
FINISHED = "_externally_initiated_completion"  # ophyd's mark of a status that was finished, before it is done
ANSWER_S = 30.0  # real time, for what needs none of the rehearsal's


class WaitError(RuntimeError):
    """What was waited for did not come."""


def sleep_until(clock: Clock, time_s: float) -> MsgGenerator[float]:
    """Wait until the clock shows ``time_s``; return what it shows then.

    A pause of the RunEngine ends a wait early, so it is begun again until the time has come. No wait that is begun
    again is longer than the first, however far the host's clock was set back meanwhile.
    """
    longest_s = time_s - clock.now()
    while clock.now() < (time_s := kept_near(clock, time_s, longest_s)):
        pending: list[Future[float]] = []

        async def elapsed(pending: list[Future[float]] = pending, due_s: float = time_s) -> float:
            pending.append(clock.timer(kept_near(clock, due_s, longest_s)))
            return await asyncio.wrap_future(pending[-1])

        try:
            yield from bps.wait_for([elapsed])
        finally:
            abandoned = [future for future in pending if not future.done()]
            for future in abandoned:
                future.cancel()
            if abandoned:  # a timer due at once replaces the one that nobody waits for any more
                clock.timer(clock.now())
    return clock.now()


def wait_for(
    clock: Clock,
    condition: Callable[[], bool],
    *,
    poll_s: float,
    limit_s: float | None = None,
    what: str = "a condition",
) -> MsgGenerator[bool]:
    """Wait until ``condition()`` holds, asked every ``poll_s`` of the clock; return whether it does.

    Returns
    -------
    bool
        ``True`` as soon as it holds.

    Raises
    ------
    WaitError
        If it does not hold after ``limit_s`` of the clock.
    """
    begin_s = clock.steady()
    while not condition():
        if limit_s is not None and clock.steady() - begin_s >= limit_s:
            raise WaitError(f"{what} was waited for {limit_s:g} s and did not come. See the instruments it needs.")
        yield from sleep_until(clock, clock.now() + poll_s)
    return True


def until_done(
    clock: Clock,
    status: Any,
    *,
    look: Callable[[], object],
    poll_s: float,
    limit_s: float | None = None,
    what: str = "",
) -> MsgGenerator[None]:
    """Wait in the clock until a status is done, asking the instrument by ``look`` each time; raise its error.

    The first look comes after a first wait: whether an answer has come already is a matter of real milliseconds, and
    a rehearsal must not depend on them.
    """

    def done() -> bool:
        look()
        return settled(status)

    yield from sleep_until(clock, clock.now() + poll_s)
    yield from _unwrapped(status, wait_for(clock, done, poll_s=poll_s, limit_s=limit_s, what=what or str(status)))
    raise_error(status)


def settled(status: Any) -> bool:
    """Return whether a status is done, also when ophyd's own thread has yet to say so.

    A status that was finished a moment ago becomes done some real time later; a rehearsal must not depend on it. One
    that nobody has finished is not waited for: a rehearsal's clock would stand still at every look.
    """
    if not status.done and getattr(status, FINISHED, True):
        with contextlib.suppress(Exception):  # failed: raise_error tells what with
            status.wait(timeout=SETTLE_S)
    return bool(status.done)


@dataclass(frozen=True)
class Started:
    """A status and the group under which the RunEngine holds it; None if it was never given to the RunEngine."""

    status: Any
    group: str | None = None


def move(clock: Clock, device: Any, position: Any, *, poll_s: float = 0.1) -> MsgGenerator[None]:
    """Move ``device`` and wait in the clock until it is there; what its status fails with is raised."""
    yield from finish_move(clock, device, (yield from start_move(device, position)), poll_s=poll_s)


def start_move(device: Any, position: Any) -> MsgGenerator[Started]:
    """Start a move, to be finished by :func:`finish_move`; the request has arrived at the instrument."""
    group = short_uid("move")
    status = yield from bps.abs_set(device, position, group=group)
    return Started(status, group)


def finish_move(clock: Clock, device: Any, started: Started, *, poll_s: float = 0.1) -> MsgGenerator[None]:
    """Wait in the clock until a move that was started is done."""
    yield from until_done(clock, started.status, look=device.look, poll_s=poll_s, what=f"{device.name} to arrive")
    yield from _forget(started)


def prepare(device: Any, what: Any) -> MsgGenerator[None]:
    """Prepare ``device`` and wait for its answer, which needs no time of the rehearsal."""
    group = short_uid("prepare")
    status = yield from bps.prepare(device, what, group=group)
    yield from answered(status)
    yield from _forget(Started(status, group))


def _forget(started: Started) -> MsgGenerator[None]:
    """Let the RunEngine forget a status that is done: it keeps each until it is waited for, or to the end of all."""
    if started.group is not None:
        yield from bps.wait(group=started.group)


def answered(status: Any, *, answer_s: float = ANSWER_S) -> MsgGenerator[None]:
    """Wait for a status that needs no time of the rehearsal; what it fails with is raised.

    Raises
    ------
    WaitError
        If it is not done after ``answer_s`` of real time.
    """

    async def done() -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()

        def finish() -> None:
            if not future.done():
                future.set_result(None)

        status.add_callback(lambda _: loop.call_soon_threadsafe(finish))
        await asyncio.wait_for(future, answer_s)

    while not status.done:
        tasks = yield from _unwrapped(status, bps.wait_for([done]))
        if tasks and any(isinstance(task.exception(), TimeoutError) for task in tasks if task.done()):
            raise WaitError(f"{status} was not answered within {answer_s:g} s. See whether its server runs.")
    raise_error(status)


def _unwrapped(status: Any, plan: MsgGenerator[Any]) -> MsgGenerator[Any]:
    """Raise what ``status`` itself says where the RunEngine says only that a status has failed."""
    try:
        return (yield from plan)
    except FailedStatus as error:
        if error.args and error.args[0] is status:
            raise_error(status)
        raise


def raise_error(status: Any) -> None:
    """Raise what a status failed with, if it did."""
    error = status.exception(timeout=0) if status.done else None
    if error is not None:
        raise error
