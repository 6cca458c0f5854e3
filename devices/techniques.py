"""Techniques of the potentiostat as plain data, and the parameters that say each of them to an EC-Lab instrument."""

from dataclasses import dataclass
from enum import IntEnum
from math import isfinite

from devices.instrument_limit import InstrumentLimit

CURRENT_RANGE_UPPER_A = (1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # I-range index 0 to 10
VOLTAGE_RANGE_5_V = 1
BANDWIDTH = 5
VOLTAGE_STEP_RECORD_V = 0.005
CURRENT_STEP_RECORD_A = 1e-3  # the largest current of such a cell: the period alone decides what is recorded
RANGE_AT_OPEN_CIRCUIT = 8  # 10 mA; nothing flows
TIME_BASE_S = {"OCV": 20e-6, "CP": 25e-6, "CA": 25e-6, "CPLIMIT": 40e-6, "CALIMIT": 40e-6}  # the EC-Lab library's own

Parameters = dict[str, float]
_ONE_VALUE = ("IRANGE", "ERANGE", "BW", "XCTR", "TB", "REDT")
_STEPS = ("STEPN", "NCYCLES", *_ONE_VALUE)
NUM_TESTS = 3
_TESTS = tuple(f"TEST{number}{what}" for number in (1, 2, 3) for what in ("CONF", "VAL"))
BY_STEP = ("ISTEP", "VSTEP", "DURSTEP", "VSINIT", *_TESTS, "EXITCOND")  # one element for each step
PARAMETERS = {
    "OCV": ("RTT", "REDE", *_ONE_VALUE),
    "CP": ("ISTEP", "DURSTEP", "VSINIT", "REDE", *_STEPS),
    "CPLIMIT": ("ISTEP", "DURSTEP", "VSINIT", "REDE", *_TESTS, "EXITCOND", *_STEPS),
    "CA": ("VSTEP", "DURSTEP", "VSINIT", "REDI", *_STEPS),
    "CALIMIT": ("VSTEP", "DURSTEP", "VSINIT", "REDI", *_TESTS, "EXITCOND", *_STEPS),
    "LOOP": ("NLOOP", "PROT"),
}
NUM_INSTANCES = {"OCV": 2}  # of every other technique the server has one


class TechniqueError(ValueError):
    """A technique that the instrument would refuse or that could not do what its name says."""


class ExitCondition(IntEnum):
    """What the instrument does when a limit is reached."""

    NEXT_STEP = 0
    NEXT_TECHNIQUE = 1
    STOP = 2


@dataclass(frozen=True)
class OpenCircuitVoltage:
    """The cell at open circuit for a time."""

    duration_s: float
    record_every_s: float = 1.0
    name = "OCV"

    def parameters(self) -> Parameters:
        """Return parameter names without prefix and their values."""
        return _common(self.name, self.record_every_s) | {
            "RTT": self.duration_s,
            "REDE": VOLTAGE_STEP_RECORD_V,
            "IRANGE": RANGE_AT_OPEN_CIRCUIT,
        }


@dataclass(frozen=True)
class ConstantCurrent:
    """A current for a time; discharge is negative."""

    current_a: float
    duration_s: float
    record_every_s: float = 1.0
    name = "CP"

    def parameters(self) -> Parameters:
        """Return parameter names without prefix and their values."""
        return _galvanostatic(self.name, self.current_a, self.duration_s, self.record_every_s)


@dataclass(frozen=True)
class ConstantCurrentWithLimit:
    """A current until a voltage, at most for a time; the instrument itself compares and stops.

    ``others`` are further limits. The instrument knows one exit for all of them: with ``NEXT_TECHNIQUE`` the technique
    that follows must have them, too, and stop.
    """

    current_a: float
    until_voltage_v: float
    max_duration_s: float
    exit_condition: ExitCondition = ExitCondition.NEXT_TECHNIQUE
    others: tuple[InstrumentLimit, ...] = ()
    record_every_s: float = 1.0
    name = "CPLIMIT"

    def parameters(self) -> Parameters:
        """Return parameter names without prefix and their values."""
        until = InstrumentLimit.voltage(self.until_voltage_v, at_least=self.current_a > 0)
        return (
            _galvanostatic(self.name, self.current_a, self.max_duration_s, self.record_every_s)
            | _limit_parameters((until, *self.others))
            | {"EXITCOND": int(self.exit_condition)}
        )

    def refuse_limit_behind(self, voltage_v: float) -> None:
        """Refuse a limit that the current would move away from or that is reached already.

        Raises
        ------
        TechniqueError
            If the limit lies behind ``voltage_v`` as the sign of the current goes; the instrument would end at once.
        """
        sign = 1.0 if self.current_a > 0 else -1.0
        if not sign * (self.until_voltage_v - voltage_v) > 0:
            raise TechniqueError(
                f"{self.current_a * 1e6:+.4g} uA until {self.until_voltage_v:g} V was asked, but the cell is at "
                f"{voltage_v:.4f} V: the limit lies behind and would trip when the step starts. "
                f"Ask for a voltage {'above' if sign > 0 else 'below'} the present one or turn the current round."
            )


@dataclass(frozen=True)
class ConstantVoltage:
    """A voltage for a time; ``max_current_a`` chooses the current range."""

    voltage_v: float
    duration_s: float
    max_current_a: float
    record_every_s: float = 1.0
    name = "CA"

    def parameters(self) -> Parameters:
        """Return parameter names without prefix and their values."""
        return _step_parameters(self.name, self.duration_s, self.max_current_a, self.record_every_s) | {
            "VSTEP": self.voltage_v,
            "REDI": CURRENT_STEP_RECORD_A,
        }


@dataclass(frozen=True)
class ConstantVoltageWithLimits:
    """A voltage for a time; the instrument opens the circuit where one of ``limits`` is met."""

    voltage_v: float
    duration_s: float
    max_current_a: float
    limits: tuple[InstrumentLimit, ...]
    record_every_s: float = 1.0
    name = "CALIMIT"

    def parameters(self) -> Parameters:
        """Return parameter names without prefix and their values."""
        return (
            _step_parameters(self.name, self.duration_s, self.max_current_a, self.record_every_s)
            | _limit_parameters(self.limits)
            | {"VSTEP": self.voltage_v, "REDI": CURRENT_STEP_RECORD_A, "EXITCOND": int(ExitCondition.STOP)}
        )


@dataclass(frozen=True)
class Loop:
    """Go back to an earlier technique (0 is the first) and repeat from there."""

    times: int
    back_to: int
    name = "LOOP"

    def parameters(self) -> Parameters:
        """Return parameter names without prefix and their values."""
        return {"NLOOP": self.times, "PROT": self.back_to}


Technique = (
    OpenCircuitVoltage | ConstantCurrent | ConstantCurrentWithLimit | ConstantVoltage | ConstantVoltageWithLimits | Loop
)


def current_range(current_a: float) -> int:
    """Return the index of the smallest current range that holds ``current_a`` (automatic is refused by CPLIMIT).

    Raises
    ------
    TechniqueError
        If the current is zero, not a number or larger than the largest range.
    """
    if not isfinite(current_a) or current_a == 0 or abs(current_a) > CURRENT_RANGE_UPPER_A[-1]:
        raise TechniqueError(
            f"A current of {current_a} A has no range: it must differ from 0 and stay within "
            f"{CURRENT_RANGE_UPPER_A[-1]:g} A. Correct the step's current."
        )
    return next(index for index, upper_a in enumerate(CURRENT_RANGE_UPPER_A) if abs(current_a) <= upper_a)


def _galvanostatic(name: str, current_a: float, duration_s: float, record_every_s: float) -> Parameters:
    return _step_parameters(name, duration_s, current_a, record_every_s) | {
        "ISTEP": current_a,
        "REDE": VOLTAGE_STEP_RECORD_V,
    }


def _step_parameters(name: str, duration_s: float, current_a: float, record_every_s: float) -> Parameters:
    if not (isfinite(duration_s) and duration_s > 0):
        raise TechniqueError(f"A technique of {duration_s} s is none: every technique needs a duration above 0 s.")
    return _common(name, record_every_s) | {
        "DURSTEP": duration_s,
        "VSINIT": 0,
        "STEPN": 0,  # number of steps minus one
        "NCYCLES": 0,
        "IRANGE": current_range(current_a),
    }


def _common(name: str, record_every_s: float) -> Parameters:
    return {
        "REDT": record_every_s,
        "ERANGE": VOLTAGE_RANGE_5_V,
        "BW": BANDWIDTH,
        "XCTR": 0,
        "TB": TIME_BASE_S[name],
    }


def _limit_parameters(limits: tuple[InstrumentLimit, ...]) -> Parameters:
    """Return all three tests; one that another program has left would end the technique."""
    if len(limits) > NUM_TESTS:
        raise TechniqueError(f"{len(limits)} limits were asked of one technique; the instrument has {NUM_TESTS}.")
    found: Parameters = dict.fromkeys(_TESTS, 0)
    for number, limit in enumerate(limits, start=1):
        if not isfinite(limit.value):
            raise TechniqueError(f"A limit at {limit.value} can never be compared. Correct the limits.")
        found |= {f"TEST{number}CONF": limit.word, f"TEST{number}VAL": limit.value}
    return found
