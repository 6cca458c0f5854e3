"""What one row of the detector sees while the sample turns, read in portions that hold nobody up."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operando.model import frames
from operando.model.declared_size import LIST, readable, readable_frames
from operando.model.frames import FrameKind
from operando.model.hdf5_beside_writer import open_beside_writer
from operando.model.run_directory import RunDirectory
from operando.monitor.reading.preview_reader import UNREADABLE
from operando.monitor.reading.run_view import TomogramView

MAX_LINES, MAX_COLUMNS = 1200, 1200
PORTION_S = 0.04  # of reading each time it is asked
NUM_AVERAGED = 8  # flats and darks of the row
TRANSMISSION, COUNTS = "transmission", "detector counts"


@dataclass(frozen=True, eq=False)
class Sinogram:
    """One row of the detector, one line for each projection that was read.

    Parameters
    ----------
    values
        Shape (line, column): transmission, or counts where there is no flat or no dark; NaN where the flat is not
        brighter than the dark.
    quantity
        Which of both.
    angles_deg
        Of each line; empty where the file does not hold them.
    row, num_rows, num_columns
        Which row of how many, and how many columns the detector has.
    line_step, column_step
        Projections for each line, and columns of the detector for each column.
    num_projections
        That there are; more lines come if not all were read yet.
    """

    values: NDArray[np.float32]
    quantity: str
    angles_deg: NDArray[np.float64]
    row: int
    num_rows: int
    num_columns: int
    line_step: int
    column_step: int
    num_projections: int

    @property
    def turns_one_way(self) -> bool:
        """Whether each line has its angle and all follow each other, so that an axis can show them."""
        return len(self.angles_deg) > 1 and bool(
            np.all(np.diff(self.angles_deg) > 0) or np.all(np.diff(self.angles_deg) < 0)
        )


class SinogramReader:
    """Follows one row of one tomogram; another row or tomogram begins anew."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._key: tuple[object, ...] = ()
        self._lines: list[NDArray[Any]] = []
        self._flat: NDArray[np.float32] | None = None
        self._dark: NDArray[np.float32] | None = None
        self._shown: Sinogram | None = None

    def newest(self, tomogram: TomogramView, row: int | None) -> Sinogram | None:
        """Return what was read so far, the same object as before if nothing was added; None if there is nothing.

        ``row`` is cut to those that there are; None is the middle one.
        """
        path = self._run.frames_file(tomogram.attempt, FrameKind.PROJECTION)
        with contextlib.suppress(*UNREADABLE):
            inode = path.stat().st_ino
            with open_beside_writer(path, chunk_cache_bytes=0) as file:  # parts of frames only, if they lie plain
                images = readable_frames(file[frames.IMAGES])
                num, num_rows, num_columns = (int(size) for size in images.shape)
                at = num_rows // 2 if row is None else min(max(row, 0), num_rows - 1)
                line_step = -(-max(num, tomogram.num_projections, 1) // MAX_LINES)
                column_step = -(-num_columns // MAX_COLUMNS)
                key = str(path), inode, at, line_step, column_step
                if key != self._key or num <= (len(self._lines) - 1) * line_step:
                    self._begin(tomogram.attempt, at, column_step)
                    self._key = key
                if not self._add(images, at, line_step, column_step) and self._shown is not None:
                    return self._shown
                if not self._lines:
                    return None
                angles = np.empty(0)
                if frames.ANGLES in file:
                    angles = np.asarray(readable(file[frames.ANGLES], LIST)[:num:line_step])
            values, quantity = self._values()
            angles_deg = angles[: len(values)].astype(np.float64)
            if len(angles_deg) != len(values) or not np.isfinite(angles_deg).all():
                angles_deg = np.empty(0)
            self._shown = Sinogram(values, quantity, angles_deg, at, num_rows, num_columns, line_step, column_step, num)
            return self._shown
        return None

    def _begin(self, attempt: int, row: int, column_step: int) -> None:
        self._lines, self._shown = [], None
        self._flat, self._dark = (
            _mean_row(self._run.frames_file(attempt, kind), row, column_step)
            for kind in (FrameKind.FLAT, FrameKind.DARK)
        )

    def _add(self, images: Any, row: int, line_step: int, column_step: int) -> bool:
        """Read further lines for a while; return whether there were any."""
        before, until_s = len(self._lines), perf_counter() + PORTION_S
        while len(self._lines) * line_step < int(images.shape[0]) and perf_counter() < until_s:
            self._lines.append(np.asarray(images[len(self._lines) * line_step, row])[::column_step])
        return len(self._lines) > before

    def _values(self) -> tuple[NDArray[np.float32], str]:
        counts = np.asarray(self._lines, np.float32)
        if self._flat is None or self._dark is None or self._flat.shape != counts.shape[1:]:
            return counts, COUNTS
        beam = self._flat - self._dark
        beam[~(beam > 0)] = np.nan
        return (counts - self._dark) / beam, TRANSMISSION


def _mean_row(path: Path, row: int, column_step: int) -> NDArray[np.float32] | None:
    with contextlib.suppress(*UNREADABLE), open_beside_writer(path, chunk_cache_bytes=0) as file:
        images = readable_frames(file[frames.IMAGES])
        num = min(int(images.shape[0]), NUM_AVERAGED)
        if num:
            lines = [np.asarray(images[number, row], np.float32)[::column_step] for number in range(num)]
            return np.asarray(np.mean(lines, axis=0), np.float32)
    return None
