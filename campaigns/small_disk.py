"""A file system of its own for one run, so small that it can be filled: needs the right to mount one."""

import errno
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

SIZE_BYTES = 64 * 2**20  # ten times what a rehearsal of experiments/campaign.toml writes
BLOCK_BYTES = 4096
_FILLER = "filler"


def may_mount() -> bool:
    """Return whether this process may make such a file system."""
    return os.geteuid() == 0 and shutil.which("mount") is not None


class SmallDisk:
    """A file system in memory under ``folder``, which is made; a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Self:
        """Mount it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_BYTES}", "tmpfs", str(self.folder)], check=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Throw it away with everything in it."""
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)
        self.folder.rmdir()

    def fill(self) -> None:
        """Leave no byte free."""
        block = bytes(BLOCK_BYTES)
        with (self.folder / _FILLER).open("ab", buffering=0) as filler:
            try:
                while filler.write(block) == BLOCK_BYTES:
                    continue
            except OSError as full:
                if full.errno != errno.ENOSPC:
                    raise

    def make_room(self) -> None:
        """Give back what :meth:`fill` took."""
        (self.folder / _FILLER).unlink(missing_ok=True)
