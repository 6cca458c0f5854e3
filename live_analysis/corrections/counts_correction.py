"""From counts of projections to attenuation integrals, frame by frame: alike for frames that arrive and for files."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_analysis.corrections.broken_pixels import BrokenPixels
from live_analysis.corrections.frame_statistics import limit_of_type
from live_analysis.corrections.moved_frames import REACH, margin_rows, moved_along_columns, moved_along_rows, upright
from live_analysis.corrections.phase import PhaseFilter
from live_analysis.corrections.zingers import remove_zingers
from live_analysis.normalisation import attenuation_integral, repair_pixels


@dataclass(frozen=True)
class Lean:
    """An axis that leans to larger columns at the top by ``tilt_deg``, and the point of it that stays in its place."""

    tilt_deg: float
    row: float
    column: float


@dataclass(frozen=True)
class CorrectionSettings:
    """What is done beside what every scan needs; each is off by default.

    ``phase`` filters transmission before the logarithm. ``lean`` sets the rotation axis upright. ``jitter_columns`` and
    ``jitter_rows``, shape (frame,) by index of the projection, say by how much the sample stood too far right and too
    low in each; frames are moved back by as much. ``object_of_view`` is the declared outer diameter over the width of
    the view, None where unknown: an object wider than the view leaves no air to see the beam in.
    """

    phase: PhaseFilter | None = None
    lean: Lean | None = None
    jitter_columns: NDArray[np.float64] | None = None
    jitter_rows: NDArray[np.float64] | None = None
    object_of_view: float | None = None

    def margin(self, num_columns: int) -> int:
        """Rows needed on either side of those that are wanted."""
        margin = 1 + (0 if self.phase is None else self.phase.margin)  # one row for neighbours of broken pixels
        if self.lean is not None:
            margin += margin_rows(self.lean.tilt_deg, num_columns)
        if self.jitter_rows is not None:
            margin += int(np.ceil(np.abs(self.jitter_rows).max())) + REACH
        return margin


@dataclass(frozen=True)
class Integrals:
    """Attenuation integrals of some rows: shape (frame, row, column), without NaN.

    ``num_dead`` counts the pixels that had no usable value and were repaired from their neighbours, ``num_zingers``
    those that stray X-rays had brightened, in all frames together.
    """

    values: NDArray[np.float32]
    num_dead: int
    num_zingers: int


class CountsCorrection:
    """Corrects batches of projections, each frame by itself, in any order.

    Parameters
    ----------
    dark
        Mean dark, shape (row, column), in counts, of the whole frame.
    broken
        Pixels not to be used.
    settings
        What else is done.
    max_counts
        What a saturated pixel reads; None for the highest count of the frames' type.
    """

    def __init__(
        self,
        dark: NDArray[np.float32],
        broken: BrokenPixels,
        settings: CorrectionSettings,
        *,
        max_counts: float | None = None,
    ) -> None:
        self._dark, self._broken, self._settings, self._max_counts = dark, broken, settings, max_counts

    def rows_needed(self, rows: slice) -> slice:
        """Return the rows of counts from which integrals of ``rows`` are made."""
        margin = self._settings.margin(self._dark.shape[1])
        return slice(max(rows.start - margin, 0), min(rows.stop + margin, len(self._dark)))

    def integrals(
        self,
        counts: NDArray[Any],
        beam: NDArray[np.float32],
        rows: slice,
        *,
        indices: NDArray[np.intp],
        brightness: NDArray[np.float32] | None = None,
    ) -> Integrals:
        """Return the integrals of ``rows``.

        Parameters
        ----------
        counts
            Shape (frame, row, column), the rows of `rows_needed`.
        beam
            Flat less dark of the same rows, shape (frame or 1, row, column), in counts.
        indices
            Of the frames among all projections, shape (frame,): positions of the stage are looked up by it.
        brightness
            Of each projection's beam relative to its flat, shape (frame,); None: as its flat.

        Raises
        ------
        DeadFrameError
            If a frame has no usable pixel.
        """
        needed = self.rows_needed(rows)
        inner = slice(rows.start - needed.start, rows.stop - needed.start)
        through = self._transmission(counts, beam, needed, brightness)
        cleaned = remove_zingers(through, inner)
        through = cleaned.values
        if self._settings.phase is not None:
            num_dead = int(np.count_nonzero(np.isnan(through[:, inner])))
            through = self._settings.phase.contact_transmission(repair_pixels(through).values)
            values = repair_pixels(attenuation_integral(through).values).values
        else:
            values = attenuation_integral(through).values
            num_dead = int(np.count_nonzero(np.isnan(values[:, inner])))
            values = repair_pixels(values).values
        moved = self._moved_back(values, needed.start, indices)
        return Integrals(np.ascontiguousarray(moved[:, inner]), num_dead, cleaned.num_pixels)

    def _transmission(
        self, counts: NDArray[Any], beam: NDArray[np.float32], rows: slice, brightness: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        usable = (beam > 0) & ~self._broken.mask[rows]
        scale = np.divide(1, beam, out=np.full_like(beam, np.nan), where=usable)
        if brightness is not None:
            scale = scale / brightness[:, None, None].astype(np.float32)
        through = (counts - self._dark[rows]) * scale
        through[counts >= (limit_of_type(counts.dtype) if self._max_counts is None else self._max_counts)] = np.nan
        return np.asarray(through, np.float32)

    def _moved_back(
        self, values: NDArray[np.float32], first_row: int, indices: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        if self._settings.jitter_columns is not None:
            values = moved_along_columns(values, -self._settings.jitter_columns[indices, None])
        if self._settings.jitter_rows is not None:
            values = moved_along_rows(values, -self._settings.jitter_rows[indices, None])
        if (lean := self._settings.lean) is not None:
            values = upright(values, lean.tilt_deg, centre_row=lean.row - first_row, centre_column=lean.column)
        return values
