import gc
import threading
import weakref
from concurrent.futures import Future
from typing import Any

import pytest
from bluesky import RunEngine
from bluesky.utils import MsgGenerator, RunEngineInterrupted
from ophyd import Device, DeviceStatus

from operando.model.clock import SystemClock
from plans import clock_waits
from plans.clock_waits import WaitError
from tests.support.fast_clock import FastClock


def test_a_wait_returns_the_clocks_time_and_lasts_a_day_in_no_time() -> None:
    clock = FastClock(0.0)
    assert RunEngine(call_returns_result=True)(clock_waits.sleep_until(clock, 86400.0)).plan_result == 86400.0
    assert clock.num_waits == 1


def test_a_condition_that_does_not_come_is_an_error_with_its_limit() -> None:
    clock = FastClock(0.0)
    with pytest.raises(WaitError, match=r"the beam was waited for 10 s"):
        RunEngine()(clock_waits.wait_for(clock, lambda: False, poll_s=1.0, limit_s=10.0, what="the beam"))


def test_a_clock_that_is_set_back_during_a_wait_makes_it_no_longer_than_twice_as_long() -> None:
    clock = FastClock(10_000.0)
    clock.at(10_000.05, lambda: clock.set_by(-3600.0))
    RunEngine()(clock_waits.sleep_until(clock, 10_000.1))
    assert 10_000.1 <= clock.steady() <= 10_000.2 + 1e-6


def test_a_limit_counts_what_passes_and_no_step_of_the_clock() -> None:
    clock = FastClock(10_000.0)
    clock.at(10_001.5, lambda: clock.set_by(3600.0))
    plan = clock_waits.wait_for(clock, lambda: clock.steady() >= 10_008.0, poll_s=1.0, limit_s=10.0)
    assert RunEngine(call_returns_result=True)(plan).plan_result
    clock.at(clock.now() + 1.5, lambda: clock.set_by(-3600.0))
    begin_s = clock.steady()
    with pytest.raises(WaitError):
        RunEngine()(clock_waits.wait_for(clock, lambda: False, poll_s=1.0, limit_s=10.0))
    assert clock.steady() - begin_s < 13.0


class RecordingClock(SystemClock):
    def __init__(self) -> None:
        super().__init__()
        self.futures: list[Future[float]] = []
        self.asked = threading.Event()

    def timer(self, deadline_s: float) -> "Future[float]":
        self.futures.append(super().timer(deadline_s))
        self.asked.set()
        return self.futures[-1]


def test_an_abort_cancels_the_wait_and_replaces_it_with_one_that_is_due() -> None:
    clock, engine = RecordingClock(), RunEngine()
    engine.log.disabled = True

    def abort() -> None:
        assert clock.asked.wait(10)
        engine.request_pause()

    thread = threading.Thread(target=abort)
    thread.start()
    with pytest.raises(RunEngineInterrupted):
        engine(clock_waits.sleep_until(clock, clock.now() + 3600))
    thread.join()
    if engine.state == "paused":
        engine.abort()
    assert clock.futures[0].cancelled()
    assert clock.futures[-1].result(timeout=10) <= clock.now()
    clock.close()


class SlowlyDone(DeviceStatus):  # type: ignore[misc]
    """A status that ophyd's thread is slow to call done, as on a busy machine."""

    def _settled(self) -> None:
        threading.Event().wait(0.1)


def test_a_finished_status_is_waited_for_and_one_that_nobody_finished_costs_no_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clock_waits, "SETTLE_S", 3600.0)
    status = SlowlyDone(Device(name="stage"))
    assert not clock_waits.settled(status)
    status.set_finished()
    assert clock_waits.settled(status)


def test_what_a_status_fails_with_is_raised_as_it_is() -> None:
    class Refusing(Device):  # type: ignore[misc]
        def prepare(self, what: Any) -> DeviceStatus:
            status = DeviceStatus(self)
            threading.Timer(0.01, status.set_exception, [ValueError("no such region")]).start()
            return status

    with pytest.raises(ValueError, match="no such region"):
        RunEngine()(clock_waits.prepare(Refusing(name="camera"), 1))


class Immediate(Device):  # type: ignore[misc]
    """A device that has arrived, and is prepared, as soon as it is asked."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.statuses: list[weakref.ref[DeviceStatus]] = []

    def _done(self) -> DeviceStatus:
        status = DeviceStatus(self)
        status.set_finished()
        self.statuses.append(weakref.ref(status))
        return status

    def set(self, position: float) -> DeviceStatus:
        return self._done()

    def prepare(self, what: object) -> DeviceStatus:
        return self._done()

    def look(self) -> None: ...


def test_what_is_done_is_not_kept_until_the_end_of_a_long_run() -> None:
    clock, stage = FastClock(0.0), Immediate("stage")
    kept = []

    def plan() -> MsgGenerator[None]:
        for position in range(20):
            yield from clock_waits.move(clock, stage, position)
            yield from clock_waits.prepare(stage, position)
        gc.collect()
        kept.append(sum(status() is not None for status in stage.statuses))

    RunEngine()(plan())
    assert len(stage.statuses) == 40
    assert kept[0] <= 2  # the last two may still be in use
