"""How often every grey value occurs in a volume: one bin per integer, or 65536 bins over the range of real numbers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numba
import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled

MAX_BINS = 65536  # an unsigned 16 bit camera; bins of real numbers are then far finer than any noise
# Real numbers are looked at in samples first: one damaged voxel of 1e30 must not put all others into one bin.
NUM_SAMPLED = 65536  # of each slab
USUAL = (1e-4, 1 - 1e-4)  # quantiles between which bins must be fine
COMPILED_KINDS = (np.uint8, np.uint16, np.float32, np.float64)

Slabs = Callable[[], Iterable[NDArray[np.generic]]]


class GreyValueError(ValueError):
    """Grey values from which no phases can be told."""


@dataclass(frozen=True)
class GreyHistogram:
    """Bins from ``first_centre`` in steps of ``bin_width``; what is not finite is counted apart."""

    counts: NDArray[np.int64]
    first_centre: float
    bin_width: float
    num_outside: int

    @property
    def centres(self) -> NDArray[np.float64]:
        """Grey value of each bin."""
        return self.first_centre + self.bin_width * np.arange(len(self.counts), dtype=np.float64)


def grey_histogram(slabs: Slabs) -> GreyHistogram:
    """Count grey values, slab by slab; real numbers are gone through twice.

    Parameters
    ----------
    slabs
        Gives the slabs of the volume, in any order, each time it is called; real or integer numbers of any shape.

    Raises
    ------
    GreyValueError
        If there is not one finite value.
    """
    lowest, highest, num_outside, integer = np.inf, -np.inf, 0, True
    samples = [np.empty(0)]
    for slab in slabs():
        values = plain(slab)
        integer &= slab.dtype.kind in "bui"
        low, high, outside = _range(values)
        lowest, highest, num_outside = min(lowest, low), max(highest, high), num_outside + int(outside)
        samples.append(values[:: -(-values.size // NUM_SAMPLED)].astype(np.float64))
    if not lowest <= highest:
        raise GreyValueError(f"none of {num_outside} voxels is a finite number: there are no grey values to divide.")
    if integer:
        width = float(max(1, -(-(int(highest) - int(lowest) + 1) // MAX_BINS)))
        num_bins = int((highest - lowest) // width) + 1
    else:
        sampled = np.concatenate(samples)
        lowest, highest = _widely(sampled[np.isfinite(sampled)], lowest, highest)
        width, num_bins = (highest - lowest) / (MAX_BINS - 1), MAX_BINS
        if not np.isfinite(width):
            raise GreyValueError(f"grey values from {lowest:.3g} to {highest:.3g} are no grey values of an image.")
        if not lowest + width > lowest:  # constant, or as good as
            width, num_bins = 1.0, 1
    counts = np.zeros(num_bins, np.int64)
    first = lowest + (width - 1) / 2 if integer else lowest
    for slab in slabs():
        counts += _counted(plain(slab), first, 1 / width, num_bins)
    return GreyHistogram(counts, first, width, num_outside)


def _widely(sample: NDArray[np.float64], lowest: float, highest: float) -> tuple[float, float]:
    """Return the range of usual values and as much again on either side, but not more than there is.

    Values beyond it are counted in the bins at its ends.
    """
    if not len(sample):
        return lowest, highest
    low, high = np.quantile(sample, USUAL)
    if not high > low:
        return lowest, highest
    return max(lowest, float(low - (high - low))), min(highest, float(high + (high - low)))


def plain(slab: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return values as a flat array of a kind for which loops are compiled: 8 or 16 bit, single or double precision."""
    kind = slab.dtype.newbyteorder("=")
    if kind == np.bool_:
        kind = np.dtype(np.uint8)
    elif kind == np.float16:
        kind = np.dtype(np.float32)
    elif kind not in COMPILED_KINDS:
        kind = np.dtype(np.float64)
    return np.ascontiguousarray(slab, kind).reshape(-1)


def _range(values: NDArray[np.generic]) -> tuple[float, float, float]:
    lows, highs, outside = _ranges(values, max(1, numba.get_num_threads()))
    return float(lows.min()), float(highs.max()), float(outside.sum())


@compiled
def _ranges(
    values: NDArray[np.generic], num_parts: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    lows, highs, outside = np.full(num_parts, np.inf), np.full(num_parts, -np.inf), np.zeros(num_parts, np.int64)
    for part in prange(num_parts):
        low, high, num = np.inf, -np.inf, 0
        for index in range(part * values.size // num_parts, (part + 1) * values.size // num_parts):
            value = float(values[index])
            if np.isfinite(value):
                low = min(low, value)
                high = max(high, value)
            else:
                num += 1
        lows[part], highs[part], outside[part] = low, high, num
    return lows, highs, outside


def _counted(values: NDArray[np.generic], first: float, bins_per_grey: float, num_bins: int) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = _parts(values, first, bins_per_grey, num_bins, max(1, numba.get_num_threads())).sum(0)
    return counts


@compiled
def _parts(
    values: NDArray[np.generic], first: float, bins_per_grey: float, num_bins: int, num_parts: int
) -> NDArray[np.int64]:
    counts = np.zeros((num_parts, num_bins), np.int64)
    for part in prange(num_parts):
        for index in range(part * values.size // num_parts, (part + 1) * values.size // num_parts):
            value = float(values[index])
            if np.isfinite(value):
                counts[part, min(max(int((value - first) * bins_per_grey + 0.5), 0), num_bins - 1)] += 1
    return counts
