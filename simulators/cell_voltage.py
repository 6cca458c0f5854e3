"""Voltage of the simulated cell under one control: equilibrium with hysteresis, resistance, relaxation.

A segment is what happens between two commands of the potentiostat. Everything in it is a function of the time since
its start, so that readings do not depend on when or how often somebody looks.
"""

import math
import threading
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from simulators.cell_cycling import Cycling, Electrode, HalfCycle
from simulators.cell_parameters import CellParameters

SECONDS_PER_HOUR = 3600.0
_LEAST_RISE_V = 0.05  # of a charge that begins near its cut-off
HOLD_STEP_S = 1.0  # integration step at constant voltage; the fastest time constant of the shipped cell is 150 s
_ROSENBROCK = 1 - 1 / math.sqrt(2)  # makes the method of second order L-stable
_NEARBY_MAH_PER_G = 1e-4  # to take the slope of the equilibrium voltage


class Control(Enum):
    """What the potentiostat imposes."""

    OPEN_CIRCUIT = "open_circuit"
    CURRENT = "current"
    VOLTAGE = "voltage"


@dataclass(frozen=True)
class Reading:
    """Voltage and current at the cell's terminals; discharge current is negative."""

    voltage_v: float
    current_a: float
    electrode: Electrode


class VoltageModel:
    """Equilibrium curves and resistances of a cell."""

    def __init__(self, parameters: CellParameters) -> None:
        model = parameters.electrochemistry
        self.mass_g = parameters.particles.active_mass.value * 1e-3
        self.series_ohm = model.series_resistance.value
        self.relaxation_ohm = model.relaxation_resistance.value
        self.relaxation_s = model.relaxation_time.value
        reference_a = model.reference_specific_current.value * 1e-3 * self.mass_g
        # The curves were measured at the reference current: take its polarisation out to get the equilibrium.
        polarisation_v = reference_a * (self.series_ohm + self.relaxation_ohm)
        self._discharge = (
            np.array(model.discharge.specific_charge.value),
            np.array(model.discharge.voltage.value) + polarisation_v,
        )
        self._later_discharge = (
            np.array(model.later_discharge.taken_fraction.value),
            np.array(model.later_discharge.voltage.value) + polarisation_v,
        )
        self._charge = (
            np.array(model.charge.returned_fraction.value),
            np.array(model.charge.voltage.value) - polarisation_v,
        )
        self._full_v = model.charge.cut_off_voltage.value - polarisation_v
        self._cycling = Cycling(parameters)

    def pristine(self) -> Electrode:
        """Return the electrode as it was pressed."""
        return Electrode(0.0, 0.0, HalfCycle(False, 0.0, float(self._discharge[1][0]), 0.0, num_cycles=1.0))

    def turned(self, electrode: Electrode) -> Electrode:
        """Return the electrode at the moment when its current changes sign; nothing of it jumps."""
        depth, before = electrode.depth_mah_per_g, electrode.half_cycle
        turn_v = float(self.equilibrium_v(depth, before))
        now = HalfCycle(
            not before.charging, depth, turn_v, electrode.deepest_mah_per_g, self._cycling.num_cycles(electrode)
        )
        return Electrode(depth, electrode.relaxing_v, now)

    def equilibrium_v(self, depth_mah_per_g: NDArray[np.float64] | float, half_cycle: HalfCycle) -> NDArray[np.float64]:
        """Return the equilibrium voltage at a depth of discharge within a half cycle."""
        depth = np.asarray(depth_mah_per_g, float)
        if half_cycle.charging:
            return self._charging_v(depth, half_cycle)
        pristine_v = _extrapolated(depth, *self._discharge)
        if half_cycle.deepest_mah_per_g <= half_cycle.turn_mah_per_g:
            return pristine_v
        return np.where(depth < half_cycle.deepest_mah_per_g, self._taking_again_v(depth, half_cycle), pristine_v)

    def _charging_v(self, depth: NDArray[np.float64], half_cycle: HalfCycle) -> NDArray[np.float64]:
        """From the voltage of the turn, or where the curve begins if that is higher, up to the cut-off."""
        fractions, volts = self._charge
        returned = (half_cycle.turn_mah_per_g - depth) / self._cycling.returnable_mah_per_g(half_cycle)
        curve_v = _extrapolated(returned * self._cycling.full_fraction, fractions, volts)
        lift_v = max(half_cycle.turn_v - volts[0], 0.0)
        steepness = max(self._full_v - volts[0] - lift_v, _LEAST_RISE_V) / (self._full_v - volts[0])
        return np.asarray(volts[0] + lift_v + (curve_v - volts[0]) * steepness)

    def _taking_again_v(self, depth: NDArray[np.float64], half_cycle: HalfCycle) -> NDArray[np.float64]:
        """From where the curve begins, or the voltage of the turn if that is lower, to where discharge was deepest."""
        fractions, volts = self._later_discharge
        available = half_cycle.deepest_mah_per_g - half_cycle.turn_mah_per_g
        taken = (depth - half_cycle.turn_mah_per_g) / available
        end_v = float(_extrapolated(np.asarray(half_cycle.deepest_mah_per_g), *self._discharge))
        first_v = max(min(float(volts[0]), half_cycle.turn_v), end_v)
        shape = (np.interp(taken, fractions, volts) - volts[-1]) / (volts[0] - volts[-1])
        return np.asarray(end_v + (first_v - end_v) * shape)

    def depth_rate(self, current_a: float) -> float:
        """Return the change of depth in mAh/g per second at a current."""
        return -current_a * 1e3 / SECONDS_PER_HOUR / self.mass_g


