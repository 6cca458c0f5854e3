"""All that is known of one table of the guard's log: its samples in columns, and roughly what lies before them."""

from collections.abc import Sequence

import numpy as np

from operando.monitor.history.growing_array import GrowingArray
from operando.monitor.history.pyramid import Floats, Pyramid
from operando.monitor.history.trace import NOTHING, Envelope, Times, Trace, Unread

MOST_STEPS_BACK = 64  # each costs every picture a search; a clock that is set back more often is out of order


class TableHistory:
    """Times and columns of values that grow at both ends: behind by what is new, before by what is read later.

    Where the clock was set back, times begin anew. From the 65th time on they stand still until it has caught up.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self._times_s = GrowingArray(np.float64)
        self._pyramids = [Pyramid() for _ in self._columns]
        self._steps_back: list[int] = []  # positions whose time is earlier than the one before
        self.num_held = 0  # times that stand still

    def __len__(self) -> int:
        return self._times_s.stop - self._times_s.first

    @property
    def begin_s(self) -> float:
        """Time of the first sample; NaN if there is none."""
        return float(self._times_s.view()[0]) if len(self) else np.nan

    @property
    def end_s(self) -> float:
        """Time of the last sample; NaN if there is none."""
        return float(self._times_s.view()[-1]) if len(self) else np.nan

    @property
    def num_bytes(self) -> int:
        """Memory that holds samples: room for those to come is not counted."""
        return self._times_s.view().nbytes + sum(pyramid.num_bytes for pyramid in self._pyramids)

    def append(self, times_s: Times, values: Floats) -> None:
        """Add samples behind: times in s since 1970, shape (num,), and values, shape (num, columns)."""
        if len(times_s):
            self._put(self._times_s.stop, times_s, values)

    def prepend(self, times_s: Times, values: Floats) -> None:
        """Add samples before all others; shapes as in :meth:`append`."""
        if len(times_s):
            self._put(self._times_s.first - len(times_s), times_s, values)

    def trace(
        self, column: str, preliminary: Envelope = NOTHING, unread: Unread | None = None, version: tuple[int, ...] = ()
    ) -> Trace:
        """Return one column as it is now, with what is known from elsewhere of the time before."""
        first, stop = self._times_s.first, self._times_s.stop
        return Trace(
            times_s=self._times_s.view(),
            section_starts=np.array([0, *(position - first for position in self._steps_back)], np.int64),
            pyramid=self._pyramids[self._columns.index(column)].view(),
            preliminary=preliminary,
            unread=unread,
            version=(first, stop, *version),
        )

    def _put(self, first: int, times_s: Times, values: Floats) -> None:
        for pyramid, column in zip(self._pyramids, values.T, strict=True):
            pyramid.put(first, column)
        behind = first == self._times_s.stop
        self._times_s.put(first, self._in_order(first, times_s, behind=behind))

    def _in_order(self, first: int, times_s: Times, *, behind: bool) -> Times:
        """Note where the clock was set back within times and to their neighbour, or hold the times there."""
        known = self._times_s.view()
        whole = np.concatenate((known[-1:], times_s) if behind else (times_s, known[:1]))
        whole_first = first - (len(whole) - len(times_s) if behind else 0)
        steps = np.flatnonzero(np.diff(whole) < 0) + 1 + whole_first
        if len(self._steps_back) + len(steps) <= MOST_STEPS_BACK:
            self._steps_back = sorted((*self._steps_back, *steps.tolist()))
            return times_s
        self.num_held += len(steps)
        if behind:
            return np.maximum.accumulate(whole)[-len(times_s) :]
        return np.minimum.accumulate(whole[::-1])[::-1][: len(times_s)]
