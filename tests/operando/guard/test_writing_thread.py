"""What is to be written is written in order, and nobody waits longer than patience allows."""

import threading
from collections.abc import Iterator
from time import monotonic

import pytest

from operando.guard.writing_thread import WritingThread

TIMEOUT_S = 20.0
PATIENCE_S = 0.2


class Stall:
    """A piece that takes until it is let go."""

    def __init__(self) -> None:
        self.begun, self.over = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.over.wait(TIMEOUT_S)


@pytest.fixture
def stall() -> Iterator[Stall]:
    stall = Stall()
    yield stall
    stall.over.set()


def test_pieces_are_written_in_order_and_who_waits_sees_them_written() -> None:
    written: list[int] = []
    thread = WritingThread(patience_s=TIMEOUT_S)
    for number in range(100):
        assert thread.give(lambda number=number: written.append(number))  # type: ignore[misc]
    assert thread.give_and_wait(lambda: written.append(100), longest_s=TIMEOUT_S)
    assert written == list(range(101))
    assert thread.behind_s == 0.0
    thread.close()


def test_a_stall_costs_patience_once_and_not_once_for_each_piece(stall: Stall) -> None:
    written: list[int] = []
    thread = WritingThread(patience_s=PATIENCE_S)
    began_s = monotonic()
    assert not thread.give_and_wait(stall, longest_s=TIMEOUT_S)
    assert thread.behind_s > PATIENCE_S
    for number in range(1000):
        assert not thread.give_and_wait(lambda number=number: written.append(number))  # type: ignore[misc]
    assert monotonic() - began_s < 1000 * PATIENCE_S / 10
    assert written == []
    stall.over.set()
    thread.close()
    assert written == list(range(1000))
    assert thread.behind_s == 0.0


def test_what_nobody_waits_for_is_kept_up_to_a_number(stall: Stall) -> None:
    written: list[int] = []
    thread = WritingThread(patience_s=PATIENCE_S, most_waiting=3)
    thread.give(stall)
    assert stall.begun.wait(TIMEOUT_S)
    assert [thread.give(lambda number=number: written.append(number)) for number in range(4)] == [  # type: ignore[misc]
        *(True, True, False, False)
    ]
    assert not thread.give_and_wait(lambda: written.append(9))
    stall.over.set()
    thread.close()
    assert written == [0, 1, 9]


def test_a_mistake_in_one_piece_costs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    written: list[str] = []
    thread = WritingThread()

    def mistaken() -> None:
        raise TypeError("a mistake")

    assert thread.give_and_wait(mistaken, longest_s=TIMEOUT_S)
    thread.give(lambda: written.append("next"))
    thread.close()
    assert written == ["next"]
    assert "a mistake" in caplog.text
