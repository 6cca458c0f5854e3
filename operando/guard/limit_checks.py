"""One check for each kind of limit: a reading in, whether it is outside out. NaN is never taken for a good value."""

from dataclasses import dataclass
from math import inf, isnan
from typing import Protocol

from operando.guard.limit_reading import CellReading
from operando.guard.rate import RateHistory
from operando.model.limit_rules import UNITS, LimitKind, LimitRule, Quantity

_JUMPING = (Quantity.VOLTAGE, Quantity.CURRENT)  # where the technique changes
_SMALLEST_CURRENT = 1e-3  # of the largest allowed: no charge flows
_FEWEST_EQUAL = 3


@dataclass(frozen=True)
class Found:
    """Whether a reading is outside a limit, and the sentence for it if it is."""

    outside: bool
    reason: str = ""


INSIDE = Found(outside=False)


class Check(Protocol):
    """Judges readings against one rule."""

    def look(self, reading: CellReading) -> Found | None:
        """Return what ``reading`` says of the rule; ``None`` if it says nothing, which changes nothing."""


class Absolute:
    """A value within a range. A charge counts as outside only while more of it flows in that direction."""

    def __init__(self, rule: LimitRule, largest_current_a: float) -> None:
        self._rule = rule
        self._smallest_a = _SMALLEST_CURRENT * largest_current_a

    def look(self, reading: CellReading) -> Found | None:
        """Return whether the value is outside."""
        rule = self._rule
        if rule.quantity is Quantity.STACK_PRESSURE and reading.over_range:
            return Found(
                True,
                "The load cell is loaded beyond its full scale: the stack pressure is not known. "
                "Take load off the cell.",
            )
        value = reading.values.get(rule.quantity)
        if value is None or isnan(value):  # the rules for silence and NaN judge that
            return None
        if rule.low <= value <= rule.high or (rule.quantity is Quantity.CHARGE and not self._goes_on(value, reading)):
            return INSIDE
        unit = UNITS[rule.kind][rule.quantity]
        return Found(True, f"The {rule.quantity.words} is {value:.6g} {unit}; allowed is {self._allowed(unit)}.")

    def _allowed(self, unit: str) -> str:
        if self._rule.low == -inf:
            return f"at most {self._rule.high:g} {unit}"
        if self._rule.high == inf:
            return f"at least {self._rule.low:g} {unit}"
        return f"{self._rule.low:g} to {self._rule.high:g} {unit}"

    def _goes_on(self, charge_mah: float, reading: CellReading) -> bool:
        if not reading.running or reading.snapshot is None:
            return False
        outwards_a = reading.snapshot.current_a * (1 if charge_mah > self._rule.high else -1)
        return not outwards_a <= self._smallest_a  # NaN may flow anywhere


class NotANumber:
    """A value that is a number."""

    def __init__(self, rule: LimitRule) -> None:
        self._quantity = rule.quantity

    def look(self, reading: CellReading) -> Found | None:
        """Return whether the instrument said NaN."""
        value = reading.values.get(self._quantity)
        if value is None:
            return None
        return Found(isnan(value), f"The {self._quantity.words} is NaN: its instrument gives no number.")


class Rate:
    """A value that changes no faster than allowed; where the cell's technique changes, it begins anew."""

    def __init__(self, rule: LimitRule) -> None:
        self._rule = rule
        self._history = RateHistory(rule.over_s)
        self._operation: tuple[float, ...] | None = None

    def look(self, reading: CellReading) -> Found | None:
        """Return whether it changes too fast."""
        rule = self._rule
        value = reading.values.get(rule.quantity)
        if value is None:
            return None
        if rule.quantity in _JUMPING and reading.operation != self._operation:
            self._operation = reading.operation
            self._history.forget()
        rate = self._history.rate(reading.time_s, value)
        if rate is None:
            return None
        unit = UNITS[rule.kind][rule.quantity]
        return Found(
            not rule.low <= rate <= rule.high,
            f"The {rule.quantity.words} changes by {rate:.4g} {unit}; allowed is at most {rule.high:g} {unit}.",
        )


class Answering:
    """An instrument that gives something new, or is connected."""

    def __init__(self, rule: LimitRule) -> None:
        self._rule = rule

    def look(self, reading: CellReading) -> Found | None:
        """Return whether it has been silent for too long."""
        rule = self._rule
        gone = rule.kind is LimitKind.DISCONNECT
        silent_s = (reading.gone_s if gone else reading.silent_s).get(rule.quantity)
        if silent_s is None:
            return None
        what = "has not been connected" if gone else "has given nothing new"
        return Found(
            not silent_s <= rule.delay_s,
            f"The {rule.quantity.words} {what} for {silent_s:.1f} s; allowed is {rule.delay_s:g} s. "
            "Check its power, cable and server.",
        )


class Frozen:
    """A value that is not the very same number reading after reading. A current of 0 A at open circuit may be."""

    def __init__(self, rule: LimitRule) -> None:
        self._rule = rule
        self._same: tuple[float, float, int] | None = None  # value, since when, how many

    def look(self, reading: CellReading) -> Found | None:
        """Return whether it has been the same for too long."""
        value = reading.values.get(self._rule.quantity)
        if value is None:
            return None
        if self._same is None or value != self._same[0] or (self._rule.quantity is Quantity.CURRENT and value == 0):
            self._same = value, reading.time_s, 1
            return INSIDE
        self._same = value, self._same[1], self._same[2] + 1
        same_s = reading.time_s - self._same[1]
        unit = UNITS[LimitKind.ABSOLUTE][self._rule.quantity]
        return Found(
            self._same[2] >= _FEWEST_EQUAL and same_s >= self._rule.delay_s,
            f"The {self._rule.quantity.words} has been exactly {value:.6g} {unit} for {same_s:.0f} s: "
            "see whether its instrument still measures.",
        )
