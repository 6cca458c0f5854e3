"""One owner for each instrument on this machine, whatever run directory or beamline file it came with.

The lock is the kernel's and goes with its process, however that ends. The file says who holds it, to other users too.
"""

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

LOCK_FOLDER = Path("/tmp")  # not TMPDIR, which may differ between two people on one machine
_PREFIX = "operando_instrument_"
_GATE = "operando_instruments.gate"


class InstrumentOwnedError(RuntimeError):
    """Another process has this instrument."""


@dataclass(frozen=True)
class Owner:
    """Which process has an instrument, for which run; ``port`` is where it serves its own variables, 0 for nowhere."""

    instrument: str
    role: str
    pid: int
    run: str
    port: int = 0

    @property
    def sentence(self) -> str:
        """What a person must know of it."""
        return f"the {self.role} of {self.run} (process {self.pid}) has {self.instrument}; 'kill {self.pid}' ends it"


@contextmanager
def only_owner(server: str, owner: Owner, *, folder: Path = LOCK_FOLDER) -> Iterator[None]:
    """Hold the lock of an instrument.

    Parameters
    ----------
    server
        Host and port at which the instrument's process variables answer: several rehearsals have the same names.

    Raises
    ------
    InstrumentOwnedError
        If another process holds it.
    """
    path = _lock_file(server, owner.instrument, folder)
    descriptor = _opened(path)
    try:
        if not _locked(descriptor, folder):
            holder = _said(path) or _unknown(owner.instrument)
            raise InstrumentOwnedError(
                f"{holder.sentence}. Two processes would command one instrument: end that one first."
            )
        with contextlib.suppress(OSError):  # another user's file: locked all the same, but it does not say by whom
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(asdict(owner)).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def owner_of(server: str, instrument: str, *, folder: Path = LOCK_FOLDER) -> Owner | None:
    """Return who has an instrument now, None if nobody does."""
    path = _lock_file(server, instrument, folder)
    return (_said(path) or _unknown(instrument)) if _held(path, folder) else None


def owner_at_port(port: int, *, folder: Path = LOCK_FOLDER) -> Owner | None:
    """Return the living owner that serves at a port, None if none of this machine says so."""
    for path in sorted(folder.glob(f"{_PREFIX}*.lock")):
        owner = _said(path)
        if owner is not None and owner.port == port and _held(path, folder):
            return owner
    return None


def _lock_file(server: str, instrument: str, folder: Path) -> Path:
    return folder / f"{_PREFIX}{re.sub(r'[^A-Za-z0-9.]+', '_', f'{server}_{instrument}').strip('_')}.lock"


def _opened(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except PermissionError:  # another user made it; a lock needs no right to write
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with contextlib.suppress(PermissionError):
        os.fchmod(descriptor, 0o666)  # whatever the umask took
    return descriptor


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let nobody else take or look meanwhile: a lock that cannot be had is then an owner's, not that of a look."""
    gate = _opened(folder / _GATE)
    try:
        fcntl.flock(gate, fcntl.LOCK_EX)  # nobody has it for longer than one try of another lock
        yield
    finally:
        os.close(gate)


def _locked(descriptor: int, folder: Path) -> bool:
    """Take the lock; return whether it could be had."""
    with _alone(folder):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _held(path: Path, folder: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        with _alone(folder):  # which is left after the lock of the look is
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)
    return False


def _said(path: Path) -> Owner | None:
    try:
        return Owner(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _unknown(instrument: str) -> Owner:
    return Owner(instrument, "process of another user", 0, "an unknown run")
