"""What cycling leaves behind: the electrode's memory of its half cycles, and how much less each charge gives back."""

from dataclasses import dataclass

import numpy as np

from simulators.cell_parameters import CellParameters

# A charge of an electrode that can give nothing back still has some capacity, so that its voltage has a slope.
_LEAST_RETURNABLE = 1e-3  # of the theoretical capacity


@dataclass(frozen=True)
class HalfCycle:
    """What an electrode remembers of the moment when its current last changed sign, depths in mAh/g.

    ``deepest_mah_per_g`` is the deepest discharge until then, ``num_cycles`` how often the capacity that was left had
    been discharged, the first discharge counted.
    """

    charging: bool
    turn_mah_per_g: float
    turn_v: float
    deepest_mah_per_g: float
    num_cycles: float


@dataclass(frozen=True)
class Electrode:
    """State of charge and history: depth of discharge in mAh/g, relaxing voltage in V, and the present half cycle."""

    depth_mah_per_g: float
    relaxing_v: float
    half_cycle: HalfCycle

    @property
    def deepest_mah_per_g(self) -> float:
        """The deepest discharge so far."""
        return max(self.half_cycle.deepest_mah_per_g, self.depth_mah_per_g)


class Cycling:
    """How deep a charge can bring the electrode back, and what part of a cycle has passed.

    The electrode always discharges to where it was before; each charge gives back less, because copper stays behind.
    """

    def __init__(self, parameters: CellParameters) -> None:
        charge, cycling = parameters.electrochemistry.charge, parameters.cycling
        self.full_fraction = float(
            np.interp(charge.cut_off_voltage.value, charge.voltage.value, charge.returned_fraction.value)
        )
        self._least_mah_per_g = _LEAST_RETURNABLE * parameters.electrochemistry.theoretical_capacity.value
        self._cycle = np.array(cycling.cycle.value)
        self._kept = np.array(cycling.capacity_kept.value)
        self._opening = np.array(cycling.crack_opening.value)

    def returnable_mah_per_g(self, half_cycle: HalfCycle) -> float:
        """Return what a charge up to its cut-off gives back from where the half cycle began."""
        deepest = half_cycle.deepest_mah_per_g
        return max(half_cycle.turn_mah_per_g - deepest + self._range_mah_per_g(half_cycle), self._least_mah_per_g)

    def num_cycles(self, electrode: Electrode) -> float:
        """Return how often the capacity has been discharged; it grows while what was given back is taken again."""
        half_cycle = electrode.half_cycle
        if half_cycle.charging:
            return half_cycle.num_cycles
        taken = min(electrode.depth_mah_per_g, half_cycle.deepest_mah_per_g) - half_cycle.turn_mah_per_g
        return half_cycle.num_cycles + max(taken, 0.0) / max(self._range_mah_per_g(half_cycle), self._least_mah_per_g)

    def crack_growth(self, electrode: Electrode) -> float:
        """Return the opening of cracks in units of what it was at the same depth of the first discharge."""
        return float(np.interp(self.num_cycles(electrode), self._cycle, self._opening))

    def returned_part(self, electrode: Electrode) -> float:
        """Return the charge that is given back, in units of what the first charge up to its cut-off gives back."""
        full_mah_per_g = electrode.deepest_mah_per_g * self.full_fraction
        if full_mah_per_g <= 0:
            return 0.0
        returned = (electrode.deepest_mah_per_g - electrode.depth_mah_per_g) / full_mah_per_g
        return min(returned, 1.0)

    def _range_mah_per_g(self, half_cycle: HalfCycle) -> float:
        kept = float(np.interp(half_cycle.num_cycles, self._cycle, self._kept))
        return half_cycle.deepest_mah_per_g * self.full_fraction * kept
