"""What one ended step of the schedule tells, from the guard's log alone."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.cell_measurements import PRESSURE_ACCURACY_MPA
from live_analysis.cycling.differential_capacity import differential_capacity, voltage_step
from live_analysis.cycling.pressure_relaxation import MIN_SAMPLES, fit_relaxation
from live_analysis.cycling.slope_break import SlopeBreak, find_slope_breaks
from live_analysis.cycling.step_trace import StepTrace
from live_analysis.quantity import Quantity
from operando.model.materials import COULOMB_PER_MAH

CHARGE_RESOLUTION_MAH = 1e-5
EDGE_PARTS = 200  # of a step: over one of them pressure changes by less than the sensor can tell
LOWEST_OF_MANY = 2.0  # standard deviations by which the lowest of many means lies too low by chance
NEAR_BREAK = 0.01  # of the capacity on either side
# A straight law of the sensor is assumed between two pressures: 0.1 % of full scale as limits of an even distribution.
PRESSURE_UNCERTAINTY_MPA = PRESSURE_ACCURACY_MPA / np.sqrt(3)


@dataclass(frozen=True)
class HalfCycle:
    """Charge that a step under current passed, in mAh, signed: discharge is negative."""

    charge_mah: float
    uncertainty_mah: float


def half_cycle(trace: StepTrace) -> HalfCycle | None:
    """Return the charge of a step; None if there are no samples.

    The step begins and ends between two samples: at either end up to one of them is missed or counted in excess.
    """
    if len(trace.time_s) < 2:
        return None
    at_begin_as = abs(float(trace.current_a[1])) * float(trace.time_s[1] - trace.time_s[0])
    at_end_as = abs(float(trace.current_a[-2])) * float(trace.time_s[-1] - trace.time_s[-2])
    ends_mah = np.hypot(at_begin_as, at_end_as) / np.sqrt(12) / COULOMB_PER_MAH
    passed_mah = float(trace.charge_mah[-1] - trace.charge_mah[0])
    return HalfCycle(passed_mah, float(np.hypot(ends_mah, CHARGE_RESOLUTION_MAH)))


def rest_quantities(trace: StepTrace, *, initial_mpa: float | None = None) -> Iterator[Quantity]:
    """Return what a rest tells: how far the pressure fell, during it and since the run began at ``initial_mpa``."""
    if len(trace.pressure_time_s) < MIN_SAMPLES:
        return
    yield from _largest_fall(trace, initial_mpa)
    found = fit_relaxation(trace.pressure_time_s, trace.pressure_mpa)
    uncertainty = float(np.hypot(found.fall_uncertainty_mpa, PRESSURE_UNCERTAINTY_MPA))
    yield Quantity(
        "pressure_fall",
        found.fall_mpa,
        "MPa",
        uncertainty,
        (),
        {
            "initial_mpa": found.initial_mpa,
            "part_of_initial": found.fall_mpa / found.initial_mpa if found.initial_mpa else None,
            "law": "p0 - a (1 - exp(-(t / tau)^b))",
            "tau_s": found.time_constant_s,
            "b": found.exponent,
            "scatter_mpa": found.scatter_mpa,
        },
    )


def current_quantities(
    trace: StepTrace,
    *,
    active_mass_mg: float,
    before: HalfCycle | None,
    first: HalfCycle | None,
    initial_mpa: float | None = None,
) -> Iterator[Quantity]:
    """Return what a half cycle tells: capacity, efficiency, change of the pressure and where slopes break.

    Parameters
    ----------
    trace
        Of the step.
    active_mass_mg
        Mass that charge is divided by.
    before, first
        The half cycle before this one and the first of the run: a cycle's second half is compared with its first.
    initial_mpa
        Stack pressure when the run began; None if it is not known.
    """
    own = half_cycle(trace)
    if own is None:
        return
    per_gram = 1e3 / active_mass_mg
    yield Quantity("capacity", abs(own.charge_mah) * per_gram, "mAh/g", own.uncertainty_mah * per_gram)
    if before is not None and first is not None and _turned(before, own) and _turned(first, own):
        efficiency = abs(own.charge_mah / before.charge_mah)
        relative = np.hypot(own.uncertainty_mah / own.charge_mah, before.uncertainty_mah / before.charge_mah)
        yield Quantity("coulombic_efficiency", efficiency, "1", float(efficiency * relative))
    capacity = np.abs(trace.charge_mah - trace.charge_mah[0]) * per_gram
    curve = differential_capacity(capacity, trace.voltage_v, trace.current_a)
    step = None if curve is None else voltage_step(curve)
    at_step = None
    if step is not None:
        details = {"voltage_v": step.voltage_v}
        at_step = Quantity("voltage_step", step.capacity_mah_per_g, "mAh/g", step.half_width_mah_per_g, (), details)
        yield at_step
    yield from _largest_fall(trace, initial_mpa)
    for quantity in _pressure_quantities(trace, per_gram):
        yield quantity
        if quantity.name == "pressure_slope_break" and at_step is not None:
            uncertainty = float(np.hypot(quantity.uncertainty, at_step.uncertainty))
            yield Quantity("slope_break_offset", quantity.value - at_step.value, "mAh/g", uncertainty)


def _turned(one: HalfCycle, other: HalfCycle) -> bool:
    return one.charge_mah * other.charge_mah < 0


def _pressure_quantities(trace: StepTrace, per_gram: float) -> Iterator[Quantity]:
    if len(trace.pressure_time_s) < MIN_SAMPLES:
        return
    capacity = np.abs(trace.pressure_charge_mah - trace.charge_mah[0]) * per_gram
    edge = _edge(trace)
    first_mpa, last_mpa = float(np.mean(trace.pressure_mpa[:edge])), float(np.mean(trace.pressure_mpa[-edge:]))
    edge_mpa = _scatter(trace.pressure_mpa) / np.sqrt(edge)
    change_uncertainty_mpa = float(np.hypot(PRESSURE_UNCERTAINTY_MPA, np.sqrt(2) * edge_mpa))
    yield Quantity("pressure_change", last_mpa - first_mpa, "MPa", change_uncertainty_mpa)
    breaks = find_slope_breaks(capacity, trace.pressure_mpa)
    if not breaks:
        return
    main = max(breaks, key=lambda entry: abs(entry.bend))
    details = {
        "unit_of_slopes": "MPa g/mAh",
        "slope_before": main.slope_before,
        "slope_after": main.slope_after,
        "all_breaks": [_as_table(entry) for entry in breaks],
    }
    yield Quantity("pressure_slope_break", main.place, "mAh/g", main.place_uncertainty, (), details)
    at_break_mpa, at_break_uncertainty_mpa = _at_break(capacity, trace.pressure_mpa, main)
    uncertainty_mpa = float(np.linalg.norm([PRESSURE_UNCERTAINTY_MPA, edge_mpa, at_break_uncertainty_mpa]))
    for name, change_mpa in (
        ("pressure_change_stage1", at_break_mpa - first_mpa),
        ("pressure_change_stage2", last_mpa - at_break_mpa),
    ):
        yield Quantity(name, change_mpa, "MPa", uncertainty_mpa)


def _scatter(pressure_mpa: NDArray[np.float64]) -> float:
    """Return the scatter of a single sample, from how much it differs from the middle of its neighbours."""
    return float(1.4826 * np.median(np.abs(np.diff(pressure_mpa, 2))) / np.sqrt(6))


def _edge(trace: StepTrace) -> int:
    """Return how many samples at either end of a step tell the pressure there."""
    return max(len(trace.pressure_mpa) // EDGE_PARTS, 1)


def _at_break(
    capacity: NDArray[np.float64], pressure_mpa: NDArray[np.float64], found: SlopeBreak
) -> tuple[float, float]:
    """Return the pressure where two lines meet, continued along both from the samples nearest to it, and its chance."""
    told, chances = [], []
    for beside, slope in ((capacity <= found.place, found.slope_before), (capacity >= found.place, found.slope_after)):
        if not beside.any():
            continue
        nearest = np.min(np.abs(capacity[beside] - found.place))
        near = beside & (np.abs(capacity - found.place) <= nearest + NEAR_BREAK * np.ptp(capacity))
        told.append(float(np.mean(pressure_mpa[near] + slope * (found.place - capacity[near]))))
        chances.append(_scatter(pressure_mpa) / np.sqrt(near.sum()) + nearest * found.bend_uncertainty)
    moved_mpa = found.place_uncertainty * (abs(found.slope_before) + abs(found.slope_after)) / 2
    return float(np.mean(told)), float(np.linalg.norm([*chances, np.ptp(told) / 2, moved_mpa]))


def _largest_fall(trace: StepTrace, initial_mpa: float | None) -> Iterator[Quantity]:
    """Return how far below that at the run's beginning the pressure has been in this step, noise averaged out."""
    if initial_mpa is None or len(trace.pressure_mpa) < MIN_SAMPLES:
        return
    parts = np.array_split(trace.pressure_mpa, min(EDGE_PARTS, len(trace.pressure_mpa)))
    lowest_mpa = min(float(np.mean(part)) for part in parts)
    scatter_mpa = _scatter(trace.pressure_mpa)  # of the first sample, and of the mean that is the lowest of many
    chance_mpa = np.hypot(scatter_mpa, LOWEST_OF_MANY * scatter_mpa / np.sqrt(len(parts[-1])))
    uncertainty_mpa = float(np.hypot(PRESSURE_UNCERTAINTY_MPA, chance_mpa))
    yield Quantity("largest_pressure_fall", initial_mpa - lowest_mpa, "MPa", uncertainty_mpa)


def _as_table(entry: SlopeBreak) -> dict[str, float]:
    return {
        "place": entry.place,
        "uncertainty": entry.place_uncertainty,
        "slope_before": entry.slope_before,
        "slope_after": entry.slope_after,
    }
