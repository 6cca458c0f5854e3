"""The simulated cell: one owner of its state of charge, asked for readings at any time, told what is imposed on it."""

import bisect
from collections.abc import Callable
from dataclasses import dataclass

from simulators.cell_mechanics import CellMechanics
from simulators.cell_parameters import CellParameters
from simulators.cell_state import CellState
from simulators.cell_voltage import Control, Segment, VoltageModel


class CellTwinError(ValueError):
    """A command in the past."""


@dataclass(frozen=True)
class ElectricalReading:
    """What a potentiostat would read; charge is the integral of current since the twin began."""

    voltage_v: float
    current_a: float
    charge_mah: float


class CellTwin:
    """A cell that was pressed and closed at ``start_s`` and stands at open circuit.

    Times are seconds of the rehearsal's clock. Readings may be asked for any time, also before the last command.
    ``commanded`` is called with the time of every command after it was obeyed.
    """

    def __init__(
        self, parameters: CellParameters, start_s: float, commanded: Callable[[float], None] = lambda _: None
    ) -> None:
        self._model = VoltageModel(parameters)
        self._mechanics = CellMechanics(parameters)
        self._start_s = start_s
        self._commanded = commanded
        self._segments = [Segment(self._model, start_s, Control.OPEN_CIRCUIT, 0.0, self._model.pristine())]

    @property
    def bore_area_mm2(self) -> float:
        """Area that turns stack pressure into force."""
        return self._mechanics.bore_area_mm2

    def open_circuit(self, time_s: float) -> None:
        """Disconnect the cell."""
        self._impose(time_s, Control.OPEN_CIRCUIT, 0.0)

    def constant_current(self, time_s: float, current_a: float) -> None:
        """Impose a current; discharge is negative."""
        self._impose(time_s, Control.CURRENT, current_a)

    def constant_voltage(self, time_s: float, voltage_v: float) -> None:
        """Impose a voltage."""
        self._impose(time_s, Control.VOLTAGE, voltage_v)

    def reading(self, time_s: float) -> ElectricalReading:
        """Return what a potentiostat would read."""
        found = self._segment(time_s).reading(time_s)
        charge_mah = -found.electrode.depth_mah_per_g * self._model.mass_g
        return ElectricalReading(found.voltage_v, found.current_a, charge_mah)

    def next_crossing(self, voltage_v: float, *, rising: bool, before_s: float) -> float | None:
        """Return when the voltage will reach a level under the present control, None if not before ``before_s``."""
        return self._segments[-1].first_crossing(voltage_v, rising=rising, before_s=before_s)

    def state(self, time_s: float) -> CellState:
        """Return what the inside of the cell is."""
        electrode = self._segment(time_s).reading(time_s).electrode
        return self._mechanics.state(time_s, -electrode.depth_mah_per_g * self._model.mass_g, electrode)

    def capacity_mah_per_g(self, time_s: float) -> float:
        """Return the charge that has passed since the current last changed its sign."""
        electrode = self._segment(time_s).reading(time_s).electrode
        return abs(electrode.depth_mah_per_g - electrode.half_cycle.turn_mah_per_g)

    def stack_pressure_mpa(self, time_s: float) -> float:
        """Return the stack pressure over the bore."""
        return self._mechanics.stack_pressure_mpa(time_s - self._start_s, self.state(time_s))

    def force_n(self, time_s: float) -> float:
        """Return the force on the load cell."""
        return self.stack_pressure_mpa(time_s) * self.bore_area_mm2

    def _segment(self, time_s: float) -> Segment:
        index = bisect.bisect_right(self._segments, time_s, key=lambda segment: segment.start_s)
        return self._segments[max(index - 1, 0)]

    def _impose(self, time_s: float, control: Control, value: float) -> None:
        last = self._segments[-1]
        if time_s < last.start_s:
            raise CellTwinError(f"a command at {time_s} s comes before the last one, at {last.start_s} s.")
        now = last.reading(time_s)
        segment = Segment(self._model, time_s, control, value, now.electrode)
        current_a = segment.reading(time_s).current_a
        if current_a and (current_a > 0) != now.electrode.half_cycle.charging:
            segment = Segment(self._model, time_s, control, value, self._model.turned(now.electrode))
        self._segments.append(segment)
        self._commanded(time_s)
