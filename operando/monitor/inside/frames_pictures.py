"""The newest projection and the newest flat of a tomogram, each read once."""

import contextlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operando.model import frames
from operando.model.declared_size import PLANE, readable_frames
from operando.model.frames import FrameKind
from operando.model.hdf5_beside_writer import open_beside_writer
from operando.model.run_directory import RunDirectory
from operando.monitor.inside.colour_scale import StraightScale
from operando.monitor.inside.drawn_image import DrawnImage, draw_image
from operando.monitor.reading.pictures import PERCENTILES
from operando.monitor.reading.preview_reader import UNREADABLE
from operando.monitor.reading.run_view import TomogramView

COUNTS = "detector counts"


@dataclass(frozen=True, eq=False)
class FramePicture:
    """One frame; ``levels`` are those of the first frame of its file, since changing ones make pictures flicker."""

    title: str
    image: DrawnImage
    scale: StraightScale


class NewestFrame:
    """Looks for a newer frame of one kind each time it is asked."""

    def __init__(self, run: RunDirectory, *kinds: FrameKind) -> None:
        self._run, self._kinds = run, kinds
        self._key: tuple[object, ...] = ()
        self._shown: FramePicture | None = None
        self._scale: tuple[tuple[str, int], StraightScale] | None = None

    def newest(self, tomogram: TomogramView) -> FramePicture | None:
        """Return the last frame of the last of the kinds that has one; the same object as before if none is newer."""
        for kind in reversed(self._kinds):
            path = self._run.frames_file(tomogram.attempt, kind)
            with contextlib.suppress(*UNREADABLE):
                inode = path.stat().st_ino
                with open_beside_writer(path) as file:
                    images = readable_frames(file[frames.IMAGES], PLANE)
                    num = int(images.shape[0])
                    if num == 0:
                        continue
                    key = str(path), inode, num
                    if key != self._key:
                        self._shown, self._key = self._drawn(images, (str(path), inode), kind, tomogram), key
                    return self._shown
        return None

    def _drawn(self, images: Any, file: tuple[str, int], kind: FrameKind, tomogram: TomogramView) -> FramePicture:
        num = int(images.shape[0])
        frame = np.asarray(images[num - 1])
        if self._scale is None or self._scale[0] != file:
            self._scale = file, _scale_of(frame)
        word = kind.value.replace("_", " ")
        count = f"{num} of {tomogram.num_projections}" if kind is FrameKind.PROJECTION else f"{num}"
        return FramePicture(f"{word} {count}, {tomogram.name}", draw_image(frame, self._scale[1]), self._scale[1])


def _scale_of(frame: NDArray[Any]) -> StraightScale:
    finite = frame[np.isfinite(frame)]
    low, high = np.percentile(finite, PERCENTILES) if finite.size else (0.0, 1.0)
    return StraightScale(float(low), float(max(high, low + 1e-6)), COUNTS)
