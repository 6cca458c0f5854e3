"""What the guard does to the cell is verified, whatever is done to the host's clock meanwhile."""

from dataclasses import replace

import pytest

from devices.potentiostat_reading import ChannelState, Snapshot
from operando.guard.control import CellControl, NotObeyedError
from operando.guard.inbox import Inbox
from tests.support.fast_clock import FastClock

BEGIN_S, POLL_S = 10_000.0, 1.0
SNAPSHOT = Snapshot(2.4, 0.0, 10.0, ChannelState.RUN, 0, False, None, 0.0)


class Instrument:
    """Shows that it obeyed ``after_s`` after the first command."""

    def __init__(self, clock: FastClock, after_s: float) -> None:
        self.clock, self.shown_s = clock, clock.steady() + after_s

    def open_circuit(self) -> None:
        pass

    def poll(self) -> Snapshot:
        obeyed = self.clock.steady() >= self.shown_s
        return replace(SNAPSHOT, state=ChannelState.STOP) if obeyed else SNAPSHOT


def control(clock: FastClock, after_s: float) -> CellControl:
    return CellControl(Instrument(clock, after_s), Inbox(clock), clock, POLL_S)  # type: ignore[arg-type]


@pytest.mark.parametrize("step_s", [0.0, 60.0, 3600.0, -60.0, -3600.0])
def test_an_instrument_has_two_polls_to_obey_though_the_clock_is_set(step_s: float) -> None:
    clock = FastClock(BEGIN_S)
    clock.at(BEGIN_S + 0.05, lambda: clock.set_by(step_s))
    opened = control(clock, 1.5).open_circuit()
    assert opened.num_attempts == 1
    assert opened.verified_after_s == pytest.approx(1.5, abs=0.21)


def test_one_that_does_not_obey_is_not_waited_for_any_longer_because_the_clock_is_set_back() -> None:
    clock = FastClock(BEGIN_S)
    clock.at(BEGIN_S + 0.05, lambda: clock.set_by(-3600.0))
    with pytest.raises(NotObeyedError, match="commanded 2 times"):
        control(clock, 60.0).open_circuit()
    assert clock.steady() - BEGIN_S < 5.0
