"""How many frames a frames file holds, whatever became of who wrote it."""

from dataclasses import dataclass
from pathlib import Path

from operando.model.declared_size import LIST, readable, readable_frames
from operando.model.frames import FRAME_IDS, IMAGES
from operando.model.hdf5_beside_writer import open_beside_writer


@dataclass(frozen=True)
class FramesInFile:
    """Frames in the file, and how many their ids span: those in between that are missing were lost."""

    written: int
    spanned: int


def frames_in_file(path: Path) -> FramesInFile:
    """Count the frames of a file; one that is not there, or that nobody can read, holds none."""
    try:
        with open_beside_writer(path) as file:
            ids = readable(file[FRAME_IDS], LIST)[...]
            written = min(int(readable_frames(file[IMAGES]).shape[0]), len(ids))
            spanned = int(ids[:written].max() - ids[:written].min()) + 1 if written else 0
            return FramesInFile(written, max(spanned, written))
    except (OSError, LookupError, RuntimeError, ValueError):
        return FramesInFile(0, 0)
