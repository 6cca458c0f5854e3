"""What happens to the cell and when a tomogram is taken: the steps of an experiment and their triggers."""

import re
from collections import Counter
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from operando.model.texts import Name
from operando.model.toml_file import Table
from operando.model.units import Seconds, Volts

MAX_STEPS = 100_000  # of a schedule with its loops gone through


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


class TimedStep(Table):
    """What every step of the cell has; ``rehearsal_sampling`` is how often a rehearsal samples it in fast-forward."""

    rehearsal_sampling: Seconds | None = Field(default=None, gt=0)


class Rest(TimedStep):
    """The cell at open circuit."""

    step: Literal["rest"]
    name: Name
    duration: Seconds = Field(gt=0)
    tomograms: tuple[TomogramAt, ...] = ()


class ConstantCurrent(TimedStep):
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


class ConstantVoltage(TimedStep):
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


def step_name(name: str, cycle: int) -> str:
    """Return the name of a step among the results; later cycles are numbered as those of tomograms are."""
    return name if cycle == 1 else f"{name}_cycle{cycle}"


def tomogram_name(asked: TomogramAt, cycle: int, occurrence: int | None = None) -> str:
    """Return the tomogram's name; later cycles and repetitions are numbered."""
    name = step_name(asked.name, cycle)
    return name if occurrence is None else f"{name}_{occurrence:03d}"


def could_name(asked: TomogramAt, name: str) -> bool:
    """Return whether ``name`` is one that :func:`tomogram_name` could give."""
    every = r"_\d{3,}" if asked.every is not None else ""
    return re.fullmatch(rf"{re.escape(asked.name)}(_cycle\d+)?{every}", name) is not None


def unrolled(schedule: tuple[Rest | ConstantCurrent | ConstantVoltage | Loop, ...]) -> list[tuple[int, CellStep]]:
    """Return the steps in the order they happen, each with its cycle: how often that step has begun, itself included.

    A loop repeats everything between its start and itself, loops within it too.

    Raises
    ------
    ValueError
        If a loop goes back to a step that does not come before it, or the steps are too many.
    """
    happened: list[CellStep] = []
    first_index: dict[str, int] = {}
    for entry in schedule:
        if not isinstance(entry, Loop):
            first_index.setdefault(entry.name, len(happened))
            happened.append(entry)
            continue
        if entry.back_to not in first_index:
            known = f"before it come {', '.join(first_index)}" if first_index else "no step comes before it"
            raise ValueError(f"loop {entry.name!r} goes back to {entry.back_to!r}; {known}")
        body = happened[first_index[entry.back_to] :]
        if len(happened) + len(body) * entry.times > MAX_STEPS:
            raise ValueError(f"loop {entry.name!r} makes more than {MAX_STEPS} steps of the schedule")
        happened += body * entry.times
    begun: Counter[str] = Counter()
    numbered = []
    for step in happened:
        begun[step.name] += 1
        numbered.append((begun[step.name], step))
    return numbered
