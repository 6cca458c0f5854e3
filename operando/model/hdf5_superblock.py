"""What the first bytes of an HDF5 file tell before anybody opens it."""

import struct
from dataclasses import dataclass
from pathlib import Path

FIRST_WITH_MARKS = 3  # the version from which on a file is marked while it is being written
_FIRST_WITH_THIS_LAYOUT = 2
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_OFFSET_BYTES = 8
# HDF5 file format specification 3.0, superblock versions 2 and 3: signature, version, size of offsets and of lengths,
# consistency flags, base address, address of the extension, end-of-file address.
_LAYOUT = struct.Struct("<8xBBxB16xQ")


@dataclass(frozen=True)
class Superblock:
    """The first bytes of an HDF5 file; ``end_bytes`` is how long its writer left it, None where they do not tell."""

    version: int
    is_being_written: bool
    end_bytes: int | None

    @property
    def has_marks(self) -> bool:
        """Whether a file of this version is marked while it is being written."""
        return self.version >= FIRST_WITH_MARKS


def superblock_of(path: Path) -> Superblock | None:
    """Return the superblock of a file, None if it has none (yet).

    Raises
    ------
    OSError
        If the file is not there or cannot be read.
    """
    with path.open("rb") as file:
        begin = file.read(_LAYOUT.size)
    if len(begin) < _LAYOUT.size or not begin.startswith(_SIGNATURE):
        return None
    version, offset_bytes, marks, end_bytes = _LAYOUT.unpack(begin)
    tells = version in (_FIRST_WITH_THIS_LAYOUT, FIRST_WITH_MARKS) and offset_bytes == _OFFSET_BYTES
    return Superblock(version, version >= FIRST_WITH_MARKS and bool(marks), end_bytes if tells else None)
