"""The ``[limits]`` table of an experiment file, and the rules that it says with few keys or many."""

from math import inf
from typing import Self

from pydantic import Field, model_validator

from operando.model.limit_rules import UNITS, LimitAction, LimitClass, LimitKind, LimitRule, Quantity
from operando.model.toml_file import Table
from operando.model.units import Amperes, DegreesCelsius, Megapascals, Seconds, Volts, parse_quantity

DELAY_S = 1.5  # longer than one poll of a potentiostat, shorter than two: one reading alone trips nothing
RATE_OVER_S = 60.0
CHARGE_OVER_S = 3600.0
MAX_DELAY_S = 600.0  # of what endangers the cell
CHARGE_DISAGREEMENT_PERCENT = 1.0
CURRENT_DISAGREEMENT_PERCENT = 5.0
CURRENT_DISAGREEMENT_DELAY_S = 10.0
FROZEN_VOLTAGE_S = 600.0  # noise of 0.1 mV moves a reading of 16 bits within seconds
_DURATIONS = (LimitKind.STALE, LimitKind.DISCONNECT, LimitKind.FROZEN)  # their delay is the limit itself
_DEFAULT_OVER_S = {
    (LimitKind.RATE, quantity): RATE_OVER_S for quantity in UNITS[LimitKind.RATE]
} | {(LimitKind.DISAGREEMENT, Quantity.CHARGE): CHARGE_OVER_S}  # fmt: skip


class WrittenRule(Table):
    """One ``[[limits.rule]]``: which keys it takes depends on its kind."""

    quantity: Quantity
    kind: LimitKind
    severity: LimitClass = Field(alias="class")
    action: LimitAction | None = None
    min: str | float | None = None
    max: str | float | None = None
    limit: str | float | None = None
    over: Seconds | None = Field(default=None, gt=0)
    delay: Seconds | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _says_what_its_kind_needs(self) -> Self:
        allowed = UNITS[self.kind]
        if self.quantity not in allowed:
            raise ValueError(f"{self.kind} of {self.quantity} is not watched; there is it of {', '.join(allowed)}")
        needed = {LimitKind.ABSOLUTE: ("min", "max"), LimitKind.RATE: ("limit",), LimitKind.DISAGREEMENT: ("limit",)}
        keys = needed.get(self.kind, ())
        given = [key for key in ("min", "max", "limit") if getattr(self, key) is not None]
        if keys and not given:
            raise ValueError(f"{self.kind} needs {' or '.join(keys)}: write it with its unit")
        if wrong := [key for key in given if key not in keys]:
            raise ValueError(
                f"{self.kind} has no {wrong[0]}: {'it takes ' + ' and '.join(keys) if keys else 'only delay counts'}"
            )
        if self.over is not None and (self.kind, self.quantity) not in _DEFAULT_OVER_S:
            raise ValueError(f"{self.kind} of {self.quantity} has no over: each reading is compared by itself")
        if self.kind in _DURATIONS and not self.delay:
            raise ValueError(f"{self.kind} needs a delay above 0 s: how long it may last")
        if self.kind is LimitKind.FROZEN and self.chosen_action is not LimitAction.WARN:
            raise ValueError("equal readings alone prove nothing: frozen only takes action = 'warn'; use stale to stop")
        self.rule(DELAY_S)
        return self

    @property
    def chosen_action(self) -> LimitAction:
        """The action asked for, else the one of its class; equal readings alone only warn."""
        danger = self.severity is LimitClass.CELL_DANGER and self.kind is not LimitKind.FROZEN
        return self.action or (LimitAction.OPEN_CIRCUIT if danger else LimitAction.WARN)

    def rule(self, default_delay_s: float) -> LimitRule:
        """Return it as the guard keeps it.

        Raises
        ------
        ValueError
            If a value lacks its unit, is not above 0 where it must be, or min is not below max.
        """
        unit = UNITS[self.kind][self.quantity]
        low = -inf if self.min is None else parse_quantity(self.min, unit)
        high = inf if self.max is None else parse_quantity(self.max, unit)
        if self.limit is not None:
            high = parse_quantity(self.limit, unit)
            low = -high
        if not low < high:
            raise ValueError(
                f"{self.kind} of {self.quantity} from {low:g} to {high:g} {unit} allows nothing: min must be below "
                "max, a limit above 0"
            )
        return LimitRule(
            self.quantity,
            self.kind,
            self.severity,
            self.chosen_action,
            default_delay_s if self.delay is None else self.delay,
            low,
            high,
            self.over or _DEFAULT_OVER_S.get((self.kind, self.quantity), 0.0),
        )


