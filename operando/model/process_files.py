"""The processes of a run as their pid files tell of them."""

import contextlib
import json
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil

from operando.model.ordinary_file import ordinary_file
from operando.model.process_start import ProcessStart, process_start

MAX_BYTES = 10_000  # of a pid file; more is another kind of file
LARGEST_PID = 2**31 - 1  # of any system; a larger one makes psutil fail


@dataclass(frozen=True)
class ProcessRecord:
    """What a pid file says; the start tells a recycled pid from the process that wrote it.

    ``create_time`` moves with the host's clock when that is set: it decides only where ``start`` is not known, as on
    systems other than Linux. ``host`` is the computer on which it was started. Files of versions that did not say leave
    both empty.
    """

    role: str
    pid: int
    create_time: float
    host: str = ""
    start: ProcessStart | None = None

    @property
    def elsewhere(self) -> bool:
        """Whether it was started on another computer, from which the run was copied or is shared: nobody here knows."""
        return self.host not in ("", socket.gethostname())

    @property
    def alive(self) -> bool:
        """Whether that very process still runs here; a computer may have changed its name meanwhile."""
        try:
            process = psutil.Process(self.pid)
            return self._is(process) and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    @property
    def stopped(self) -> bool:
        """Whether it lives and stands still, as after SIGSTOP: nothing goes on in it until it is told to continue."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return self.alive and psutil.Process(self.pid).status() == psutil.STATUS_STOPPED
        return False

    def _is(self, process: psutil.Process) -> bool:
        found = None if self.start is None else process_start(self.pid)
        if found is None:
            return abs(process.create_time() - self.create_time) < 1.0
        return found == self.start


def write_pid_file(folder: Path, role: str, pid: int | None = None) -> None:
    """Record that ``pid`` (this process, if not given) plays ``role`` in the run."""
    folder.mkdir(parents=True, exist_ok=True)
    process = psutil.Process(pid)
    path = folder / f"{role}.pid"
    temporary = path.with_suffix(".pid.new")
    start = process_start(process.pid)
    content = {
        "role": role,
        "pid": process.pid,
        "create_time": process.create_time(),
        "host": socket.gethostname(),
        **({} if start is None else {"start_ticks": start.ticks, "boot_id": start.boot_id}),
    }
    temporary.write_text(json.dumps(content))
    temporary.replace(path)


def read_pid_files(folder: Path) -> list[ProcessRecord]:
    """Return what the pid files of a run say, in alphabetical order of roles; damaged ones are left out."""
    records = []
    for path in sorted(folder.glob("*.pid")):
        with contextlib.suppress(AttributeError, ValueError, KeyError, TypeError, OSError, OverflowError):
            with ordinary_file(path).open("rb") as file:
                content = json.loads(file.read(MAX_BYTES))
            record = ProcessRecord(
                path.stem,
                int(content["pid"]),
                float(content["create_time"]),
                str(content.get("host", "")),
                ProcessStart(int(content["start_ticks"]), str(content["boot_id"])) if "boot_id" in content else None,
            )
            if 0 < record.pid <= LARGEST_PID:
                records.append(record)
    return records
