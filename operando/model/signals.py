"""Signals heard by a thread of their own, so that none waits for the main thread to wake."""

import os
import signal
import threading
from collections.abc import Callable, Iterable
from types import FrameType

CLOSE = b"\0"  # no signal has number zero
MAX_BYTES = 64


class SignalWatch:
    """Calls ``heard`` with the number of each signal, in a thread of its own that may take locks.

    A handler of Python's runs when the main thread next executes. If that has just begun to wait for a lock, or if the
    system gave the signal to another thread, this is only after its wait. The wake-up descriptor is written by whoever
    gets the signal (docs.python.org/3/library/signal.html#signal.set_wakeup_fd).

    Parameters
    ----------
    numbers
        Signals to hear; their present handlers come back with :meth:`close`.
    heard
        Takes a number; until it has returned no other signal is heard.
    """

    def __init__(self, numbers: Iterable[int], heard: Callable[[int], None]) -> None:
        self._heard = heard
        self._numbers = frozenset(int(number) for number in numbers)
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._write_end, False)
        self._previous_descriptor = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        self._previous = {number: signal.signal(number, _nothing) for number in self._numbers}
        self._thread = threading.Thread(target=self._listen, name="signals", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Give the signals back; call it in the main thread."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._previous_descriptor)
        os.write(self._write_end, CLOSE)
        self._thread.join()
        os.close(self._read_end)
        os.close(self._write_end)

    def _listen(self) -> None:
        while True:
            for number in os.read(self._read_end, MAX_BYTES):
                if number == CLOSE[0]:
                    return
                if number in self._numbers:
                    self._heard(number)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """Handle a signal in the main thread: it is heard elsewhere."""
