"""What a potentiostat needs of whatever it is connected to."""

from typing import Protocol


class Reading(Protocol):
    """What the instrument can measure of a cell."""

    @property
    def voltage_v(self) -> float:
        """Voltage."""

    @property
    def current_a(self) -> float:
        """Current; discharge is negative."""

    @property
    def charge_mah(self) -> float:
        """Charge since the cell was built, signed."""


class Cell(Protocol):
    """What the instrument can do to a cell."""

    def open_circuit(self, time_s: float) -> None:
        """Disconnect it."""

    def constant_current(self, time_s: float, current_a: float) -> None:
        """Impose a current."""

    def constant_voltage(self, time_s: float, voltage_v: float) -> None:
        """Impose a voltage."""

    def reading(self, time_s: float) -> Reading:
        """Measure it."""

    def next_crossing(self, voltage_v: float, *, rising: bool, before_s: float) -> float | None:
        """Foresee when it reaches a voltage."""
