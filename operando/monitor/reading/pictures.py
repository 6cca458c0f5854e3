"""The picture beside the curves: the newest projection while frames arrive, else the newest preview or slice."""

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from PySide6 import QtGui

from operando.model import frames
from operando.model.declared_size import PLANE, readable_frames
from operando.model.frames import FrameKind
from operando.model.hdf5_beside_writer import open_beside_writer
from operando.model.ordinary_file import ordinary_file
from operando.model.run_directory import RunDirectory
from operando.monitor.reading.preview_reader import UNREADABLE
from operando.monitor.reading.run_view import TomogramView
from operando.monitor.reading.shown_text import shown_name

PERCENTILES = (0.5, 99.5)  # of the first picture of a tomogram; kept, because changing levels make pictures flicker


@dataclass(frozen=True)
class Picture:
    """Grey values of shape (rows, columns) with black and white ``levels``, or 8-bit colours (rows, columns, 3)."""

    image: NDArray[Any]
    levels: tuple[float, float]
    caption: str
    key: tuple[str, int]


class PictureReader:
    """Looks for a newer picture of a run each time it is asked."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._shown: Picture | None = None
        self._levels: dict[str, tuple[float, float]] = {}

    def newest(self, running: TomogramView | None) -> Picture | None:
        """Return the picture to show now; the same object as before if nothing is newer, None if there is none."""
        found = None if running is None else self._projection(running)
        found = found or self._preview() or self._slice()
        if found is not None:
            self._shown = found
        return self._shown

    def _seen(self, key: tuple[str, int]) -> Picture | None:
        return self._shown if self._shown is not None and self._shown.key == key else None

    def _projection(self, running: TomogramView) -> Picture | None:
        path = self._run.frames_file(running.attempt, FrameKind.PROJECTION)
        with contextlib.suppress(*UNREADABLE), open_beside_writer(path) as file:
            images = readable_frames(file[frames.IMAGES], PLANE)
            num = int(images.shape[0])
            key = path.name, num
            if num == 0 or (seen := self._seen(key)) is not None:
                return seen if num else None
            caption = f"Projection {num} of {running.num_projections} · {running.name} · detector counts"
            return self._grey(np.asarray(images[num - 1]), caption, key)
        return None

    def _preview(self) -> Picture | None:
        path = _newest(self._run.report, r"\d{4}_.+\.png")
        if path is None:
            return None
        key = path.name, path.stat().st_mtime_ns
        if (seen := self._seen(key)) is not None:
            return seen
        drawn = QtGui.QImage(str(ordinary_file(path)))
        if drawn.isNull():  # still being written, or damaged
            return None
        drawn = drawn.convertToFormat(QtGui.QImage.Format.Format_RGB888)
        lines = np.frombuffer(drawn.constBits(), np.uint8).reshape(drawn.height(), drawn.bytesPerLine())
        image = lines[:, : 3 * drawn.width()].reshape(drawn.height(), drawn.width(), 3).copy()
        return Picture(image, (0.0, 255.0), f"Preview · {shown_name(path.stem.partition('_')[2])}", key)

    def _slice(self) -> Picture | None:
        folders = self._run.volumes.glob("[0-9]*") if self._run.volumes.is_dir() else ()
        for folder in sorted(folders, reverse=True):
            path = folder / "region.h5"
            with contextlib.suppress(*UNREADABLE):
                key = f"{folder.name}/{path.name}", path.stat().st_mtime_ns
                if (seen := self._seen(key)) is not None:
                    return seen
                with h5py.File(ordinary_file(path), "r") as file:
                    volume = _first_volume(file)
                    if volume is not None:
                        middle = readable_frames(volume, PLANE).shape[0] // 2
                        caption = f"Slice {middle} of {volume.shape[0]} · attempt {int(folder.name)}"
                        return self._grey(np.asarray(volume[middle], dtype=np.float32), caption, key)
        return None

    def _grey(self, image: NDArray[Any], caption: str, key: tuple[str, int]) -> Picture:
        levels = self._levels.get(key[0])
        if levels is None:
            finite = image[np.isfinite(image)]
            low, high = np.percentile(finite, PERCENTILES) if finite.size else (0.0, 1.0)
            levels = float(low), float(max(high, low + 1e-6))
            self._levels[key[0]] = levels
        return Picture(image, levels, caption, key)


def _newest(folder: Path, pattern: str) -> Path | None:
    if not folder.is_dir():
        return None
    found = [path for path in folder.iterdir() if re.fullmatch(pattern, path.name)]
    with contextlib.suppress(OSError):  # one may vanish while it is looked at
        return max(found, key=lambda path: path.stat().st_mtime_ns, default=None)
    return None


def _first_volume(file: Any) -> Any:
    found: list[Any] = []
    file.visititems(lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) and item.ndim == 3 else None)
    return found[0] if found and found[0].shape[0] else None
