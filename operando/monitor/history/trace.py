"""One quantity of a run against time at one moment, and what of it a picture of given width can show."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operando.monitor.history.pyramid import Floats, Positions, PyramidView

Times = NDArray[np.float64]
SAMPLES_PER_BIN = 2  # as many as the two ends of a bin's line; fewer samples are shown themselves


@dataclass(frozen=True)
class Envelope:
    """What is to be drawn, in order of the run: from the lowest to the highest value at each time.

    ``times_s``, ``lows`` and ``highs`` have shape (num,); NaN in the latter breaks the line. ``lows`` is ``highs``
    where single samples are shown.
    """

    times_s: Times
    lows: Floats
    highs: Floats

    def line(self, dot_s: float = 0.0) -> tuple[Times, Floats]:
        """Return the times and values through which a line is to be drawn; a value alone is ``dot_s`` long.

        A line without length would not be seen.
        """
        present = np.concatenate(([False], np.isfinite(self.lows), [False]))
        alone = present[1:-1] & ~present[:-2] & ~present[2:]
        if self.lows is self.highs:
            places = np.flatnonzero(alone)
            times_s = np.insert(self.times_s, places + 1, self.times_s[places] + dot_s)
            return times_s, np.insert(self.lows, places + 1, self.lows[places])
        times_s = np.repeat(self.times_s, 2)
        times_s[1::2] += np.where(alone, dot_s, 0.0)
        return times_s, np.column_stack((self.lows, self.highs)).ravel()


NOTHING = Envelope(np.empty(0), *[np.empty(0, np.float32)] * 2)


@dataclass(frozen=True)
class Unread:
    """The older part of a trace, of which not all single samples are known yet.

    ``num_rows`` are still to be read between two times in s since 1970. ``is_sparse``: only some stretches were looked
    at, so that a spike between them may be missing; else the envelope of all rows is known, several hundred at a time.
    """

    begin_s: float
    end_s: float
    num_rows: int
    is_sparse: bool


@dataclass(frozen=True)
class Visible:
    """The parts of a trace between two times: where all samples were read, and before, where only some are known."""

    samples: Envelope
    preliminary: Envelope


@dataclass(frozen=True)
class Trace:
    """Samples of one quantity; it does not change while its run goes on.

    Parameters
    ----------
    times_s
        When the samples were read, in s since 1970, shape (num,), in order of the log; the run's clock may have been
        set back between them.
    section_starts
        Where times begin anew, shape (1 + number of steps back,); the first is 0.
    silences
        Before which samples others should have come, in order, shape (number of silences,).
    pyramid
        Their values in the logged unit; NaN where one is missing.
    preliminary
        What is known of the time before them, in order of time.
    unread
        What is still to be read; None if nothing is.
    version
        Differs from that of every earlier trace of the same quantity that would be drawn otherwise.
    """

    times_s: Times
    section_starts: Positions
    silences: Positions
    pyramid: PyramidView
    preliminary: Envelope = NOTHING
    unread: Unread | None = None
    version: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def values(self) -> Floats:
        """The samples' values, shape (num,)."""
        return self.pyramid.values

    @property
    def time_range_s(self) -> tuple[float, float] | None:
        """The earliest and the latest time of anything known; None if nothing is."""
        ends_s = [self.times_s[part][[0, -1]] for part in self.sections]
        ends_s += [self.preliminary.times_s[[0, -1]]] if len(self.preliminary.times_s) else []
        return (float(np.min(ends_s)), float(np.max(ends_s))) if ends_s else None

    def value_range(self, begin_s: float, end_s: float) -> tuple[float, float] | None:
        """Return the least and the largest value known between two times; None if there is none."""
        stretches = [_between(self.times_s, part, begin_s, end_s) for part in self.sections]
        bounds = np.array(stretches, np.int64).reshape(-1, 2)
        lows, highs = self.pyramid.extremes(bounds[:, 0], bounds[:, 1])
        known = _between(self.preliminary.times_s, slice(0, len(self.preliminary.times_s)), begin_s, end_s)
        lows = np.append(lows, self.preliminary.lows[slice(*known)])
        highs = np.append(highs, self.preliminary.highs[slice(*known)])
        found = np.isfinite(lows)
        return (float(lows[found].min()), float(highs[found].max())) if found.any() else None

    def visible(self, begin_s: float, end_s: float, num_bins: int) -> Visible:
        """Return what is to be drawn between two times.

        Parameters
        ----------
        begin_s, end_s
            In s since 1970. The nearest sample outside on either side is included, since lines lead there.
        num_bins
            Number of equal stretches of time that can be told from each other, at least 1: pixels, usually.
        """
        if not (np.isfinite(begin_s) and np.isfinite(end_s) and begin_s < end_s):
            return Visible(NOTHING, NOTHING)
        return self.visible_between(np.linspace(begin_s, end_s, num_bins + 1))

    def visible_between(self, edges_s: Times) -> Visible:
        """Return what is to be drawn in stretches of time between edges in order, shape (1 + number of stretches,)."""
        parts = [self._section(part, edges_s) for part in self.sections]
        return Visible(_joined([part for part in parts if len(part.times_s)]), self._preliminary(edges_s))

    @property
    def sections(self) -> list[slice]:
        """Positions of samples whose times are in order; the clock was set back between them."""
        stops = np.append(self.section_starts[1:], len(self.times_s))
        return [slice(int(a), int(b)) for a, b in zip(self.section_starts, stops, strict=True) if a < b]

    def _section(self, part: slice, edges_s: Times) -> Envelope:
        starts, stops = _bins(self.times_s, part, edges_s)
        if len(starts) == 0:
            return NOTHING
        if stops[-1] - starts[0] <= SAMPLES_PER_BIN * (len(edges_s) - 1):
            inside = slice(*np.searchsorted(self.silences, (starts[0], stops[-1] - 1), "right"))
            gaps = self.silences[inside] - starts[0]
            times_s, values = self.times_s[starts[0] : stops[-1]], self.values[starts[0] : stops[-1]]
            values = np.insert(values, gaps, np.float32(np.nan))
            return Envelope(np.insert(times_s, gaps, times_s[gaps]), values, values)
        lows, highs = self.pyramid.extremes(starts, stops)
        middles_s = (self.times_s[starts] + self.times_s[stops - 1]) / 2
        # Within a bin what is missing is too short to be seen, between two it must not be bridged.
        missing = np.isnan(self.values[stops[:-1] - 1]) | np.isnan(self.values[starts[1:]])
        gaps = np.flatnonzero(missing | np.isin(starts[1:], self.silences)) + 1
        return Envelope(
            np.insert(middles_s, gaps, middles_s[gaps]),
            np.insert(lows, gaps, np.float32(np.nan)),
            np.insert(highs, gaps, np.float32(np.nan)),
        )

    def _preliminary(self, edges_s: Times) -> Envelope:
        known = self.preliminary
        starts, stops = _bins(known.times_s, slice(0, len(known.times_s)), edges_s)
        if len(starts) == 0:
            return NOTHING
        return Envelope(
            known.times_s[starts],
            np.fmin.reduceat(known.lows[: stops[-1]], starts),
            np.fmax.reduceat(known.highs[: stops[-1]], starts),
        )


