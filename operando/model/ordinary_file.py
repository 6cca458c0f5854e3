"""Telling a file from what stands in the place of one: reading a pipe would wait for ever."""

import stat
from pathlib import Path


def ordinary_file(path: Path) -> Path:
    """Return the path of a file that can be opened without waiting for anybody.

    Raises
    ------
    OSError
        If there is nothing, or a folder, a pipe or a device.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(f"{path} is no ordinary file")
    return path
