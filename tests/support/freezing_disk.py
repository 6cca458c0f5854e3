"""A file system of its own that can be stalled: whoever writes to it then waits, as for a network's that hangs."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE_BYTES = 64 * 2**20


def why_none() -> str:
    """Return why no such file system can be made here, or nothing."""
    lacking = [name for name in ("mkfs.ext4", "mount", "fsfreeze") if shutil.which(name) is None]
    if lacking:
        return f"there is no {', no '.join(lacking)}"
    return "" if os.geteuid() == 0 else f"a disk is mounted as root only; this is user {os.geteuid()}"


@contextmanager
def freezing_disk(folder: Path) -> Iterator[Path]:
    """Make and mount one at ``folder``.

    Raises
    ------
    subprocess.CalledProcessError
        If it cannot be mounted, as in a container without loop devices.
    """
    image = folder.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(SIZE_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    folder.mkdir()
    subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        image.unlink()


@contextmanager
def frozen(folder: Path) -> Iterator[None]:
    """Stall the file system for as long as this is entered."""
    subprocess.run(["fsfreeze", "--freeze", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["fsfreeze", "--unfreeze", str(folder)], check=True)
