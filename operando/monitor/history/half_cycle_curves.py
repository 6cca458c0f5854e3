"""What of a half cycle is drawn: a quantity against the charge or the time since it began, as an envelope."""

from dataclasses import dataclass

import numpy as np

from operando.monitor.history.differential_capacity import Values, differential_capacity
from operando.monitor.history.half_cycles import HalfCycle
from operando.monitor.history.trace import Trace
from operando.monitor.history.trace_samples import stretches


@dataclass(frozen=True, eq=False)
class HalfCycleCurve:
    """A line through ``values`` in the logged unit, shape (num,); NaN breaks it.

    ``passed_mah`` and ``elapsed_s`` count from the beginning of the half cycle, both positive.
    """

    half_cycle: HalfCycle
    passed_mah: Values
    elapsed_s: Values
    values: Values


def half_cycle_curve(half_cycle: HalfCycle, trace: Trace, charge: Trace, num_bins: int) -> HalfCycleCurve:
    """Return the least and the largest value of each of at most ``num_bins`` groups of samples in a row."""
    end_s = float(np.nextafter(half_cycle.end_s, np.inf))
    parts = list(stretches(trace, half_cycle.begin_s, end_s))
    size = max(-(-sum(part.stop - part.start for part in parts) // num_bins), 1)
    starts = np.concatenate([np.empty(0, np.int64), *(np.arange(part.start, part.stop, size) for part in parts)])
    stops = np.concatenate(
        [np.empty(0, np.int64), *(np.append(np.arange(part.start, part.stop, size)[1:], part.stop) for part in parts)]
    )
    lows, highs = trace.pyramid.extremes(starts, stops)
    times_s = trace.times_s[(starts + stops - 1) // 2]
    passed_mah = np.abs(_charge_at(half_cycle, charge, times_s) - half_cycle.begin_mah)
    passed_mah, elapsed_s = np.repeat(passed_mah, 2), np.repeat(times_s - half_cycle.begin_s, 2)
    return HalfCycleCurve(half_cycle, passed_mah, elapsed_s, np.column_stack((lows, highs)).ravel().astype(np.float64))


def _charge_at(half_cycle: HalfCycle, charge: Trace, times_s: Values) -> Values:
    """Interpolate the charge of a half cycle."""
    inside = slice(half_cycle.start, half_cycle.stop)
    known_s, known = charge.times_s[inside], charge.values[inside]
    after = np.clip(np.searchsorted(known_s, times_s), 1, max(len(known) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(known) - 1)
    span_s = known_s[after] - known_s[before]
    share = np.clip((times_s - known_s[before]) / np.where(span_s > 0, span_s, 1.0), 0.0, 1.0)
    return known[before].astype(np.float64) * (1 - share) + known[after] * share


@dataclass(frozen=True, eq=False)
class DifferentialCurve:
    """dQ/dV of a half cycle, shape (num,) each."""

    half_cycle: HalfCycle
    voltages_v: Values
    slopes_mah_v: Values


def differential_curve(half_cycle: HalfCycle, voltage: Trace, charge: Trace, current: Trace) -> DifferentialCurve:
    """Return dQ/dV of a half cycle; the three traces are of one table, so that they share positions."""
    inside = slice(half_cycle.start, half_cycle.stop)
    told = (trace.values[inside].astype(np.float64) for trace in (voltage, charge, current))
    return DifferentialCurve(half_cycle, *differential_capacity(*told))
