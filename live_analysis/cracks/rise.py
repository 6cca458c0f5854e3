"""How far the matrix has risen since the pristine state, by height: where a place of now was then."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rise:
    """Heights above the bottom of the view in the pristine state, increasing, and the rise of each, both in um.

    In between it is linear, beyond the ends as at the ends. Without heights nothing has moved.
    """

    pristine_height_um: Floats
    rise_um: Floats

    @classmethod
    def through(cls, heights_um: Sequence[float], rises_um: Sequence[float]) -> "Rise":
        """Draw it from the collector, which stays, through heights of the pristine state; NaN is left out."""
        points = sorted(
            (height, rise)
            for height, rise in zip(heights_um, rises_um, strict=True)
            if height > 0 and np.isfinite(height) and np.isfinite(rise)
        )
        heights, rises = np.array([(0.0, 0.0), *points]).T
        return cls(heights, rises)

    def before_um(self, height_um: Floats) -> Floats:
        """Return the pristine heights of what now lies at some heights."""
        now_um = np.maximum.accumulate(self.pristine_height_um + self.rise_um)
        return np.asarray(height_um - np.interp(height_um, now_um, self.rise_um))


NOTHING_MOVED = Rise(np.zeros(1), np.zeros(1))
