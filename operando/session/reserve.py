"""A second process that has loaded everything and waits for its turn: it begins sooner than one that is started."""

import subprocess
from collections.abc import Callable


class Reserve:
    """At most one waiting process.

    Parameters
    ----------
    launch
        Starts a process that touches nothing before it reads a line on its standard input, and ends when that is
        closed, as by the death of whoever started it.
    """

    def __init__(self, launch: Callable[[], "subprocess.Popen[bytes]"]) -> None:
        self._launch = launch
        self._waiting: subprocess.Popen[bytes] | None = None

    @property
    def waits(self) -> bool:
        """Whether there is a living one."""
        return self._waiting is not None and self._waiting.poll() is None

    def load(self) -> None:
        """Let one wait, in place of one that has died."""
        self.dismiss()
        self._waiting = self._launch()

    def begin(self) -> "subprocess.Popen[bytes] | None":
        """Tell the one that waits to begin, and return it; None if there is none, or it has died."""
        waiting, self._waiting = self._waiting, None
        if waiting is None or waiting.stdin is None or waiting.poll() is not None:
            return None
        try:
            with waiting.stdin as told:
                told.write(b"begin\n")
        except BrokenPipeError:
            return None
        return waiting

    def dismiss(self) -> None:
        """End the one that waits."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.kill()  # it has touched nothing
            waiting.communicate()