def _between(times_s: Times, part: slice, begin_s: float, end_s: float) -> tuple[int, int]:
    ordered = times_s[part]
    return (
        part.start + int(np.searchsorted(ordered, begin_s, "left")),
        part.start + int(np.searchsorted(ordered, end_s, "right")),
    )


def _bins(times_s: Times, part: slice, edges_s: Times) -> tuple[Positions, Positions]:
    """Return which samples of a part in order lie in each bin that holds any, with one sample more on either side."""
    ordered = times_s[part]
    if len(ordered) == 0 or ordered[-1] < edges_s[0] or ordered[0] > edges_s[-1]:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    bounds = np.searchsorted(ordered, edges_s, "left")
    bounds[-1] = np.searchsorted(ordered, edges_s[-1], "right")
    around = max(int(bounds[0]) - 1, 0), min(int(bounds[-1]) + 1, len(ordered))
    bounds = part.start + np.unique(np.concatenate((bounds, around)))
    return bounds[:-1], bounds[1:]


def _joined(parts: list[Envelope]) -> Envelope:
    """Put parts behind each other with a gap between them."""
    if len(parts) < 2:
        return parts[0] if parts else NOTHING
    gap = np.full(1, np.nan, np.float32)
    times_s = np.concatenate([piece for part in parts for piece in (part.times_s, part.times_s[-1:])])[:-1]
    lows = np.concatenate([piece for part in parts for piece in (part.lows, gap)])[:-1]
    highs = np.concatenate([piece for part in parts for piece in (part.highs, gap)])[:-1]
    return Envelope(times_s, lows, lows if all(part.lows is part.highs for part in parts) else highs)
