"""Least and largest values of any stretch of a long trace, without looking at all of its values.

Level n holds the least and the largest of each 8**n values in a row, aligned to positions that are multiples of it. A
value that is missing (NaN) counts as absent. Only groups that are complete are held, so that what was written is final.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operando.monitor.history.growing_array import GrowingArray

FACTOR = 8
NUM_LEVELS = 6  # the largest group is of 262144 values

Floats = NDArray[np.float32]
Positions = NDArray[np.int64]


class Pyramid:
    """Values of one quantity, growing at both ends at a cost in proportion to what is new."""

    def __init__(self) -> None:
        self._values = GrowingArray(np.float32)
        self._levels = [(GrowingArray(np.float32), GrowingArray(np.float32)) for _ in range(NUM_LEVELS)]

    def put(self, first: int, values: Floats) -> None:
        """Place values at position ``first`` and behind, touching those that are there; NaN where one is missing."""
        self._values.put(first, values)
        lows = highs = self._values
        for coarser_lows, coarser_highs in self._levels:
            begin, end = -(-lows.first // FACTOR), lows.stop // FACTOR
            if end <= begin:
                return
            if coarser_lows.first == coarser_lows.stop:
                pieces = [(begin, end)]
            else:
                pieces = [(begin, coarser_lows.first), (coarser_lows.stop, end)]
            for piece in pieces:
                _put_groups(coarser_lows, lows, *piece, np.fmin)
                _put_groups(coarser_highs, highs, *piece, np.fmax)
            lows, highs = coarser_lows, coarser_highs

    @property
    def num_bytes(self) -> int:
        """Memory that holds values and their groups."""
        grown = (self._values, *(array for level in self._levels for array in level))
        return sum(array.view().nbytes for array in grown)

    def view(self) -> "PyramidView":
        """Return what is there now, without copying; it stays as it is."""
        values = _Level(self._values.first, self._values.view(), self._values.view())
        return PyramidView(
            (
                values,
                *(_Level(lows.first, lows.view(), highs.view()) for lows, highs in self._levels if len(lows.view())),
            )
        )


@dataclass(frozen=True)
class _Level:
    first: int
    lows: Floats
    highs: Floats


@dataclass(frozen=True)
class PyramidView:
    """A pyramid at one moment; positions count from its first value."""

    levels: tuple[_Level, ...]

    @property
    def values(self) -> Floats:
        """All values in order."""
        return self.levels[0].lows

    def extremes(self, starts: Positions, stops: Positions) -> tuple[Floats, Floats]:
        """Return the least and the largest value of each stretch.

        Parameters
        ----------
        starts, stops
            First position of each stretch and the one behind its last, shape (num,).

        Returns
        -------
        lows, highs
            Shape (num,); NaN where a stretch holds no value.
        """
        first = self.levels[0].first
        lower, upper = np.asarray(starts, np.int64) + first, np.asarray(stops, np.int64) + first
        lows, highs = np.full(len(lower), np.nan, np.float32), np.full(len(lower), np.nan, np.float32)
        for level, coarser in zip(self.levels, (*self.levels[1:], None), strict=True):
            inner_lower, inner_upper = -(-lower // FACTOR), upper // FACTOR
            climbs = inner_lower < inner_upper if coarser is not None else np.zeros(len(lower), bool)
            _fold(level, lower, np.where(climbs, inner_lower * FACTOR, upper), lows, highs)
            _fold(level, np.where(climbs, inner_upper * FACTOR, upper), upper, lows, highs)
            if not climbs.any():
                break
            lower, upper = np.where(climbs, inner_lower, 0), np.where(climbs, inner_upper, 0)
        return lows, highs


def _put_groups(coarser: GrowingArray, finer: GrowingArray, begin: int, end: int, extreme: np.ufunc) -> None:
    if begin < end:
        members = finer.view()[begin * FACTOR - finer.first : end * FACTOR - finer.first]
        coarser.put(begin, extreme.reduce(members.reshape(-1, FACTOR), axis=1))


def _fold(level: _Level, starts: Positions, stops: Positions, lows: Floats, highs: Floats) -> None:
    """Take the members of a level from ``starts`` to ``stops`` into the extremes found so far."""
    which = np.flatnonzero(starts < stops)
    if len(which) == 0:
        return
    begins, lasts = starts[which] - level.first, stops[which] - 1 - level.first
    # Short stretches look at their last member again and again, which changes neither extreme.
    members = np.minimum(begins + np.arange((lasts - begins).max() + 1)[:, np.newaxis], lasts)
    lows[which] = np.fmin(lows[which], np.fmin.reduce(level.lows[members], axis=0))
    highs[which] = np.fmax(highs[which], np.fmax.reduce(level.highs[members], axis=0))
