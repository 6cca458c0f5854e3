"""What is missing in the page of the history, and why, in sentences."""

from collections.abc import Sequence
from math import isfinite

from operando.monitor.history.half_cycles import HalfCycle
from operando.monitor.history.history_reading import HistoryRead
from operando.monitor.history.trace_plots import TracePlots
from operando.monitor.history.view_choice import AxisChoice, ViewChoice
from operando.monitor.reading.run_view import Quantity, RunView


def missing_text(
    view: RunView,
    read: HistoryRead,
    choice: ViewChoice,
    axis: AxisChoice | None,
    shown: Sequence[HalfCycle],
    traces: TracePlots,
) -> str:
    """Return sentences about what cannot be shown of what was chosen; empty if nothing is missing."""
    if not isfinite(view.start_s) or all(trace.time_range_s is None for trace in view.traces.values()):
        return "Nothing to draw yet: the guard's log holds no sample."
    told = list(read.problems)
    shows_charge = Quantity.CHARGE in traces.quantities or axis is AxisChoice.CHARGE
    if read.unit.problem and (shows_charge or choice is ViewChoice.DIFFERENTIAL):
        told.append(read.unit.problem)
    if not read.half_cycles and (choice is not ViewChoice.TRACES or axis is AxisChoice.CHARGE):
        told.append("No half cycle yet: no charge has passed")
    elif choice is ViewChoice.TRACES and axis is AxisChoice.CHARGE and traces.is_standing:
        told.append("No charge passes in this stretch of time, so that it has no length against capacity")
    elif choice is not ViewChoice.TRACES:
        cycles, all_cycles = {entry.cycle for entry in shown}, {entry.cycle for entry in read.half_cycles}
        if not shown:
            told.append("No half cycle in the stretch that was chosen")
        elif 1 < len(cycles) < len(all_cycles):
            numbers = ", ".join(str(cycle) for cycle in sorted(cycles))
            told.append(f"{len(cycles)} of {len(all_cycles)} cycles are shown: {numbers}")
        if view.traces[Quantity.CHARGE].unread is not None:
            told.append("Older half cycles are still being read")
    if read.num_unplaced:
        told.append(f"{read.num_unplaced} slope breaks were measured whose place in the log is not known")
    return " · ".join(told)
