"""A resistor in place of a cell, as potentiostats are tried out: for replays, whose scan has no cell to cycle."""

from dataclasses import dataclass

RESISTANCE_OHM = 1000.0
FORCE_N = 500.0
A_S_PER_MAH = 3.6


@dataclass(frozen=True)
class ResistorReading:
    """What a potentiostat reads of a resistor."""

    voltage_v: float
    current_a: float
    charge_mah: float


class DummyCell:
    """A resistor under a constant force; it begins at open circuit."""

    def __init__(self, start_s: float) -> None:
        self._changes = [(start_s, 0.0, 0.0)]  # time, current from then on, charge by then

    def open_circuit(self, time_s: float) -> None:
        """Disconnect it."""
        self.constant_current(time_s, 0.0)

    def constant_current(self, time_s: float, current_a: float) -> None:
        """Impose a current."""
        self._changes.append((time_s, current_a, self.reading(time_s).charge_mah))

    def constant_voltage(self, time_s: float, voltage_v: float) -> None:
        """Impose a voltage."""
        self.constant_current(time_s, voltage_v / RESISTANCE_OHM)

    def reading(self, time_s: float) -> ResistorReading:
        """Return voltage, current and charge at any time."""
        begin_s, current_a, charge_mah = next(
            (change for change in reversed(self._changes) if change[0] <= time_s), self._changes[0]
        )
        charge_mah += current_a * (time_s - begin_s) / A_S_PER_MAH
        return ResistorReading(current_a * RESISTANCE_OHM, current_a, charge_mah)

    def next_crossing(self, voltage_v: float, *, rising: bool, before_s: float) -> float | None:
        """Return None: between two commands the voltage never changes."""
        return None

    def force_n(self, time_s: float) -> float:
        """Return the force on the load cell, in N."""
        return FORCE_N
