"""The samples behind what is seen, as comma-separated text."""

from collections.abc import Iterator, Sequence

from operando.monitor.history.half_cycles import HalfCycle
from operando.monitor.history.history_reading import HistoryRead
from operando.monitor.history.samples_csv import differential_text, half_cycles_text, samples_text
from operando.monitor.history.view_choice import ViewChoice
from operando.monitor.reading.run_view import RunView


def seen_text(
    view: RunView,
    read: HistoryRead,
    choice: ViewChoice,
    range_s: tuple[float, float],
    half_cycles: Sequence[HalfCycle],
) -> Iterator[str]:
    """Return the text in parts: samples in a range of time, of half cycles, or their dQ/dV; it stays as it is now.

    Raises
    ------
    ValueError
        While older samples of it are still to be read.
    """
    if choice is ViewChoice.DIFFERENTIAL:
        return differential_text(read.differential, read.unit)
    begin_s, end_s = range_s
    if choice is ViewChoice.OVERLAID:
        begin_s = min((entry.begin_s for entry in half_cycles), default=end_s)
    if any(trace.unread is not None and trace.unread.end_s > begin_s for trace in view.traces.values()):
        raise ValueError("older samples of it are still being read; save it again in a moment")
    if choice is ViewChoice.OVERLAID:
        return half_cycles_text(view.traces, half_cycles, read.unit)
    return samples_text(view.traces, begin_s, end_s, view.start_s)
