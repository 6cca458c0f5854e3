"""All that is known of one table of the guard's log: its samples in columns, and roughly what lies before them."""

from collections.abc import Sequence
from math import inf

import numpy as np

from operando.monitor.history.growing_array import GrowingArray
from operando.monitor.history.pyramid import Floats, Pyramid
from operando.monitor.history.silence import longest_wait_s
from operando.monitor.history.trace import NOTHING, Envelope, Times, Trace, Unread

MOST_STEPS_BACK = 64  # each costs every picture a search; a clock that is set back more often is out of order


class TableHistory:
    """Times and columns of values that grow at both ends: behind by what is new, before by what is read later.

    No line leads over a time without samples that is longer than the declared period allows. Where the clock was set
    back, times begin anew; from the 65th time on they stand still until it has caught up.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self._times_s = GrowingArray(np.float64)
        self._pyramids = [Pyramid() for _ in self._columns]
        self._steps_back: list[int] = []  # positions whose time is earlier than the one before
        self._silences = GrowingArray(np.int64)  # positions before which samples should have come
        self._outer_periods_s = inf, inf  # of the first and the last sample
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

    def append(self, times_s: Times, values: Floats, periods_s: Times | float = inf) -> None:
        """Add samples behind.

        Parameters
        ----------
        times_s
            In s since 1970, shape (num,).
        values
            Shape (num, columns); NaN where one is missing.
        periods_s
            The period of sampling that was declared for each, shape (num,) or one for all; infinite if it is not known.
            It tells whether samples are missing between two.
        """
        if len(times_s):
            self._put(self._times_s.stop, times_s, values, np.broadcast_to(periods_s, times_s.shape))

    def prepend(self, times_s: Times, values: Floats, periods_s: Times | float = inf) -> None:
        """Add samples before all others, as :meth:`append` does behind."""
        if len(times_s):
            self._put(self._times_s.first - len(times_s), times_s, values, np.broadcast_to(periods_s, times_s.shape))

    def trace(
        self, column: str, preliminary: Envelope = NOTHING, unread: Unread | None = None, version: tuple[int, ...] = ()
    ) -> Trace:
        """Return one column as it is now, with what is known from elsewhere of the time before."""
        first, stop = self._times_s.first, self._times_s.stop
        return Trace(
            times_s=self._times_s.view(),
            section_starts=np.array([0, *(position - first for position in self._steps_back)], np.int64),
            silences=self._silences.view() - first,
            pyramid=self._pyramids[self._columns.index(column)].view(),
            preliminary=preliminary,
            unread=unread,
            version=(first, stop, *version),
        )

    def _put(self, first: int, times_s: Times, values: Floats, periods_s: Times) -> None:
        for pyramid, column in zip(self._pyramids, values.T, strict=True):
            pyramid.put(first, column)
        behind = first == self._times_s.stop
        known_s = self._times_s.view()
        ordered_s = self._in_order(first, times_s, known_s, behind=behind)
        self._find_silences(first, ordered_s, periods_s, known_s, behind=behind)
        self._times_s.put(first, ordered_s)

    def _in_order(self, first: int, times_s: Times, known_s: Times, *, behind: bool) -> Times:
        """Note where the clock was set back within times and to their neighbour, or hold the times there."""
        whole = np.concatenate((known_s[-1:], times_s) if behind else (times_s, known_s[:1]))
        steps = np.flatnonzero(np.diff(whole) < 0) + 1 + first - (len(known_s[-1:]) if behind else 0)
        if len(self._steps_back) + len(steps) <= MOST_STEPS_BACK:
            self._steps_back = sorted((*self._steps_back, *steps.tolist()))
            return times_s
        self.num_held += len(steps)
        if behind:
            return np.maximum.accumulate(whole)[-len(times_s) :]
        return np.minimum.accumulate(whole[::-1])[::-1][: len(times_s)]

    def _find_silences(self, first: int, times_s: Times, periods_s: Times, known_s: Times, *, behind: bool) -> None:
        """Note before which samples others should have come."""
        outer_s = self._outer_periods_s
        if len(known_s) == 0:
            self._outer_periods_s = float(periods_s[0]), float(periods_s[-1])
        elif behind:
            times_s, periods_s, first = np.append(known_s[-1], times_s), np.append(outer_s[1], periods_s), first - 1
            self._outer_periods_s = outer_s[0], float(periods_s[-1])
        else:
            times_s, periods_s = np.append(times_s, known_s[0]), np.append(periods_s, outer_s[0])
            self._outer_periods_s = float(periods_s[0]), outer_s[1]
        late = np.diff(times_s) > longest_wait_s(np.maximum(periods_s[1:], periods_s[:-1]))
        found = np.flatnonzero(late) + 1 + first
        self._silences.put(self._silences.stop if behind else self._silences.first - len(found), found)
