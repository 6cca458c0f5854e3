"""One guard for each run directory, and when a rehearsal's guard ends by itself."""

import contextlib
import fcntl
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from operando.model.attendance import LONGEST_ALONE_S
from operando.model.clock import Clock, RehearsalClock
from operando.model.process_files import write_pid_file
from operando.model.run_directory import RunDirectory

LONGEST_WITHOUT_BEAMLINE_S = 60.0
LOOK_ROUND_S = 1.0
LOCK_PAUSE_S = 0.05
LOCK_TRIES = 20  # whoever only looks whether there is a guard has the lock for a moment, too
LOCK_NAME = "guard.lock"

_logger = logging.getLogger(__name__)


class GuardRunsAlreadyError(RuntimeError):
    """Another process guards this run."""


@contextmanager
def only_guard(run: RunDirectory) -> Iterator[None]:
    """Hold the run's lock and name this process in its pid file; where the disk takes neither, guard all the same.

    A pid file that a full disk did not take is tried again every second.

    Raises
    ------
    GuardRunsAlreadyError
        If another guard holds the lock.
    """
    pid_file = run.processes / "guard.pid"
    with ExitStack() as ending:
        try:
            run.processes.mkdir(parents=True, exist_ok=True)
            lock = ending.enter_context((run.processes / LOCK_NAME).open("a"))
            _lock(lock)
            ending.callback(pid_file.unlink, missing_ok=True)
            ending.enter_context(_named(pid_file))
        except BlockingIOError:
            raise GuardRunsAlreadyError(
                f"{run.path} has a guard already ({_owner(pid_file)}): one process owns the cell. End that one first."
            ) from None
        except OSError as error:
            _tell_unwritable(error)
        yield


def has_guard(run: RunDirectory) -> bool:
    """Whether a living process holds the run's lock."""
    try:
        with (run.processes / LOCK_NAME).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no guard has come so far as to make the file
        return False
    return False


def _lock(lock: IO[str]) -> None:
    """Take the lock; raise BlockingIOError if another process keeps it."""
    pause = threading.Event()
    for _ in range(LOCK_TRIES - 1):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pause.wait(LOCK_PAUSE_S)
        else:
            return
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def _named(pid_file: Path) -> Iterator[None]:
    """Name this process in the pid file, later if the disk does not take it now."""
    trying: AbstractContextManager[None]
    try:
        _name_this_process(pid_file)
    except OSError as error:
        _tell_unwritable(error)
        trying = ended_when(lambda: _reason_not_to_try_again(pid_file), _logger.warning)
    else:
        trying = contextlib.nullcontext()
    with trying:
        yield


def _reason_not_to_try_again(pid_file: Path) -> str:
    try:
        _name_this_process(pid_file)
    except OSError:
        return ""
    return f"{pid_file} is written at last."


def _name_this_process(pid_file: Path) -> None:
    """Write the pid file whole or not at all."""
    # In a folder of its own: whoever started this process may write the same file in the same moment.
    with TemporaryDirectory(dir=pid_file.parent, prefix="guard-", ignore_cleanup_errors=True) as folder:
        write_pid_file(Path(folder), pid_file.stem)
        (Path(folder) / pid_file.name).replace(pid_file)


def _tell_unwritable(error: OSError) -> None:
    _logger.critical("The run directory cannot be written (%s); the guard goes on. Make room on it.", error)


def _owner(pid_file: Path) -> str:
    with contextlib.suppress(OSError, ValueError, KeyError):
        return f"process {json.loads(pid_file.read_text(encoding='utf-8'))['pid']}"
    return "its process is not named"


@contextmanager
def ended_when(reason_to_end: Callable[[], str], end: Callable[[str], None]) -> Iterator[None]:
    """Call ``end`` with the reason as soon as there is one; looks on the host's time, for a run's may stand still."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_ROUND_S):
            if reason := reason_to_end():
                end(reason)
                return

    thread = threading.Thread(target=watch, name="loneliness", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Loneliness:
    """Tells when a rehearsal's guard has nobody left to guard for: no clients, or no simulated beamline."""

    def __init__(
        self,
        clock: Clock,
        host_clock: Clock,
        num_clients: Callable[[], int],
        *,
        longest_alone_s: float = LONGEST_ALONE_S,
    ) -> None:
        self._clock = clock
        self._host_clock = host_clock
        self._num_clients = num_clients
        self._longest_alone_s = LONGEST_ALONE_S  # until the first client comes
        self._longest_after_clients_s = longest_alone_s
        self._alone_since_s = self._lost_since_s = host_clock.now()

    def reason_to_give_up(self) -> str:
        """Return why a guard that ends need not wait for its cell any longer, or nothing: a simulated cell is gone."""
        if isinstance(self._clock, RehearsalClock) and self._clock.lost:
            return "The simulated beamline is gone."
        return self.reason_to_end()

    def reason_to_end(self) -> str:
        """Return why to end, or nothing."""
        now_s = self._host_clock.now()
        if not isinstance(self._clock, RehearsalClock):
            return ""
        if self._num_clients() > 0:
            self._alone_since_s, self._longest_alone_s = now_s, self._longest_after_clients_s
        if not self._clock.lost:
            self._lost_since_s = now_s
        if now_s - self._lost_since_s >= LONGEST_WITHOUT_BEAMLINE_S:
            return f"The simulated beamline has been gone for {LONGEST_WITHOUT_BEAMLINE_S:g} s."
        if now_s - self._alone_since_s >= self._longest_alone_s:
            return f"Nobody has been connected for {self._longest_alone_s:g} s."
        return ""