class Limits(Table):
    """What the guard never lets happen; beyond any of its ranges the cell goes to open circuit."""

    min_voltage: Volts
    max_voltage: Volts
    max_current: Amperes = Field(gt=0)
    max_stack_pressure: Megapascals = Field(gt=0)
    min_stack_pressure: Megapascals = 0.0
    min_temperature: DegreesCelsius = 0.0
    max_temperature: DegreesCelsius
    stale_potentiostat: Seconds = Field(default=5.0, gt=0)
    stale_force: Seconds = Field(default=30.0, gt=0)
    stale_temperature: Seconds = Field(default=120.0, gt=0)
    delay: Seconds = Field(default=DELAY_S, ge=0, le=MAX_DELAY_S)
    rule: tuple[WrittenRule, ...] = Field(default=(), max_length=100)

    @property
    def rules(self) -> tuple[LimitRule, ...]:
        """Every rule: the ranges, those that are written, and the usual ones of what no written one speaks of."""
        written = tuple(rule.rule(self.delay) for rule in self.rule)
        spoken_of = {(rule.quantity, rule.kind) for rule in written if rule.kind is not LimitKind.ABSOLUTE}
        return (
            *self.ranges,
            *written,
            *(rule for rule in self._usual() if (rule.quantity, rule.kind) not in spoken_of),
        )

    @property
    def ranges(self) -> tuple[LimitRule, ...]:
        """The rules that the keys min_voltage to max_temperature say."""
        return tuple(
            LimitRule(
                quantity, LimitKind.ABSOLUTE, LimitClass.CELL_DANGER, LimitAction.OPEN_CIRCUIT, self.delay, low, high
            )
            for quantity, low, high in (
                (Quantity.VOLTAGE, self.min_voltage, self.max_voltage),
                (Quantity.CURRENT, -self.max_current, self.max_current),
                (Quantity.STACK_PRESSURE, self.min_stack_pressure, self.max_stack_pressure),
                (Quantity.TEMPERATURE, self.min_temperature, self.max_temperature),
            )
        )

    def _usual(self) -> tuple[LimitRule, ...]:
        danger = LimitClass.CELL_DANGER, LimitAction.OPEN_CIRCUIT
        fault = LimitClass.INSTRUMENT_FAULT, LimitAction.WARN
        nan, stale, differs = LimitKind.NOT_A_NUMBER, LimitKind.STALE, LimitKind.DISAGREEMENT
        charge_percent, current_percent = CHARGE_DISAGREEMENT_PERCENT, CURRENT_DISAGREEMENT_PERCENT
        return (
            LimitRule(Quantity.VOLTAGE, nan, *danger, self.delay),
            LimitRule(Quantity.CURRENT, nan, *danger, self.delay),
            LimitRule(Quantity.STACK_PRESSURE, nan, *danger, self.delay),
            LimitRule(Quantity.TEMPERATURE, nan, *fault, self.delay),
            LimitRule(Quantity.POTENTIOSTAT, stale, *danger, self.stale_potentiostat),
            LimitRule(Quantity.LOAD_CELL, stale, *danger, self.stale_force),
            LimitRule(Quantity.THERMOMETER, stale, *fault, self.stale_temperature),
            LimitRule(Quantity.VOLTAGE, LimitKind.FROZEN, *fault, FROZEN_VOLTAGE_S),
            LimitRule(
                Quantity.CHARGE, differs, *fault, self.delay, -charge_percent, charge_percent, over_s=CHARGE_OVER_S
            ),
            LimitRule(
                Quantity.CURRENT, differs, *fault, CURRENT_DISAGREEMENT_DELAY_S, -current_percent, current_percent
            ),
        )
