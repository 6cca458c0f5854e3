"""When a process began, told so that no step of the host's clock changes it: in clock ticks since which boot."""

from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_BEGAN = 22 - 3  # field 22 of proc(5)'s stat; the fields after the name begin with the third


@dataclass(frozen=True)
class ProcessStart:
    """Clock ticks from the boot named ``boot_id`` to the start of a process."""

    ticks: int
    boot_id: str


def process_start(pid: int, *, proc: Path = _PROC) -> ProcessStart | None:
    """Return when ``pid`` began; ``None`` if it does not live, or where the system does not tell as Linux does."""
    try:
        boot_id = (proc / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        told = (proc / str(pid) / "stat").read_bytes()
        _, _, fields = told.rpartition(b")")  # the name before it may hold spaces and parentheses itself
        return ProcessStart(int(fields.split()[_BEGAN]), boot_id)
    except (OSError, ValueError, IndexError):
        return None
