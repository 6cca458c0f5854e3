import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from operando.model.clock import ClockPage, RehearsalClock
from simulators.conductor import Conductor

EPOCH_S = 1_700_000_000.0
HOST = "127.0.0.1"


class Rehearsal:
    """A conductor in a thread of its own, and participants for it."""

    def __init__(self, folder: Path) -> None:
        self.page = folder / "clock.page"
        self.loop = asyncio.new_event_loop()
        self.conductor = self._in_loop(self._make)
        with socket.socket() as free:
            free.bind((HOST, 0))
            self.port: int = free.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._serving = threading.Event()
        self._thread.start()
        assert self._serving.wait(5)

    def _in_loop(self, make: Callable[[], Awaitable[Conductor]]) -> Conductor:
        async def run() -> Conductor:
            return await make()

        return self.loop.run_until_complete(run())

    async def _make(self) -> Conductor:
        return Conductor(ClockPage(self.page, create=True), epoch_s=EPOCH_S)

    def _run(self) -> None:
        async def serve() -> None:
            await self.conductor.serve(HOST, self.port)
            self._task = asyncio.ensure_future(self.conductor.run())
            self._serving.set()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

        self.loop.run_until_complete(serve())

    def participant(self, role: str) -> RehearsalClock:
        return RehearsalClock((HOST, self.port), self.page, role=role)

    def at(self, time_s: float, handler: Callable[[], Awaitable[None]]) -> None:
        self.loop.call_soon_threadsafe(self.conductor.at, time_s, handler)

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self.conductor.close)
        self.loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(5)
        self.loop.close()


@pytest.fixture
def rehearsal(tmp_path: Path) -> Iterator[Rehearsal]:
    rehearsal = Rehearsal(tmp_path)
    yield rehearsal
    rehearsal.end()


@pytest.fixture
def pair(rehearsal: Rehearsal) -> Iterator[tuple[RehearsalClock, RehearsalClock]]:
    """Guard and acquisition, both joined."""
    pair = rehearsal.participant("guard"), rehearsal.participant("acquisition")
    yield pair
    for clock in pair:
        clock.close()


def wait_on(clock: RehearsalClock, time_s: float) -> None:
    """Let a participant wait beside the test, anew whenever time begins to run by itself."""

    def wait() -> None:
        with contextlib.suppress(CancelledError):  # the clock was closed
            clock.sleep_until(time_s)

    threading.Thread(target=wait, daemon=True).start()


def in_threads(*functions: Callable[[], None]) -> None:
    threads = [threading.Thread(target=function, daemon=True) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_equal_deadlines_are_served_in_the_order_simulator_guard_acquisition(
    rehearsal: Rehearsal, pair: tuple[RehearsalClock, RehearsalClock]
) -> None:
    guard, acquisition = pair
    begin_s = guard.now() + 5
    order: list[str] = []

    async def event() -> None:
        order.append("simulator")
        await asyncio.sleep(0.002)  # an event is over before anybody is released
        order.append("done")

    for step in range(1, 6):
        rehearsal.at(begin_s + step, event)

    def wait(clock: RehearsalClock, name: str) -> None:
        for step in range(1, 6):
            clock.sleep_until(begin_s + step)
            order.append(name)
        wait_on(clock, begin_s + 1e6)

    in_threads(lambda: wait(acquisition, "acquisition"), lambda: wait(guard, "guard"))
    assert order == ["simulator", "done", "guard", "acquisition"] * 5


def test_a_day_in_steps_of_30_s_takes_seconds(pair: tuple[RehearsalClock, RehearsalClock]) -> None:
    begin_s = pair[0].now() + 5
    arrivals: dict[int, list[float]] = {0: [], 1: []}

    def wait(which: int) -> None:
        for step in range(1, 2881):
            arrivals[which].append(pair[which].sleep_until(begin_s + 30 * step))
        wait_on(pair[which], begin_s + 1e6)

    began = time.perf_counter()
    in_threads(lambda: wait(0), lambda: wait(1))
    assert time.perf_counter() - began < 20, "11,000 jumps must stay well below 30 s on a free machine"
    assert arrivals[0] == arrivals[1] == [begin_s + 30 * step for step in range(1, 2881)], "no deadline is overshot"


def test_time_stands_still_while_a_participant_works(pair: tuple[RehearsalClock, RehearsalClock]) -> None:
    guard, acquisition = pair
    guard.timer(guard.now() + 100)
    acquisition.busy()
    before_s = acquisition.now()
    ended = time.monotonic() + 0.3
    while time.monotonic() < ended:
        acquisition.alive()
    assert acquisition.now() == before_s


def test_a_silent_participant_lets_time_run_in_real_time_until_it_waits(
    pair: tuple[RehearsalClock, RehearsalClock],
) -> None:
    guard, acquisition = pair
    guard.busy()
    begin_s, began = guard.now(), time.monotonic()
    woken_s = acquisition.sleep_until(begin_s + 0.5)  # the guard says nothing
    took_s = time.monotonic() - began
    assert 0.9 < took_s < 10.0, "half a second of silence, then half a second of real time"
    assert woken_s - begin_s == pytest.approx(took_s - 0.5, abs=0.25)
    wait_on(acquisition, begin_s + 1e6)
    assert guard.timer(begin_s + 1000).result(2) == begin_s + 1000, "fast again as soon as it waits"


def test_a_participant_whose_process_died_lets_time_run_in_real_time_until_its_role_returns(
    rehearsal: Rehearsal, pair: tuple[RehearsalClock, RehearsalClock]
) -> None:
    guard, acquisition = pair
    guard._socket.shutdown(socket.SHUT_RDWR)  # as the system does when it kills the process
    begin_s = acquisition.now()
    assert acquisition.timer(begin_s + 100).result(2) < begin_s + 5  # early: what would have been jumped over now lasts
    assert acquisition.runs_freely
    with pytest.raises(TimeoutError):
        acquisition.timer(begin_s + 100).result(0.5)
    assert 0.1 < acquisition.now() - begin_s < 5
    returned = rehearsal.participant("guard")
    wait_on(returned, begin_s + 1e6)
    assert acquisition.timer(begin_s + 1000).result(2) == begin_s + 1000
    assert not acquisition.runs_freely
    returned.close()


def test_a_participant_alone_lives_in_real_time(rehearsal: Rehearsal) -> None:
    alone = rehearsal.participant("acquisition")
    begin_s, began = alone.now(), time.monotonic()
    woken_s = alone.sleep_until(begin_s + 0.3)
    took_s = time.monotonic() - began
    assert 0.25 < took_s < 10.0
    assert woken_s - begin_s == pytest.approx(took_s, abs=0.2)
    alone.close()


def test_readings_are_renewed_when_time_arrives_and_cancelled_events_do_not_happen(
    rehearsal: Rehearsal, pair: tuple[RehearsalClock, RehearsalClock]
) -> None:
    guard, acquisition = pair
    seen: list[float] = []
    happened: list[float] = []
    begin_s = guard.now() + 5

    async def refresh(time_s: float) -> None:
        seen.append(time_s)

    async def event() -> None:
        happened.append(rehearsal.conductor.now())

    async def cancelled() -> None:
        happened.append(-1.0)

    rehearsal.conductor.on_arrival(refresh)
    rehearsal.at(begin_s + 50, event)
    rehearsal.loop.call_soon_threadsafe(lambda: rehearsal.conductor.at(begin_s + 60, cancelled).cancel())
    wait_on(acquisition, begin_s + 1e6)
    guard.sleep_until(begin_s + 100)
    assert seen[-1] == begin_s + 100
    assert happened == [begin_s + 50]
