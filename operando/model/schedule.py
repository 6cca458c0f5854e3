"""What happens to the cell and when a tomogram is taken: the steps of an experiment and their triggers."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from operando.model.texts import Name
from operando.model.toml_file import Table
from operando.model.units import Seconds, Volts


class SyncMode(StrEnum):
    """Who stops the cell when a set voltage is reached, and whether it stops at all."""

    FIRMWARE = "firmware"
    SOFTWARE = "software"
    FREE = "free"


class Hold(StrEnum):
    """What the cell does while a tomogram at a set voltage is taken."""

    CONSTANT_VOLTAGE = "constant_voltage"
    OCV = "ocv"


class TomogramAt(Table):
    """A tomogram of one step: at a set voltage, at its start or end, or again and again."""

    name: Name
    voltage: Volts | None = None
    at: Literal["start", "end"] | None = None
    every: Seconds | None = None
    window: Volts = 0.005

    @model_validator(mode="after")
    def _one_condition(self) -> "TomogramAt":
        given = [key for key in ("voltage", "at", "every") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(
                f"tomogram {self.name!r} must have one of voltage, at, every; found {', '.join(given) or 'none'}"
            )
        if self.every is not None and self.every <= 0:
            raise ValueError(f"tomogram {self.name!r}: every must be longer than 0 s")
        return self


class Rest(Table):
    """The cell at open circuit."""

    step: Literal["rest"]
    name: Name
    duration: Seconds = Field(gt=0)
    tomograms: tuple[TomogramAt, ...] = ()


class ConstantCurrent(Table):
    """A current until a voltage; discharge is negative. Per gram of active mass (mA/g) or absolute (uA)."""

    step: Literal["constant_current"]
    name: Name
    current: str
    until_voltage: Volts
    max_duration: Seconds = Field(gt=0)
    sync: SyncMode = SyncMode.FIRMWARE
    hold: Hold = Hold.CONSTANT_VOLTAGE
    max_hold: Seconds = Field(default=3600.0, gt=0)
    tomograms: tuple[TomogramAt, ...] = ()


class ConstantVoltage(Table):
    """A voltage for a time."""

    step: Literal["constant_voltage"]
    name: Name
    voltage: Volts
    duration: Seconds = Field(gt=0)
    tomograms: tuple[TomogramAt, ...] = ()


class Loop(Table):
    """Go back to an earlier step and repeat from there, ``times`` times in addition to the first."""

    step: Literal["loop"]
    name: Name
    back_to: str
    times: int = Field(strict=True, ge=1, le=10_000)


Step = Annotated[Rest | ConstantCurrent | ConstantVoltage | Loop, Field(discriminator="step")]
CellStep = Rest | ConstantCurrent | ConstantVoltage


def step_key(name: str, cycle: int) -> str:
    """Return a step's name in the journal of the schedule; later cycles are numbered."""
    return name if cycle == 1 else f"{name}/{cycle}"


def unrolled(schedule: tuple[Rest | ConstantCurrent | ConstantVoltage | Loop, ...]) -> list[tuple[int, CellStep]]:
    """Return the steps in the order they happen, each with its cycle number (1 before the first loop goes back).

    Raises
    ------
    ValueError
        If a loop goes back to a step that does not come before it.
    """
    happened: list[tuple[int, CellStep]] = []
    names: list[str] = []
    cycle = 1
    for entry in schedule:
        if not isinstance(entry, Loop):
            names.append(entry.name)
            happened.append((cycle, entry))
            continue
        if entry.back_to not in names:
            raise ValueError(f"loop {entry.name!r} goes back to {entry.back_to!r}; before it come {', '.join(names)}")
        body = [step for _, step in happened[-len(names) + names.index(entry.back_to) :]]
        for _ in range(entry.times):
            cycle += 1
            happened += [(cycle, step) for step in body]
    return happened
