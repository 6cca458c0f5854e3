"""Ctrl-C during a run: asks once what to do; a second one, or no terminal to ask on, means stop now."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from types import FrameType

from rich.console import Console


class Wish(Enum):
    """What a person wants when interrupting."""

    FINISH_TOMOGRAM = "finish this tomogram and stop"
    LEAVE_CYCLING = "leave the cell cycling under the guard"
    STOP_NOW = "stop now"
    GO_ON = "go on"


_KEYS = {"f": Wish.FINISH_TOMOGRAM, "l": Wish.LEAVE_CYCLING, "s": Wish.STOP_NOW, "g": Wish.GO_ON}


@contextmanager
def one_interrupt() -> Iterator[Callable[[], None]]:
    """Let SIGTERM interrupt as Ctrl-C does, once: what was started is then ended without being interrupted again.

    Yields
    ------
    Callable
        Call it when the ending begins without an interruption: from here on none comes.
    """
    numbers = (signal.SIGINT, signal.SIGTERM)

    def no_more() -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        no_more()
        raise KeyboardInterrupt

    previous = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield no_more
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class InterruptHandler:
    """Owns SIGINT and SIGTERM while a run goes on; calls ``act`` with a wish, never from a signal handler.

    SIGTERM always means stop now: whoever sends it does not wait for an answer.
    """

    def __init__(self, act: Callable[[Wish], None], console: Console) -> None:
        self._act = act
        self._console = console
        self._asking = False
        self._stopping = False
        self._previous = {
            number: signal.signal(number, handler)
            for number, handler in ((signal.SIGINT, self._interrupted), (signal.SIGTERM, self._terminated))
        }

    def close(self) -> None:
        """Give the signals back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _interrupted(self, _number: int, _frame: FrameType | None) -> None:
        if self._asking or not (sys.stdin is not None and sys.stdin.isatty()):
            self._stop_now()
            return
        self._asking = True
        threading.Thread(target=self._ask, name="ask", daemon=True).start()

    def _terminated(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_now()

    def _stop_now(self) -> None:
        if not self._stopping:
            self._stopping = True
            threading.Thread(target=self._act, args=(Wish.STOP_NOW,), name="stop", daemon=True).start()

    def _ask(self) -> None:
        choices = ", ".join(f"[{key}] {wish.value}" for key, wish in _KEYS.items())
        self._console.print(f"\nInterrupted. {choices}. Ctrl-C again: stop now.", markup=False, highlight=False)
        while not self._stopping:
            answer = sys.stdin.readline()
            wish = _KEYS.get(answer.strip().lower()[:1]) if answer else Wish.STOP_NOW
            if wish is None:
                self._console.print(f"Please answer with one letter: {choices}", markup=False, highlight=False)
                continue
            self._asking = False
            if wish is Wish.STOP_NOW:
                self._stop_now()
            elif wish is not Wish.GO_ON:
                self._act(wish)
            return
