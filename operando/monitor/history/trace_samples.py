"""Single samples of a trace: the one beside a moment, and all between two moments."""

from collections.abc import Iterator

import numpy as np

from operando.monitor.history.trace import Trace

Range = tuple[float, float]


def values_near(trace: Trace, time_s: float) -> Range | None:
    """Return the value of the sample nearest to a moment, twice; before all samples that were read, the known extremes.

    None beyond the first and the last of what is known, within a silence, and where the value is missing.
    """
    for part in reversed(trace.sections):
        times_s = trace.times_s[part]
        if not times_s[0] <= time_s <= times_s[-1]:
            continue
        after = int(np.searchsorted(times_s, time_s, "left"))
        before = max(after - (times_s[after] != time_s), 0)
        if after != before and part.start + after in trace.silences:
            return None
        nearest = before if time_s - times_s[before] <= times_s[after] - time_s else after
        value = float(trace.values[part.start + nearest])
        return (value, value) if np.isfinite(value) else None
    known, unread = trace.preliminary, trace.unread
    if unread is None or len(known.times_s) == 0 or not known.times_s[0] <= time_s <= unread.end_s:
        return None
    bin_ = int(np.searchsorted(known.times_s, time_s, "right")) - 1
    low, high = float(known.lows[bin_]), float(known.highs[bin_])
    return (low, high) if np.isfinite(low) and np.isfinite(high) else None


def stretches(trace: Trace, begin_s: float, end_s: float) -> Iterator[slice]:
    """Yield the positions of samples from one moment up to but not with another, a slice for each section."""
    for part in trace.sections:
        first, stop = np.searchsorted(trace.times_s[part], (begin_s, end_s), "left")
        if first < stop:
            yield slice(part.start + int(first), part.start + int(stop))
