"""How much room is left on the disk of a run, and for how many tomograms."""

import contextlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, nan

from operando.model.frames import FrameKind
from operando.model.run_directory import RunDirectory
from operando.monitor.reading.run_processes import Life

LOOK_EVERY_S = 5.0
MANY = 1000  # tomograms; nobody needs to know how many more
FEW = 3  # tomograms; with room for fewer a person must act


@dataclass(frozen=True)
class DiskRoom:
    """What is free, and what the frames of the last whole tomogram took, in bytes; NaN while there is none."""

    free_bytes: float
    tomogram_bytes: float = nan

    @property
    def num_tomograms(self) -> int | None:
        """For how many tomograms like the last one there is room."""
        return int(self.free_bytes // self.tomogram_bytes) if self.tomogram_bytes > 0 else None

    @property
    def is_short(self) -> bool:
        """Whether a person must make room soon."""
        num = self.num_tomograms
        return num is not None and num < FEW

    @property
    def text(self) -> str:
        """For a person."""
        num = self.num_tomograms
        many = "more than " if num is not None and num > MANY else ""
        room = "" if num is None else f", room for {many}{min(num, MANY)} tomogram{'' if num == 1 else 's'}"
        return f"{self.free_bytes / 1e9:.3g} GB free{room}"


class DiskWatch:
    """Looks at the disk of a run that goes on; of a copy, or of one on another computer, nothing is to be said."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._looked_s = -inf
        self._room: DiskRoom | None = None

    def room(self, last_whole_attempt: int | None, lives: Iterable[Life], wall_s: float) -> DiskRoom | None:
        """Return the room now, looked up every few seconds of the host's clock ``wall_s``.

        Parameters
        ----------
        last_whole_attempt
            Number of the last tomogram that is complete.
        lives
            Of the run's processes.
        """
        known = set(lives)
        if not known - {Life.ENDED} or Life.ELSEWHERE in known:
            return None
        if not 0 <= wall_s - self._looked_s < LOOK_EVERY_S:
            self._looked_s, self._room = wall_s, self._look(last_whole_attempt)
        return self._room

    def _look(self, last_whole_attempt: int | None) -> DiskRoom | None:
        try:
            free = shutil.disk_usage(self._run.path).free
        except OSError:
            return None
        return DiskRoom(free, nan if last_whole_attempt is None else self._frames_bytes(last_whole_attempt))

    def _frames_bytes(self, attempt: int) -> float:
        found = 0
        for kind in FrameKind:
            with contextlib.suppress(OSError):  # moved away, or never taken
                found += self._run.frames_file(attempt, kind).stat().st_size
        return found or nan
