"""Starting, watching and ending the processes of a run; each leaves a pid file and a log in the run directory."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from operando.model.process_files import ProcessRecord, read_pid_files, write_pid_file
from operando.session.reserve import Reserve

PROGRAM = (sys.executable, "-m", "operando.cli")
READY_TIMEOUT_S = 60.0
LIVED_S = 30.0  # or READY was said: a start that fails for want of an instrument takes some seconds
END_TIMEOUT_S = 15.0

_logger = logging.getLogger(__name__)


class ProcessError(RuntimeError):
    """A process of the run did not start or ended too early."""


class _Found:
    """A living process that somebody else started, with what is used of a subprocess."""

    def __init__(self, record: ProcessRecord, pid_file: Path) -> None:
        self.pid = record.pid
        self._record = record
        self._pid_file = pid_file

    def poll(self) -> int | None:
        """Return None while it lives, 0 if it ended in order (it has taken its pid file away), else 1."""
        if self._record.alive:
            return None
        return int(self._pid_file.exists())

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait for its end."""
        with contextlib.suppress(psutil.NoSuchProcess):
            try:
                psutil.Process(self.pid).wait(timeout_s)
            except psutil.TimeoutExpired:
                raise subprocess.TimeoutExpired(str(self.pid), timeout_s or 0.0) from None

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        if self._record.alive:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


class ChildProcess:
    """One process of a run, started through the ``operando`` command line in a session of its own.

    Parameters
    ----------
    reserve_after_s
        How long it must have run, in s of the host's time, before a reserve is loaded and waits for its death; without
        it there is none.
    program
        What the arguments are given to.
    """

    def __init__(
        self,
        role: str,
        arguments: list[str],
        folder: Path,
        *,
        reserve_after_s: float | None = None,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self.role = role
        self._program = program
        self._arguments = arguments
        self._folder = folder
        self._reserve_after_s = reserve_after_s
        self._reserve = Reserve(lambda: self._launched(*arguments, "--in-reserve", stdin=subprocess.PIPE))
        self._started_s = time.monotonic()
        self._process: subprocess.Popen[bytes] | _Found | None = None
        self._log_offset = 0
        self.num_starts = 0

    @property
    def pid(self) -> int | None:
        """Process id, once started."""
        return None if self._process is None else self._process.pid

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self._folder / f"{self.role}.log"

    def adopt(self) -> bool:
        """Take over the living process that the pid file names, if there is one; return whether there is."""
        named = next((record for record in read_pid_files(self._folder) if record.role == self.role), None)
        if named is None or not named.alive:
            return False
        self._process = _Found(named, self._folder / f"{self.role}.pid")
        return True

    def start(self) -> None:
        """Start it, or let its reserve begin; its output goes to a file, so that it never depends on who started it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._log_offset = self.log.stat().st_size if self.log.exists() else 0
        self._process = self._reserve.begin() or self._launched(*self._arguments, stdin=subprocess.DEVNULL)
        self._started_s = time.monotonic()
        self.num_starts += 1
        if not self._another_named():
            write_pid_file(self._folder, self.role, self._process.pid)

    def keep_reserve(self) -> None:
        """Have a reserve wait if there shall be one; a reserve that dies is not tried again at once."""
        waited_s = time.monotonic() - self._started_s
        if self._reserve_after_s is not None and waited_s >= self._reserve_after_s and not self._reserve.waits:
            self._started_s = time.monotonic()
            self._reserve.load()

    def dismiss_reserve(self) -> None:
        """End the reserve: nobody waits for the death of this process any more."""
        self._reserve.dismiss()

    def _launched(self, *arguments: str, stdin: int) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*self._program, *arguments],
                stdin=stdin,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    def start_ready(self) -> str:
        """Start it and wait until it is ready, once more if it was killed meanwhile; return as :meth:`wait_ready`.

        Raises
        ------
        ProcessError
            As :meth:`wait_ready`.
        """
        self.start()
        try:
            return self.wait_ready()
        except ProcessError:
            if (self.exit_code() or 0) >= 0:  # it ended by itself, and would again
                raise
        self.start()
        return self.wait_ready()

    def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> str:
        """Wait for its READY line; return what follows the word.

        Raises
        ------
        ProcessError
            If it ends before, or says nothing for ``timeout_s``; the message holds the end of its output.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            for line in self._output().splitlines():
                if line.startswith("READY"):
                    return line.removeprefix("READY").strip()
            if self.exit_code() is not None:
                raise ProcessError(
                    f"{self.role} ended before it was ready (exit {self.exit_code()}): {self._last_words()}"
                )
            if time.monotonic() > deadline:
                self.end()
                raise ProcessError(f"{self.role} was not ready after {timeout_s:.0f} s: {self._last_words()}")
            self.wait(0.02)

    @property
    def was_ready(self) -> bool:
        """Whether it has said READY since it was started."""
        with contextlib.suppress(OSError):
            return any(line.startswith("READY") for line in self._output().splitlines())
        return False

    def exit_code(self) -> int | None:
        """Return its exit code, None while it runs."""
        return None if self._process is None else self._process.poll()

    def wait(self, timeout_s: float) -> bool:
        """Wait until it has ended by itself; return whether it has."""
        if self._process is None:
            return True
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self, timeout_s: float = END_TIMEOUT_S) -> None:
        """Ask it to end, then make it; its reserve goes with it."""
        self.dismiss_reserve()
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            if not self.wait(timeout_s):
                self._process.kill()
                self._process.wait()
        if not self._another_named():
            (self._folder / f"{self.role}.pid").unlink(missing_ok=True)

    def _another_named(self) -> bool:
        """Whether the pid file names a living process that somebody else started, as a guard started by hand."""
        named = (record for record in read_pid_files(self._folder) if record.role == self.role)
        return any(record.alive and record.pid != self.pid for record in named)

    def _output(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_offset)
            return log.read(1_000_000).decode(errors="replace")

    def _last_words(self) -> str:
        lines = [line for line in self._output().splitlines() if line.strip()]
        return (lines[-1] if lines else "it said nothing") + f" (all of it is in {self.log})"


