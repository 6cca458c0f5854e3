"""How uncertain the attenuation integrals of a slab are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_analysis.final_volume.beam import BeamOfSlab
from live_analysis.normalisation import repair_pixels
from live_analysis.reconstruction.integral_variance import Counting
from live_analysis.reconstruction.ray_variances import add_variances, column_step

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class SlabVariances:
    """Variances of a slab's integrals, unitless, before stripes are taken off.

    Attributes
    ----------
    of_each
        Of each projection that counts, means over blocks of columns: shape (projection, row, block).
    mean_of_each
        Means over the projections, shape (row, column).
    of_flat, of_dark
        From the noise of one flat frame, and of the mean dark; shape (row, column).
    flat_shares
        Of which flats the beam of each projection is made, shape (projection, flat).
    """

    of_each: Floats
    mean_of_each: Floats
    of_flat: Floats
    of_dark: Floats
    flat_shares: NDArray[np.float64]


class VarianceSums:
    """Takes the counts of a slab in.

    Parameters
    ----------
    beam
        Of the slab with its margins.
    inner
        The slab's rows of these.
    num_frames
        Projections at most.
    """

    def __init__(self, counting: Counting, beam: BeamOfSlab, inner: slice, num_frames: int) -> None:
        self._counting, self._flat_shares = counting, beam.flat_shares
        self._dark, self._used = beam.dark[inner], ~beam.broken.mask[inner]
        num_rows, num_columns = self._dark.shape
        self._step = column_step(num_columns)
        self._of_each = np.zeros((num_frames, num_rows, num_columns // self._step), np.float32)
        self._sums = np.zeros((2, num_rows, num_columns))
        self._beam = np.zeros((num_rows, num_columns))
        self._frames: list[int] = []

    def add(self, counts: NDArray[Any], light: Floats, frames: NDArray[np.intp]) -> None:
        """Take some projections in: counts and beam (or one for all), shape (frame, row, column), and their indices."""
        first = len(self._frames)
        self._frames += frames.tolist()
        add_variances(
            np.ascontiguousarray(counts, np.float32),
            self._dark,
            self._used,
            1 / self._counting.photons_per_count,
            self._counting.dark_variance,
            self._step,
            self._of_each[first : len(self._frames)],
            self._sums,
        )
        self._beam += light.mean(axis=0, dtype=np.float64) * len(frames)

    def result(self) -> SlabVariances:
        """Return what has come; at least one projection has."""
        counting, num = self._counting, len(self._frames)
        one_photon = 1 / counting.photons_per_count
        beam = np.maximum(self._beam / num, one_photon)
        # The dark is taken off both: it moves a projection by this much more than its flat, on average.
        lever = self._sums[1] / num - 1 / beam
        return SlabVariances(
            self._of_each[:num],
            self._whole(self._sums[0] / num),
            self._whole((beam * one_photon + counting.dark_variance) / beam**2),
            self._whole(lever**2 * counting.dark_variance / counting.num_darks),
            self._flat_shares[self._frames],
        )

    def _whole(self, values: NDArray[np.float64]) -> Floats:
        """Give broken pixels, which are made of their neighbours, the values of these."""
        if not self._used.any():
            return np.zeros(values.shape, np.float32)
        return repair_pixels(np.where(self._used, values, np.nan).astype(np.float32)).values
