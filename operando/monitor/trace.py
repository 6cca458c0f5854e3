"""A growing pair of columns, time and value, of which snapshots stay valid while it grows."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FIRST_CAPACITY = 4096


class Trace:
    """Values against time in s since the Unix epoch; what is missing is NaN.

    Appending never touches what a snapshot shows, so one thread may read while another draws.
    """

    def __init__(self) -> None:
        self._columns = np.empty((2, FIRST_CAPACITY))
        self._length = 0

    def extend(self, times_s: Sequence[float], values: Sequence[float]) -> None:
        """Append samples."""
        needed = self._length + len(times_s)
        if needed > self._columns.shape[1]:
            grown = np.empty((2, max(needed, 2 * self._columns.shape[1])))
            grown[:, : self._length] = self._columns[:, : self._length]
            self._columns = grown
        self._columns[:, self._length : needed] = times_s, values
        self._length = needed

    def snapshot(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return times and values so far, each of shape (samples,), without copying."""
        return self._columns[0, : self._length], self._columns[1, : self._length]
