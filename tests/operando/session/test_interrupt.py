"""What Ctrl-C asks on a terminal, and what its answers mean; whole runs are in ``tests/system/test_ctrl_c.py``."""

import io
import os
import queue
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from rich.console import Console

from operando.session.interrupt import Interrupted, InterruptHandler, Wish, one_interrupt

TIMEOUT_S = 10.0
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Person:
    """Somebody at a pseudo-terminal, and what was made of their keys."""

    keyboard: int
    said: io.StringIO = field(default_factory=io.StringIO)
    wishes: "queue.SimpleQueue[Wish]" = field(default_factory=queue.SimpleQueue)
    line_is_shown: threading.Event = field(default_factory=threading.Event)

    def types(self, text: str) -> None:
        os.write(self.keyboard, text.encode())

    def interrupts(self) -> None:
        """Press Ctrl-C and wait for the question."""
        num_questions = self.num_questions
        signal.raise_signal(signal.SIGINT)
        self.wait(num_questions + 1)

    def wait(self, num_questions: int) -> None:
        pause = threading.Event()
        for _ in range(int(TIMEOUT_S / 0.01)):
            if self.num_questions == num_questions:
                return
            pause.wait(0.01)
        raise AssertionError(self.said.getvalue())

    @property
    def num_questions(self) -> int:
        return self.said.getvalue().count("Interrupted.")

    def wish(self) -> Wish:
        return self.wishes.get(timeout=TIMEOUT_S)

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        self.line_is_shown.clear()
        yield
        self.line_is_shown.set()


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    keyboard, terminal = os.openpty()
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        somebody = Person(keyboard)
        somebody.line_is_shown.set()
        before = [signal.getsignal(number) for number in STOPS]
        handler = InterruptHandler(somebody.wishes.put, Console(file=somebody.said, width=200), somebody.undisturbed)
        yield somebody
        handler.close()
        assert [signal.getsignal(number) for number in STOPS] == before
    os.close(keyboard)


@pytest.mark.parametrize(
    ("typed", "wish"),
    [
        ("f\n", Wish.FINISH_TOMOGRAM),
        ("Leave it\n", Wish.LEAVE_CYCLING),
        ("s\n", Wish.STOP_NOW),
        ("what?\n\nf\n", Wish.FINISH_TOMOGRAM),
        ("\x04", Wish.STOP_NOW),
    ],
    ids=["f", "a word", "s", "nonsense and Enter first", "end of file"],
)
def test_the_first_letter_of_an_answer_is_the_wish(person: Person, typed: str, wish: Wish) -> None:
    person.interrupts()
    for line in typed.splitlines(keepends=True):
        num_refused = person.said.getvalue().count("Please answer")
        person.types(line)
        if line[0] in "w\n":
            while person.said.getvalue().count("Please answer") == num_refused:
                threading.Event().wait(0.01)
    assert person.wish() is wish


def test_a_second_interruption_while_asked_means_stop_now(person: Person) -> None:
    person.interrupts()
    signal.raise_signal(signal.SIGINT)
    assert person.wish() is Wish.STOP_NOW
    assert person.num_questions == 1


def test_an_interruption_after_an_ending_was_chosen_means_stop_now(person: Person) -> None:
    person.interrupts()
    person.types("f\n")
    assert person.wish() is Wish.FINISH_TOMOGRAM
    signal.raise_signal(signal.SIGINT)
    assert person.wish() is Wish.STOP_NOW
    assert person.num_questions == 1


def test_a_run_that_goes_on_can_be_interrupted_again(person: Person) -> None:
    person.interrupts()
    assert not person.line_is_shown.is_set()
    person.types("g\n")
    assert person.line_is_shown.wait(TIMEOUT_S)
    person.interrupts()
    person.types("l\n")
    assert person.wish() is Wish.LEAVE_CYCLING


def test_sigterm_never_asks_and_stops_once(person: Person) -> None:
    signal.raise_signal(signal.SIGTERM)
    assert person.wish() is Wish.STOP_NOW
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGINT)
    assert person.num_questions == 0
    assert person.wishes.empty()


def test_without_a_terminal_the_first_interruption_means_stop_now(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(write)
    with os.fdopen(read) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        person = Person(keyboard=-1)
        handler = InterruptHandler(person.wishes.put, Console(file=person.said), person.undisturbed)
        try:
            signal.raise_signal(signal.SIGINT)
            assert person.wish() is Wish.STOP_NOW
        finally:
            handler.close()


def test_before_and_after_the_acquisition_one_interruption_counts() -> None:
    with one_interrupt():
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)  # what was started is being ended
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
