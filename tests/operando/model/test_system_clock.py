"""The host's clock: a step of the time of day holds nobody up."""

import time
from collections.abc import Iterator

import pytest

from operando.model.clock import SystemClock


@pytest.fixture
def clock() -> Iterator[SystemClock]:
    clock = SystemClock()
    yield clock
    clock.close()


def test_a_wait_ends_in_time_though_the_clock_is_set_back_by_an_hour(
    clock: SystemClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    began_s = time.monotonic()
    waiting = clock.timer(real() + 0.2)
    monkeypatch.setattr(time, "time", lambda: real() - 3600.0)
    waiting.result(timeout=10)
    assert 0.15 < time.monotonic() - began_s < 5.0  # asked were 0.2 s; a busy machine wakes late
    assert clock.sleep_until(clock.now() + 0.05) == pytest.approx(real() - 3600.0, abs=5.0)


def test_no_step_of_the_clock_is_in_its_steady_time(clock: SystemClock, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    began_s, steady_s = clock.now(), clock.steady()
    monkeypatch.setattr(time, "time", lambda: real() + 3600.0)
    assert clock.now() - began_s >= 3600.0
    assert 0.0 <= clock.steady() - steady_s < 60.0
