"""The camera's clock, from frames whose time stamps and arrivals are made here."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from devices.camera_clock import CameraClock
from operando.model.clock import SystemClock

BEGIN_S = 1_763_000_000.0
PERIOD_S = EXPOSURE_S = 0.2
NUM_FRAMES = 300


class Signal:
    """Calls back as an ophyd signal does."""

    SUB_META = "meta"

    def __init__(self) -> None:
        self.callbacks: dict[str, Callable[..., None]] = {}

    def subscribe(self, callback: Callable[..., None], *, event_type: str = "value", run: bool) -> None:
        assert not run
        self.callbacks[event_type] = callback

    def show(self, value: float) -> None:
        self.callbacks["value"](value=value, timestamp=0.0)


class Hand(SystemClock):
    """A clock that is set by hand."""

    time_s = BEGIN_S

    def now(self) -> float:
        return self.time_s


def expose(signal: Signal, clock: Hand, *, behind_s: float, drift: float, late: tuple[int, ...] = ()) -> None:
    chance = random.Random(1)
    order: list[Any] = sorted(range(NUM_FRAMES), key=lambda index: index + 1.5 * (index in late))
    for place, index in enumerate(order):
        exposed_s = BEGIN_S + index * PERIOD_S
        clock.time_s = max(BEGIN_S + place * PERIOD_S, exposed_s) + EXPOSURE_S / 2 + chance.expovariate(1 / 0.002)
        signal.show(BEGIN_S - behind_s + (exposed_s - BEGIN_S) * (1 + drift))


@pytest.mark.parametrize("behind_s", [0.0, 7.5, -631_152_000.0])  # the last is 1970 and 1990 mistaken for each other
def test_how_far_the_camera_is_behind_is_found_though_frames_come_late_and_out_of_order(behind_s: float) -> None:
    signal, clock = Signal(), Hand()
    camera_clock = CameraClock(signal, clock)
    signal.show(BEGIN_S - 1000.0)  # what the server held before
    camera_clock.begin()
    expose(signal, clock, behind_s=behind_s, drift=0.0, late=(40, 41, 200))
    found = camera_clock.offset(EXPOSURE_S)
    assert found is not None
    assert found.behind_s == pytest.approx(behind_s, abs=3 * found.uncertainty_s)
    assert found.uncertainty_s < 0.002
    assert found.drift == 0.0
    assert camera_clock.offset(EXPOSURE_S) is None, "each series tells for itself"
    clock.close()


def test_a_drift_is_told_when_it_is_plain() -> None:
    signal, clock = Signal(), Hand()
    camera_clock = CameraClock(signal, clock)
    signal.show(0.0)
    expose(signal, clock, behind_s=0.0, drift=-300e-6)
    found = camera_clock.offset(EXPOSURE_S)
    assert found is not None
    assert found.drift == pytest.approx(-300e-6, abs=60e-6)
    clock.close()
