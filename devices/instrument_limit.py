"""A limit that the potentiostat compares by itself, at its own rate and whether or not anybody watches."""

from dataclasses import dataclass

_ACTIVE, _AT_LEAST = 1, 1 << 2  # bits of a test's word; the second says >=, without it <=
_VOLTAGE, _CURRENT, _AUXILIARY = 0 << 5, 3 << 5, (1 << 5, 2 << 5)  # its variable; auxiliary inputs 1 and 2


@dataclass(frozen=True)
class InstrumentLimit:
    """One test of a technique: the technique ends where it is met. ``word`` says what is compared, and how."""

    word: int
    value: float

    @classmethod
    def voltage(cls, value_v: float, *, at_least: bool) -> "InstrumentLimit":
        """Compare the cell's voltage."""
        return cls(_word(_VOLTAGE, at_least=at_least), value_v)

    @classmethod
    def current(cls, value_a: float, *, at_least: bool) -> "InstrumentLimit":
        """Compare the current."""
        return cls(_word(_CURRENT, at_least=at_least), value_a)

    @classmethod
    def auxiliary(cls, number: int, value_v: float, *, at_least: bool) -> "InstrumentLimit":
        """Compare the voltage at auxiliary input 1 or 2."""
        return cls(_word(_AUXILIARY[number - 1], at_least=at_least), value_v)


def _word(variable: int, *, at_least: bool) -> int:
    return _ACTIVE | variable | (_AT_LEAST if at_least else 0)
