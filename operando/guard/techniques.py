"""A command of the guard turned into the techniques that the instrument runs by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from devices.instrument_limit import InstrumentLimit
from devices.techniques import (
    ConstantCurrentWithLimit,
    ConstantVoltageWithLimits,
    ExitCondition,
    OpenCircuitVoltage,
    Technique,
    TechniqueError,
)
from operando.model.limits_table import Limits

INSTRUMENT_MARGIN = 1.2  # of the largest current: the instrument stops at once, also at a peak that the guard lets pass


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=False)


Duration = Annotated[float, Field(gt=0)]


class RestArguments(_Arguments):
    """Arguments of ``rest``."""

    step: str
    duration_s: Duration


class ConstantCurrentArguments(_Arguments):
    """Arguments of ``constant_current``."""

    step: str
    current_a: float
    until_voltage_v: float
    max_duration_s: Duration
    hold: Literal["constant_voltage", "ocv"] | None = None
    max_hold_s: Duration = 3600.0


class ConstantVoltageArguments(_Arguments):
    """Arguments of ``constant_voltage``."""

    step: str
    voltage_v: float
    duration_s: Duration


@dataclass(frozen=True)
class Loaded:
    """A step of the experiment as the instrument holds it.

    ``max_duration_s`` bounds the first technique, which imposes ``current_a`` if it is a constant current; ``holds``
    says that a second one holds the cell after it.
    """

    step: str
    techniques: tuple[Technique, ...]
    holds: bool
    max_duration_s: float
    current_a: float | None = None

    def as_data(self) -> dict[str, Any]:
        """Return what a restarted guard must know, and every parameter for the record."""
        return {
            "step": self.step,
            "techniques": [{"name": each.name, "parameters": each.parameters()} for each in self.techniques],
            "holds": self.holds,
            "max_duration_s": self.max_duration_s,
            "current_a": self.current_a,
        }


def loaded_step(
    command: str,
    arguments: Mapping[str, Any],
    limits: Limits,
    voltage_v: float,
    pressure_limit: InstrumentLimit | None = None,
) -> Loaded:
    """Return the techniques that ``command`` asks for, with the limits that the instrument can keep by itself.

    Raises
    ------
    TechniqueError
        If an argument is missing or wrong, lies outside the limits, or the voltage limit lies behind the cell's
        present voltage ``voltage_v`` as the current goes.
    """
    try:
        if command == "rest":
            return _rest(RestArguments.model_validate(arguments))
        if command == "constant_current":
            asked = ConstantCurrentArguments.model_validate(arguments)
            return _constant_current(asked, limits, voltage_v, pressure_limit)
        return _constant_voltage(ConstantVoltageArguments.model_validate(arguments), limits, pressure_limit)
    except ValidationError as error:
        mistakes = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise TechniqueError(f"{command}: {mistakes}. Correct the command's arguments.") from error


def _rest(asked: RestArguments) -> Loaded:
    return Loaded(asked.step, (OpenCircuitVoltage(asked.duration_s),), holds=False, max_duration_s=asked.duration_s)


def _constant_current(
    asked: ConstantCurrentArguments, limits: Limits, voltage_v: float, pressure_limit: InstrumentLimit | None
) -> Loaded:
    if asked.current_a == 0 or abs(asked.current_a) > limits.max_current:
        raise TechniqueError(
            f"{asked.step}: {asked.current_a * 1e6:+.4g} uA was asked; allowed is not 0 and up to "
            f"{limits.max_current * 1e6:.4g} uA."
        )
    _check_voltage(asked.step, asked.until_voltage_v, limits)
    charging = asked.current_a > 0
    # Only a shorted cell goes the other way. Of the hold's current no direction is left to chance either: a limit met
    # here leads to the hold, which must have it, too.
    behind = InstrumentLimit.voltage(limits.min_voltage if charging else limits.max_voltage, at_least=not charging)
    others = (behind,) if pressure_limit is None else (behind, pressure_limit)
    first = ConstantCurrentWithLimit(
        asked.current_a,
        asked.until_voltage_v,
        asked.max_duration_s,
        ExitCondition.STOP if asked.hold is None else ExitCondition.NEXT_TECHNIQUE,
        others,
    )
    first.refuse_limit_behind(voltage_v)
    techniques: tuple[Technique, ...] = (first,)
    if asked.hold == "constant_voltage":
        too_much_a = INSTRUMENT_MARGIN * limits.max_current
        current = InstrumentLimit.current(too_much_a if charging else -too_much_a, at_least=charging)
        techniques += (
            ConstantVoltageWithLimits(asked.until_voltage_v, asked.max_hold_s, asked.current_a, (current, *others)),
        )
    if asked.hold == "ocv":
        techniques += (OpenCircuitVoltage(asked.max_hold_s),)
    return Loaded(asked.step, techniques, asked.hold is not None, asked.max_duration_s, asked.current_a)


def _constant_voltage(
    asked: ConstantVoltageArguments, limits: Limits, pressure_limit: InstrumentLimit | None
) -> Loaded:
    _check_voltage(asked.step, asked.voltage_v, limits)
    too_much_a = INSTRUMENT_MARGIN * limits.max_current
    kept: tuple[InstrumentLimit, ...] = (
        InstrumentLimit.current(too_much_a, at_least=True),
        InstrumentLimit.current(-too_much_a, at_least=False),
    )
    if pressure_limit is not None:
        kept += (pressure_limit,)
    technique = ConstantVoltageWithLimits(asked.voltage_v, asked.duration_s, limits.max_current, kept)
    return Loaded(asked.step, (technique,), holds=False, max_duration_s=asked.duration_s)


def _check_voltage(step: str, voltage_v: float, limits: Limits) -> None:
    if not limits.min_voltage < voltage_v < limits.max_voltage:
        raise TechniqueError(
            f"{step}: {voltage_v:g} V was asked; the guard would trip there, its limits are "
            f"{limits.min_voltage:g} to {limits.max_voltage:g} V."
        )
