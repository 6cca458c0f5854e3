"""A command to the guard is waited for while its guard may come back, and no longer."""

from pathlib import Path

import pytest
from ophyd.status import DeviceStatus

from plans.cell_watch import RESTART_S, command, next_look_s
from tests.support.laboratory import Laboratory, new_laboratory


class Guard:
    """Received the command, then died; it is given up after some looks."""

    name = "cell"

    def __init__(self, laboratory: Laboratory, num_looks: int) -> None:
        self._status = DeviceStatus(laboratory.cell)
        self.num_looks_left = num_looks

    @property
    def is_given_up(self) -> bool:
        return self.num_looks_left == 0

    def command(self, *_: object, **__: object) -> object:
        return self._status

    def check_answer(self) -> None:
        self.num_looks_left -= 1
        raise TimeoutError("nobody answers")


def test_an_answer_is_waited_for_until_the_guard_is_given_up(tmp_path: Path) -> None:
    laboratory = new_laboratory(tmp_path)
    guard = Guard(laboratory, 5)
    begin_s = laboratory.clock.now()
    with pytest.raises(TimeoutError, match="nobody answers"):
        laboratory.engine(command(guard, laboratory.clock, "open_circuit"))  # type: ignore[arg-type]
    assert guard.num_looks_left == 0
    assert laboratory.clock.now() - begin_s < RESTART_S  # and not the minute that a living guard may take


def test_a_clock_that_was_set_back_since_the_last_sample_delays_no_look(tmp_path: Path) -> None:
    laboratory = new_laboratory(tmp_path)
    clock, cell = laboratory.clock, laboratory.cell
    due_s, period_s = next_look_s(cell, clock), cell.period.get()
    assert due_s == cell.sample_time.get() + period_s
    clock.set_by(-3600.0)
    assert next_look_s(cell, clock) == clock.now() + period_s
