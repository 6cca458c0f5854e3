"""One limit of a cell as the guard keeps it: what is watched, in what way, and what follows."""

from dataclasses import dataclass
from enum import StrEnum
from math import inf


class Quantity(StrEnum):
    """What a limit watches: a reading, or an instrument as a whole."""

    VOLTAGE = "voltage"
    CURRENT = "current"
    CHARGE = "charge"
    STACK_PRESSURE = "stack_pressure"
    TEMPERATURE = "temperature"
    POTENTIOSTAT = "potentiostat"
    LOAD_CELL = "load_cell"
    THERMOMETER = "thermometer"

    @property
    def words(self) -> str:
        """The name as it is written in a sentence."""
        return self.value.replace("_", " ")


class LimitKind(StrEnum):
    """In what way it is watched."""

    ABSOLUTE = "absolute"
    RATE = "rate"
    STALE = "stale"
    DISCONNECT = "disconnect"
    NOT_A_NUMBER = "nan"
    FROZEN = "frozen"
    DISAGREEMENT = "disagreement"


class LimitClass(StrEnum):
    """Whom it concerns: the cell, or only what is measured of it."""

    CELL_DANGER = "cell_danger"
    INSTRUMENT_FAULT = "instrument_fault"


class LimitAction(StrEnum):
    """What the guard does: a latched trip at open circuit, or a line in the log that report and monitor show."""

    OPEN_CIRCUIT = "open_circuit"
    WARN = "warn"


_READINGS = {
    Quantity.VOLTAGE: "V",
    Quantity.CURRENT: "A",
    Quantity.STACK_PRESSURE: "MPa",
    Quantity.TEMPERATURE: "degC",
}
_INSTRUMENTS = dict.fromkeys((Quantity.POTENTIOSTAT, Quantity.LOAD_CELL, Quantity.THERMOMETER), "")
_WITHOUT_VALUE = dict.fromkeys(_READINGS, "")
UNITS: dict[LimitKind, dict[Quantity, str]] = {
    LimitKind.ABSOLUTE: _READINGS | {Quantity.CHARGE: "mAh"},
    LimitKind.RATE: {quantity: f"{unit}/s" for quantity, unit in _READINGS.items()} | {Quantity.TEMPERATURE: "K/s"},
    LimitKind.STALE: _INSTRUMENTS,
    LimitKind.DISCONNECT: _INSTRUMENTS,
    LimitKind.NOT_A_NUMBER: _WITHOUT_VALUE,
    LimitKind.FROZEN: _WITHOUT_VALUE,
    LimitKind.DISAGREEMENT: {Quantity.CHARGE: "%", Quantity.CURRENT: "%"},
}


@dataclass(frozen=True)
class LimitRule:
    """One limit as the guard keeps it, in the units of ``UNITS``; rate and disagreement allow ``-high`` to ``high``.

    ``delay_s`` is how long it may be broken before the guard acts, ``over_s`` the time over which a rate or a
    disagreement is looked at.
    """

    quantity: Quantity
    kind: LimitKind
    severity: LimitClass
    action: LimitAction
    delay_s: float
    low: float = -inf
    high: float = inf
    over_s: float = 0.0

    @property
    def text(self) -> str:
        """What it allows and what follows, for a person."""
        follows = f"{self.severity.replace('_', ' ')}, {self.action.replace('_', ' ')}"
        return f"{self.quantity.words} {self._allowed()}, {self._patience()}: {follows}"

    def _allowed(self) -> str:
        unit = UNITS[self.kind][self.quantity]
        if self.kind is LimitKind.ABSOLUTE:
            low = "" if self.low == -inf else f"at least {self.low:g} {unit}"
            high = "" if self.high == inf else f"at most {self.high:g} {unit}"
            return " and ".join(filter(None, (low, high)))
        if self.kind is LimitKind.RATE:
            return f"changes by at most {self.high:g} {unit} over {self.over_s:g} s"
        if self.kind is LimitKind.DISAGREEMENT:
            over = f" over {self.over_s:g} s" if self.over_s else ""
            return f"agrees with its second measure to {self.high:g} %{over}"
        return {
            LimitKind.STALE: "gives something new",
            LimitKind.DISCONNECT: "is connected",
            LimitKind.NOT_A_NUMBER: "is a number",
            LimitKind.FROZEN: "is not the very same number",
        }[self.kind]

    def _patience(self) -> str:
        return f"else for {self.delay_s:g} s" if self.delay_s else "at every reading"
