"""Samples as comma-separated text: one row per time, whatever the country's way of writing numbers."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from operando.monitor.history.charge_unit import ChargeUnit
from operando.monitor.history.half_cycle_curves import DifferentialCurve
from operando.monitor.history.half_cycles import HalfCycle
from operando.monitor.history.trace import Times, Trace
from operando.monitor.history.trace_samples import stretches
from operando.monitor.reading.run_view import DISPLAYS, Quantity

ROWS_AT_ONCE = 10_000
UNITS = {  # as logged
    Quantity.VOLTAGE: "V",
    Quantity.CURRENT: "A",
    Quantity.CHARGE: "mAh",
    Quantity.PRESSURE: "MPa",
    Quantity.FORCE: "N",
    Quantity.TEMPERATURE: "degC",
}
NAMES = [f"{quantity.value} [{unit}]" for quantity, unit in UNITS.items()]

Traces = Mapping[Quantity, Trace]
Rows = tuple[Times, NDArray[np.float32]]


def samples_text(traces: Traces, begin_s: float, end_s: float, start_s: float) -> Iterator[str]:
    """Yield the heading, then all samples from one time to another, both included, some thousand rows at a time.

    Times are in s since ``start_s`` and since 1970; what was not sampled at a time, or is missing, is empty.
    """
    yield _line(["time since start of run [s]", "time [s since 1970]", *NAMES])
    for times_s, values in _rows(traces, begin_s, end_s):
        yield "".join(
            f"{time_s - start_s:.3f},{time_s:.3f},{_numbers(row)}\n"
            for time_s, row in zip(times_s.tolist(), values.tolist(), strict=True)
        )


def half_cycles_text(traces: Traces, half_cycles: Iterable[HalfCycle], unit: ChargeUnit) -> Iterator[str]:
    """Yield the heading, then all samples of half cycles, with charge and time since each began."""
    about = ["cycle", "half cycle", "time since it began [s]", f"charge passed since it began [{unit.text}]"]
    yield _line([*about, "time [s since 1970]", *NAMES])
    column = list(UNITS).index(Quantity.CHARGE)
    for entry in half_cycles:
        begins = f"{entry.cycle},{'charge' if entry.is_charge else 'discharge'}"
        for times_s, values in _rows(traces, entry.begin_s, entry.end_s):
            passed = np.abs(values[:, column].astype(np.float64) - entry.begin_mah) * unit.factor
            yield "".join(
                f"{begins},{time_s - entry.begin_s:.3f},{_numbers([charge])},{time_s:.3f},{_numbers(row)}\n"
                for time_s, charge, row in zip(times_s.tolist(), passed.tolist(), values.tolist(), strict=True)
            )


def differential_text(curves: Iterable[DifferentialCurve], unit: ChargeUnit) -> Iterator[str]:
    """Yield the heading, then dQ/dV of half cycles."""
    yield _line(["cycle", "half cycle", "voltage [V]", f"dQ/dV [{'mAh/(g V)' if unit.is_specific else 'mAh/V'}]"])
    for curve in curves:
        begins = f"{curve.half_cycle.cycle},{'charge' if curve.half_cycle.is_charge else 'discharge'}"
        slopes = curve.slopes_mah_v * unit.factor
        yield "".join(
            f"{begins},{_numbers(pair)}\n" for pair in zip(curve.voltages_v.tolist(), slopes.tolist(), strict=True)
        )


def _rows(traces: Traces, begin_s: float, end_s: float) -> Iterator[Rows]:
    """Yield times, shape (num,), and values of all quantities, shape (num, 5), in order of time."""
    for window in pairwise(_edges_s(traces, begin_s, float(np.nextafter(end_s, np.inf)))):
        times_s, places, columns, values = [], [], [], []
        for column, quantity in enumerate(UNITS):
            trace = traces[quantity]
            parts = list(stretches(trace, *window))
            if not parts:
                continue
            own_s = np.concatenate([trace.times_s[part] for part in parts])
            own = np.concatenate([trace.values[part] for part in parts])
            order = np.argsort(own_s, kind="stable")
            own_s = own_s[order]
            # Where the clock was set back a time may come twice: then it has two rows.
            is_new = np.append(True, own_s[1:] != own_s[:-1])
            begins = np.flatnonzero(is_new)
            times_s.append(own_s)
            places.append(np.arange(len(own_s)) - begins[np.cumsum(is_new) - 1])
            columns.append(np.full(len(own_s), column))
            values.append(own[order])
        if times_s:
            yield _merged(*(np.concatenate(parts) for parts in (times_s, places, columns, values)))


def _merged(times_s: Times, places: NDArray[np.int64], columns: NDArray[np.int64], values: NDArray[np.float32]) -> Rows:
    keys = np.empty(len(times_s), [("time_s", np.float64), ("place", np.int64)])
    keys["time_s"], keys["place"] = times_s, places
    found, rows = np.unique(keys, return_inverse=True)
    table = np.full((len(found), len(UNITS)), np.nan, np.float32)
    table[rows, columns] = values
    return found["time_s"], table


def _edges_s(traces: Traces, begin_s: float, end_s: float) -> list[float]:
    """Return times between which each section of each table has at most a few thousand samples."""
    inner: set[float] = set()
    for quantity in {DISPLAYS[quantity].table: quantity for quantity in UNITS}.values():
        trace = traces[quantity]
        for part in stretches(trace, begin_s, end_s):
            inner.update(trace.times_s[part][::ROWS_AT_ONCE].tolist())
    return sorted({begin_s, end_s, *inner})


def _numbers(values: Iterable[float]) -> str:
    return ",".join("" if value != value else f"{value:.7g}" for value in values)  # NaN is not itself


def _line(cells: Iterable[str]) -> str:
    return ",".join(cells) + "\n"
