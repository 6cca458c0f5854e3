"""Techniques of the potentiostat as plain data, and the parameters that say each of them to an EC-Lab instrument."""

from dataclasses import dataclass
from enum import IntEnum
from math import isfinite

TEST_E_AT_MOST = 1  # active | compare <= | variable E
TEST_E_AT_LEAST = 5  # active | compare >= | variable E
CURRENT_RANGE_UPPER_A = (1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # I-range index 0 to 10
VOLTAGE_RANGE_5_V = 1
BANDWIDTH = 5
VOLTAGE_STEP_RECORD_V = 0.005

Parameters = dict[str, float]


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
        return {"RTT": self.duration_s, "REDE": VOLTAGE_STEP_RECORD_V, "REDT": self.record_every_s, "ERANGE": 1}


@dataclass(frozen=True)
class ConstantCurrent:
    """A current for a time; discharge is negative."""

    current_a: float
    duration_s: float
    record_every_s: float = 1.0
    name = "CP"

    def parameters(self) -> Parameters:
        """Return parameter names without prefix and their values."""
        return _galvanostatic(self.current_a, self.duration_s, self.record_every_s)


@dataclass(frozen=True)
class ConstantCurrentWithLimit:
    """A current until a voltage, at most for a time; the instrument itself compares and stops."""

    current_a: float
    until_voltage_v: float
    max_duration_s: float
    exit_condition: ExitCondition = ExitCondition.NEXT_TECHNIQUE
    record_every_s: float = 1.0
    name = "CPLIMIT"

    def parameters(self) -> Parameters:
        """Return parameter names without prefix and their values."""
        return _galvanostatic(self.current_a, self.max_duration_s, self.record_every_s) | {
            "TEST1CONF": TEST_E_AT_LEAST if self.current_a > 0 else TEST_E_AT_MOST,
            "TEST1VAL": self.until_voltage_v,
            "EXITCOND": int(self.exit_condition),
        }

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
        return _step_parameters(self.duration_s, self.max_current_a, self.record_every_s) | {"VSTEP": self.voltage_v}


@dataclass(frozen=True)
class Loop:
    """Go back to an earlier technique (0 is the first) and repeat from there."""

    times: int
    back_to: int
    name = "LOOP"

    def parameters(self) -> Parameters:
        """Return parameter names without prefix and their values."""
        return {"LOOPNTIMES": self.times, "PROTNUM": self.back_to}


Technique = OpenCircuitVoltage | ConstantCurrent | ConstantCurrentWithLimit | ConstantVoltage | Loop


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


def _galvanostatic(current_a: float, duration_s: float, record_every_s: float) -> Parameters:
    return _step_parameters(duration_s, current_a, record_every_s) | {"ISTEP": current_a}


def _step_parameters(duration_s: float, current_a: float, record_every_s: float) -> Parameters:
    if not (isfinite(duration_s) and duration_s > 0):
        raise TechniqueError(f"A technique of {duration_s} s is none: every technique needs a duration above 0 s.")
    return {
        "DURSTEP": duration_s,
        "VSINIT": 0,
        "STEPNUM": 0,
        "NCYCLES": 0,
        "REDT": record_every_s,
        "IRANGE": current_range(current_a),
        "ERANGE": VOLTAGE_RANGE_5_V,
        "BW": BANDWIDTH,
    }
