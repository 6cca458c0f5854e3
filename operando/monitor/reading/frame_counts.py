"""How many frames of each kind were asked for, came and were lost."""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from operando.model import frames
from operando.model.declared_size import LIST, readable, readable_frames
from operando.model.frames import FrameKind
from operando.model.hdf5_beside_writer import open_beside_writer
from operando.model.run_directory import RunDirectory

KINDS = (FrameKind.DARK, FrameKind.FLAT, FrameKind.PROJECTION, FrameKind.FLAT_AFTER)
WORDS = {
    FrameKind.DARK: "darks",
    FrameKind.FLAT: "flats",
    FrameKind.PROJECTION: "projections",
    FrameKind.FLAT_AFTER: "flats after",
}
_EXPECTED = {kind: f"num_{WORDS[kind].replace(' ', '_')}" for kind in KINDS}  # in the start document


@dataclass(frozen=True)
class FrameCount:
    """One kind of frames of one tomogram; ``lost`` is what can be told up to now, None if nobody counted."""

    kind: FrameKind
    expected: int
    received: int = 0
    lost: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether no more are to come, as far as can be told."""
        return self.received + (self.lost or 0) >= self.expected

    @property
    def progress_text(self) -> str:
        """How many of how many."""
        return f"{self.received} of {self.expected}"

    @property
    def text(self) -> str:
        """For a person, as in ``flats 38 of 40, 2 LOST``."""
        lost = f", {self.lost} LOST" if self.lost else ""
        return f"{WORDS[self.kind]} {self.progress_text}{lost}"


def asked_frames(start: Mapping[str, Any]) -> tuple[FrameCount, ...]:
    """Return what the start document of a tomogram asks for, none of it taken."""
    numbers = ((kind, int(start.get(_EXPECTED[kind]) or 0)) for kind in KINDS)
    return tuple(FrameCount(kind, expected) for kind, expected in numbers if expected > 0)


def counted_frames(outcome: Mapping[str, Any]) -> tuple[FrameCount, ...]:
    """Return what the acquisition found when the tomogram was over, from the data of its event ``outcome``."""
    found = []
    for kind in KINDS:
        sides = ("expected", "acquired", "written", "dropped")
        expected, acquired, written, dropped = (int(outcome.get(f"{side}_{kind}") or 0) for side in sides)
        if expected:  # what was never exposed, as when the beam went, is not lost
            found.append(FrameCount(kind, expected, written, max(acquired - written, dropped, 0)))
    return tuple(found)


def lost_text(counts: Iterable[FrameCount]) -> str:
    """Say how many frames are lost, of those that were counted; empty if nobody counted."""
    counted = [count.lost for count in counts if count.lost is not None]
    if not counted:
        return ""
    return f"{sum(counted)} FRAME{'S' if sum(counted) > 1 else ''} LOST" if any(counted) else "none lost"


class FrameCounter:
    """Counts the frames of the tomogram that is being taken; files that cannot grow any more are not opened again."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._whole: dict[tuple[int, FrameKind], FrameCount] = {}

    def count(self, attempt: int, asked: tuple[FrameCount, ...]) -> tuple[FrameCount, ...]:
        """Return what has come of one attempt; what is not there yet, or cannot be read, has not come."""
        found = []
        for entry in asked:
            count = self._whole.get((attempt, entry.kind)) or self._read(attempt, entry)
            if count.received >= count.expected:
                self._whole[attempt, entry.kind] = count
            found.append(count)
        return tuple(found)

    def _read(self, attempt: int, asked: FrameCount) -> FrameCount:
        path = self._run.frames_file(attempt, asked.kind)
        with contextlib.suppress(OSError, LookupError, RuntimeError, ValueError), open_beside_writer(path) as file:
            received = int(readable_frames(file[frames.IMAGES]).shape[0])
            ids = file.get(frames.FRAME_IDS)
            lost = None if ids is None else num_lost(np.asarray(readable(ids, LIST)))
            return FrameCount(asked.kind, asked.expected, received, lost)
        return asked


def num_lost(frame_ids: np.ndarray[Any, Any]) -> int:
    """Return how many numbers are missing between the camera's frame ids, shape (num,), in whatever order they came."""
    ids = np.unique(frame_ids[frame_ids > 0])  # rows that are made but not written yet hold 0
    return int(ids[-1] - ids[0]) + 1 - len(ids) if len(ids) else 0