class Supervisor:
    """Restarts a process that died while it was still needed; one that ended with exit code 0 has finished.

    Parameters
    ----------
    on_restart
        Told the exit code of one that died; of starts that fail one after the other only the first.
    taken_over
        Whether a process that somebody else started does the work now: then nothing is restarted, but watched on.
    """

    def __init__(
        self,
        child: ChildProcess,
        *,
        on_restart: Callable[[int], None],
        taken_over: Callable[[], bool] = lambda: False,
        max_restarts: int | None = None,
        poll_s: float = 0.05,
    ) -> None:
        self._child = child
        self._on_restart = on_restart
        self._taken_over = taken_over
        self._restarts_left = max_restarts
        self._poll_s = poll_s
        self._begun_s = time.monotonic()
        self._is_news = True
        self._refusal = ""
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"supervisor-{child.role}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the process end when it wants to."""
        self._stopping.set()
        self._thread.join()
        self._child.dismiss_reserve()

    def wait_finished(self, timeout_s: float) -> bool:
        """Wait until the process has ended and will not be restarted; return whether it finished its work."""
        return self._ended.wait(timeout_s) and self._child.exit_code() == 0

    def _watch(self) -> None:
        while not self._stopping.wait(self._poll_s):
            exit_code = self._child.exit_code()
            if exit_code is None:
                self._keep_reserve()
                continue
            if self._taken_over():
                continue
            if exit_code == 0 or self._restarts_left == 0:
                self._ended.set()
                return
            self._is_news = self._is_news or self._child.was_ready or time.monotonic() - self._begun_s >= LIVED_S
            try:
                self._child.start()
                self._begun_s = time.monotonic()
                self._refusal = ""
                if self._restarts_left is not None:
                    self._restarts_left -= 1
                is_news, self._is_news = self._is_news, False
                if is_news:
                    self._on_restart(exit_code)
            except (OSError, psutil.Error) as error:  # a full disk, a lost terminal: whoever is needed is still watched
                if self._refusal != str(error):
                    self._refusal = str(error)
                    _logger.warning(
                        "The %s died and could not be restarted yet; it is tried again: %s", self._child.role, error
                    )

    def _keep_reserve(self) -> None:
        with contextlib.suppress(OSError):  # no memory or no disk for a second one; the first does its work
            self._child.keep_reserve()
