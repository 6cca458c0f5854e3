"""Ctrl-C during a run: asks once what to do; a second one, or no terminal to ask on, means stop now."""

import os
import select
import signal
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import Enum
from types import FrameType

from rich.console import Console

from operando.model.signals import SignalWatch

LOOK_S = 0.1
MAX_ANSWER_BYTES = 1000


class Wish(Enum):
    """What a person wants when interrupting."""

    FINISH_TOMOGRAM = "finish this tomogram and stop"
    LEAVE_CYCLING = "leave the cell cycling under the guard"
    STOP_NOW = "stop now"
    GO_ON = "go on"


_KEYS = {"f": Wish.FINISH_TOMOGRAM, "l": Wish.LEAVE_CYCLING, "s": Wish.STOP_NOW, "g": Wish.GO_ON}


class Interrupted(BaseException):
    """A person ended the program while none asks what to do.

    No KeyboardInterrupt: Python ends as killed by SIGINT, whoever caught that one, if it came within an ``exec``, as at
    the import of any dataclass.
    """


@contextmanager
def one_interrupt() -> Iterator[Callable[[], None]]:
    """Let SIGTERM and SIGHUP interrupt as Ctrl-C does, once: what was started is then ended without interruptions.

    Yields
    ------
    Callable
        Call it when the ending begins without an interruption: from here on none comes.
    """
    numbers = (signal.SIGINT, *_stop_signals())

    def no_more() -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)

    def interrupt(number: int, _frame: FrameType | None) -> None:
        no_more()
        _leave_lost_terminal(number)
        raise Interrupted

    previous = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield no_more
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class InterruptHandler:
    """Owns SIGINT, SIGTERM and SIGHUP while a run goes on; calls ``act`` with a wish, never in the main thread.

    SIGTERM and SIGHUP always mean stop now: whoever sends them, or has lost the terminal, does not wait for a question.

    Parameters
    ----------
    act
        Takes each wish but to go on, in a thread of its own.
    console
        Where the question is asked; keys are read from standard input.
    undisturbed
        Held while the question stands, so that nothing is drawn over what a person types.
    """

    def __init__(
        self, act: Callable[[Wish], None], console: Console, undisturbed: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._act = act
        self._console = console
        self._undisturbed = undisturbed
        self._asker: threading.Thread | None = None
        self._asking = False
        self._ending = False  # somebody has asked already how to end
        self._stopping = threading.Event()
        self._closed = threading.Event()
        self._watch = SignalWatch((signal.SIGINT, *_stop_signals()), self._heard)

    def close(self) -> None:
        """Give the signals back; a question that still stands is answered by the run's end."""
        self._closed.set()
        if self._asker is not None:
            self._asker.join()  # nobody else may get what is typed from here on
        self._watch.close()

    def _heard(self, number: int) -> None:
        if number != signal.SIGINT:
            try:
                _leave_lost_terminal(number)
            finally:
                self._stop_now()
        elif self._asking or self._ending or not (sys.stdin is not None and sys.stdin.isatty()):
            self._stop_now()
        else:
            self._asking = True
            self._asker = threading.Thread(target=self._ask, name="ask", daemon=True)
            self._asker.start()

    def _stop_now(self) -> None:
        self._ending = True
        if not self._stopping.is_set():
            self._stopping.set()
            threading.Thread(target=self._act, args=(Wish.STOP_NOW,), name="stop", daemon=True).start()

    def _ask(self) -> None:
        with self._undisturbed():
            wish = self._answer()
        if wish is Wish.STOP_NOW:
            self._stop_now()
        elif wish is Wish.FINISH_TOMOGRAM or wish is Wish.LEAVE_CYCLING:
            self._ending = True
            self._act(wish)
        self._asking = False

    def _answer(self) -> Wish | None:
        """Return what a person answers, None if the run ends before."""
        choices = ", ".join(f"[{key}] {wish.value}" for key, wish in _KEYS.items())
        self._console.print(f"\nInterrupted. {choices}. Ctrl-C again: stop now.", markup=False, highlight=False)
        while True:
            # Not a blocking read: a thread that still sits in one when the interpreter ends would bring it down.
            while not select.select([sys.stdin], [], [], LOOK_S)[0]:
                if self._stopping.is_set() or self._closed.is_set():
                    return None
            answer = _typed()
            wish = _KEYS.get(answer.strip().lower()[:1]) if answer else Wish.STOP_NOW
            if wish is not None:
                return wish
            self._console.print(f"Please answer with one letter: {choices}", markup=False, highlight=False)


def _typed() -> str:
    """Return the line that was typed, nothing at the end of the file or of the terminal."""
    try:
        return os.read(sys.stdin.fileno(), MAX_ANSWER_BYTES).decode(errors="replace")
    except OSError:
        return ""


def _stop_signals() -> list[signal.Signals]:
    """Return the signals that stop a run without a question; under ``nohup`` a lost terminal is none."""
    hangup_is_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [signal.SIGTERM] if hangup_is_ignored else [signal.SIGTERM, signal.SIGHUP]


def _leave_lost_terminal(number: int) -> None:
    """After SIGHUP, print to nowhere: an error of the terminal must not keep the cell from safety."""
    if number == signal.SIGHUP:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            if stat.S_ISCHR(os.fstat(descriptor).st_mode):  # a lost terminal is no tty any more
                os.dup2(nowhere, descriptor)
        os.close(nowhere)