def _extrapolated(x: NDArray[np.float64], xs: NDArray[np.float64], ys: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.interp(x, xs, ys)
    below = ys[0] + (x - xs[0]) * (ys[1] - ys[0]) / (xs[1] - xs[0])
    above = ys[-1] + (x - xs[-1]) * (ys[-1] - ys[-2]) / (xs[-1] - xs[-2])
    return np.where(x < xs[0], below, np.where(x > xs[-1], above, inside))


@dataclass
class Segment:
    """The cell under one control from ``start_s`` on."""

    model: VoltageModel
    start_s: float
    control: Control
    value: float
    first: Electrode
    _hold: list[tuple[float, float, float]] = field(default_factory=list)  # depth, relaxing voltage, current
    _extending: threading.Lock = field(default_factory=threading.Lock)  # instruments and rendering ask from two threads

    def reading(self, time_s: float) -> Reading:
        """Return voltage, current and electrode at a time not before the start."""
        elapsed_s = max(time_s - self.start_s, 0.0)
        if self.control is Control.VOLTAGE:
            depth, relaxing_v, current_a = self._held(elapsed_s)
            voltage_v = self.value
        else:
            current_a = self.value if self.control is Control.CURRENT else 0.0
            depth = self.first.depth_mah_per_g + self.model.depth_rate(current_a) * elapsed_s
            relaxing_v = float(self._relaxing_v(np.asarray(elapsed_s), current_a))
            voltage_v = float(self._voltage_v(np.asarray(elapsed_s), current_a))
        return Reading(voltage_v, current_a, Electrode(depth, relaxing_v, self.first.half_cycle))

    def first_crossing(self, voltage_v: float, *, rising: bool, before_s: float) -> float | None:
        """Return when the voltage first reaches a level from the other side, None if not before ``before_s``."""
        if self.control is Control.VOLTAGE or before_s <= self.start_s:
            return None
        current_a = self.value if self.control is Control.CURRENT else 0.0
        sign = 1.0 if rising else -1.0

        def beyond(elapsed_s: NDArray[np.float64]) -> NDArray[np.float64]:
            return sign * (self._voltage_v(elapsed_s, current_a) - voltage_v)

        grid = np.append(np.arange(0.0, before_s - self.start_s, 5.0), before_s - self.start_s)
        reached = np.flatnonzero(beyond(grid) >= 0)
        if not reached.size:
            return None
        if reached[0] == 0:
            return self.start_s
        low, high = grid[reached[0] - 1], grid[reached[0]]
        while high - low > 1e-4:
            middle = (low + high) / 2
            low, high = (low, middle) if beyond(np.asarray(middle)) >= 0 else (middle, high)
        return self.start_s + float(high)

    def _voltage_v(self, elapsed_s: NDArray[np.float64], current_a: float) -> NDArray[np.float64]:
        depth = self.first.depth_mah_per_g + self.model.depth_rate(current_a) * elapsed_s
        equilibrium_v = self.model.equilibrium_v(depth, self.first.half_cycle)
        return equilibrium_v + current_a * self.model.series_ohm + self._relaxing_v(elapsed_s, current_a)

    def _relaxing_v(self, elapsed_s: NDArray[np.float64], current_a: float) -> NDArray[np.float64]:
        final_v = current_a * self.model.relaxation_ohm
        return np.asarray(final_v + (self.first.relaxing_v - final_v) * np.exp(-elapsed_s / self.model.relaxation_s))

    def _held(self, elapsed_s: float) -> tuple[float, float, float]:
        index = int(elapsed_s / HOLD_STEP_S)
        with self._extending:
            if not self._hold:
                self._hold.append(self._with_current(self.first.depth_mah_per_g, self.first.relaxing_v))
            while len(self._hold) < index + 2:
                depth, relaxing_v, _ = self._hold[-1]
                self._hold.append(self._with_current(*self._step(depth, relaxing_v)))
        part = elapsed_s / HOLD_STEP_S - index
        before, after = self._hold[index], self._hold[index + 1]
        depth, relaxing_v, current_a = ((1 - part) * b + part * a for b, a in zip(before, after, strict=True))
        return depth, relaxing_v, current_a

    def _step(self, depth: float, relaxing_v: float) -> tuple[float, float]:
        """One step at constant voltage by the Rosenbrock method of second order, stable however stiff the cell is.

        References
        ----------
        Verwer, Spee, Blom and Hundsdorfer, SIAM J. Sci. Comput. 20 (1999) 1456.
        """
        state = np.array([depth, relaxing_v])
        inverse = np.linalg.inv(np.eye(2) - _ROSENBROCK * HOLD_STEP_S * self._jacobian(depth))
        first = inverse @ self._slope(state)
        second = inverse @ (self._slope(state + HOLD_STEP_S * first) - 2 * first)
        depth, relaxing_v = (state + HOLD_STEP_S * (1.5 * first + 0.5 * second)).tolist()
        return depth, relaxing_v

    def _slope(self, state: NDArray[np.float64]) -> NDArray[np.float64]:
        _, relaxing_v, current_a = self._with_current(*state.tolist())
        settling_v = current_a * self.model.relaxation_ohm - relaxing_v
        return np.array([self.model.depth_rate(current_a), settling_v / self.model.relaxation_s])

    def _jacobian(self, depth: float) -> NDArray[np.float64]:
        model, around = self.model, depth + np.array([-_NEARBY_MAH_PER_G, _NEARBY_MAH_PER_G])
        below_v, above_v = model.equilibrium_v(around, self.first.half_cycle)
        current_per_state = -np.array([(above_v - below_v) / (2 * _NEARBY_MAH_PER_G), 1.0]) / model.series_ohm
        of_relaxing = (current_per_state * model.relaxation_ohm - np.array([0.0, 1.0])) / model.relaxation_s
        return np.array([model.depth_rate(1.0) * current_per_state, of_relaxing])

    def _with_current(self, depth: float, relaxing_v: float) -> tuple[float, float, float]:
        equilibrium_v = float(self.model.equilibrium_v(depth, self.first.half_cycle))
        return depth, relaxing_v, (self.value - equilibrium_v - relaxing_v) / self.model.series_ohm
