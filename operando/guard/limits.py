"""The cell's limits as pure functions: what was read and how old it is in, violations out."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import isnan

from operando.model.experiment import Limits


class Severity(StrEnum):
    """What a violation asks for."""

    CELL_DANGER = "cell danger"
    INSTRUMENT_FAULT = "instrument fault"


@dataclass(frozen=True)
class Violation:
    """A limit that does not hold, with the sentence that is shown and logged."""

    quantity: str
    severity: Severity
    reason: str


@dataclass(frozen=True)
class CellReading:
    """What is compared: a value is ``None`` where the instrument gave none (its age tells), NaN where it said NaN.

    Ages are the time in s since the instrument is known to be silent, 0 while it answers.
    """

    voltage_v: float | None
    current_a: float | None
    pressure_mpa: float | None
    temperature_c: float | None
    potentiostat_silent_s: float = 0.0
    force_silent_s: float = 0.0
    temperature_silent_s: float = 0.0
    force_over_range: bool = False

    @property
    def any_silent(self) -> bool:
        """Whether an instrument gives nothing new."""
        return max(self.potentiostat_silent_s, self.force_silent_s, self.temperature_silent_s) > 0


def violations(reading: CellReading, limits: Limits) -> list[Violation]:
    """Return every limit that does not hold, cell danger first. A NaN is inside no limits."""
    found = [*_ranges(reading, limits), *_silences(reading, limits)]
    if reading.force_over_range:
        found.append(
            Violation(
                "force",
                Severity.CELL_DANGER,
                "The load cell is loaded beyond its full scale: the stack pressure is not known. "
                "Take load off the cell.",
            )
        )
    return sorted(found, key=lambda violation: violation.severity is not Severity.CELL_DANGER)


def _ranges(reading: CellReading, limits: Limits) -> Iterator[Violation]:
    yield from _outside("voltage", reading.voltage_v, limits.min_voltage, limits.max_voltage, "V")
    yield from _outside("current", reading.current_a, -limits.max_current, limits.max_current, "A")
    yield from _outside(
        "stack pressure", reading.pressure_mpa, limits.min_stack_pressure, limits.max_stack_pressure, "MPa"
    )
    yield from _outside("temperature", reading.temperature_c, limits.min_temperature, limits.max_temperature, "degC")


def _outside(quantity: str, value: float | None, lowest: float, highest: float, unit: str) -> Iterator[Violation]:
    if value is None or lowest <= value <= highest:
        return
    said = "is NaN" if isnan(value) else f"is {value:.6g} {unit}"
    yield Violation(
        quantity,
        Severity.CELL_DANGER,
        f"The {quantity} {said}; allowed is {lowest:g} to {highest:g} {unit}.",
    )


def _silences(reading: CellReading, limits: Limits) -> Iterator[Violation]:
    yield from _silent("potentiostat", reading.potentiostat_silent_s, limits.stale_potentiostat, Severity.CELL_DANGER)
    yield from _silent("load cell", reading.force_silent_s, limits.stale_force, Severity.CELL_DANGER)
    yield from _silent("thermometer", reading.temperature_silent_s, limits.stale_temperature, Severity.INSTRUMENT_FAULT)


def _silent(instrument: str, silent_s: float, longest_s: float, severity: Severity) -> Iterator[Violation]:
    if silent_s <= longest_s:
        return
    yield Violation(
        instrument,
        severity,
        f"The {instrument} has given nothing new for {silent_s:.1f} s; allowed is {longest_s:g} s. "
        "Check its power, cable and server.",
    )
