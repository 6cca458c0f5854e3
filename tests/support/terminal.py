"""A rehearsal that a person has started on a terminal and types to."""

import errno
import fcntl
import os
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import SHORT, Rehearsal

CTRL_C = "\x03"
END_OF_FILE = "\x04"
COLUMNS = 120


class TerminalRehearsal(Rehearsal):
    """One ``operando run`` whose controlling terminal is a pseudo-terminal."""

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        self._keyboard, terminal = os.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
        process = subprocess.Popen(
            command,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
            preexec_fn=_own_terminal,
            env={**os.environ, "TERM": "xterm"},
        )
        os.close(terminal)
        self.output.touch()
        self._lost = threading.Event()
        self._screen = threading.Thread(target=self._read, daemon=True)
        self._screen.start()
        return process

    def types(self, text: str) -> None:
        """Press keys; Enter is a newline."""
        os.write(self._keyboard, text.encode())

    def loses_its_terminal(self) -> None:
        """Close the window, as a broken connection does."""
        self._lost.set()
        self._screen.join(5)

    def end(self) -> None:
        """Kill everything that belongs to this run, and give the terminal back."""
        super().end()
        self._screen.join(5)
        if not self._lost.is_set():
            os.close(self._keyboard)

    def _read(self) -> None:
        with self.output.open("wb", buffering=0) as output:
            while True:
                try:
                    seen = os.read(self._keyboard, 65536)
                except OSError as error:
                    if error.errno == errno.EIO:  # nobody has the terminal open any more
                        return
                    raise
                if not seen:
                    return
                output.write(seen)
                if self._lost.is_set():
                    os.close(self._keyboard)
                    return


@contextmanager
def on_a_terminal(directory: Path, file: Path = SHORT, *options: str) -> Iterator[TerminalRehearsal]:
    """Start a rehearsal on a terminal and make sure that nothing of it is left."""
    run = TerminalRehearsal(directory, file, *options)
    try:
        yield run
    finally:
        run.end()


def _own_terminal() -> None:
    """Let Ctrl-C go to this process group, and a lost terminal be told, also where the tests run under nohup."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
