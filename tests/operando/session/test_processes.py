"""Whoever is needed is started again, also when starting it goes wrong at first."""

import errno

import pytest

from operando.session.processes import Supervisor

FINISHED_WITHIN_S = 20.0  # some polls of 10 ms, on a busy machine


class Child:
    """A process that died; starting it again fails as often as told, and then it does its work."""

    role = "guard"

    def __init__(self, num_failures: int) -> None:
        self.num_failures, self.num_starts = num_failures, 0

    def exit_code(self) -> int:
        return 0 if self.num_starts > self.num_failures else 1

    def start(self) -> None:
        self.num_starts += 1
        if self.num_starts <= self.num_failures:
            raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("num_failures", [0, 2])
def test_a_restart_that_goes_wrong_is_tried_again(num_failures: int) -> None:
    child = Child(num_failures)
    supervisor = Supervisor(child, on_restart=lambda _: None, poll_s=0.01)  # type: ignore[arg-type]
    assert supervisor.wait_finished(FINISHED_WITHIN_S)
    assert child.num_starts == num_failures + 1
    supervisor.stop()


def test_a_terminal_that_is_gone_does_not_end_the_watch() -> None:
    def tell(_exit_code: int) -> None:
        raise BrokenPipeError

    supervisor = Supervisor(Child(0), on_restart=tell, poll_s=0.01)  # type: ignore[arg-type]
    assert supervisor.wait_finished(FINISHED_WITHIN_S)
    supervisor.stop()
