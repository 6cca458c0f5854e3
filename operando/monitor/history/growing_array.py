"""Numbers at consecutive positions that grow at both ends, while others read what was there before."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

FIRST_CAPACITY = 1024


class GrowingArray:
    """Holds numbers at the positions ``first`` to ``stop`` - 1; those before the first one put have negative positions.

    What was put is never changed or moved under a view that was taken, so one thread may put while another reads.
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self._buffer: NDArray[Any] = np.empty(FIRST_CAPACITY, dtype)
        self._origin = 0  # position of the buffer's first place
        self.first = self.stop = 0

    def put(self, first: int, values: NDArray[Any]) -> None:
        """Place values at ``first`` and behind it; they must touch what is there at either end, if anything is.

        Raises
        ------
        ValueError
            If there would be a hole or something twice.
        """
        stop = first + len(values)
        if self.first == self.stop:
            self.first = self.stop = self._origin = first
        if first != self.stop and stop != self.first:
            raise ValueError(
                f"Positions {first} to {stop} touch neither end of {self.first} to {self.stop}; put what is between."
            )
        begin, end = min(first, self.first), max(stop, self.stop)
        if begin < self._origin or end > self._origin + len(self._buffer):
            self._grow(begin, end)
        self._buffer[first - self._origin : stop - self._origin] = values
        self.first, self.stop = begin, end

    def view(self) -> NDArray[Any]:
        """Return all numbers, shape (stop - first,), without copying."""
        return self._buffer[self.first - self._origin : self.stop - self._origin]

    def _grow(self, begin: int, end: int) -> None:
        """Make room for ``begin`` to ``end``, and as much again at the end that grows.

        The system gives memory to places that are written only, so that room costs nothing.
        """
        spare = end - begin
        origin = begin - spare if begin < self._origin else self._origin
        length = max(end + spare if end > self._origin + len(self._buffer) else 0, self._origin + len(self._buffer))
        grown = np.empty(length - origin, self._buffer.dtype)
        grown[self.first - origin : self.stop - origin] = self.view()
        self._buffer, self._origin = grown, origin
