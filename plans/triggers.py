"""When the tomograms of a step are due: at its start or end, again and again, or at a voltage."""

from dataclasses import dataclass

from operando.model.schedule import CellStep, TomogramAt, tomogram_name


@dataclass(frozen=True)
class DueTomogram:
    """A tomogram of one step of one cycle, with a name of its own and the time since the step's start if it has one."""

    name: str
    asked: TomogramAt | None = None
    after_s: float | None = None


def timed(step: CellStep, cycle: int, duration_s: float) -> list[DueTomogram]:
    """Return the tomograms that a time decides, in order: start, every so many seconds until ``duration_s``."""
    found = []
    for asked in step.tomograms:
        if asked.at == "start":
            found.append(DueTomogram(tomogram_name(asked, cycle), asked, 0.0))
        if asked.every is not None:
            for occurrence in range(1, int(duration_s / asked.every + 1e-9) + 1):
                found.append(DueTomogram(tomogram_name(asked, cycle, occurrence), asked, occurrence * asked.every))
    return sorted(found, key=lambda due: due.after_s or 0.0)


def at_end(step: CellStep, cycle: int) -> list[DueTomogram]:
    """Return the tomograms at the end of the step."""
    return [DueTomogram(tomogram_name(asked, cycle), asked) for asked in step.tomograms if asked.at == "end"]


def at_voltages(step: CellStep, cycle: int) -> list[DueTomogram]:
    """Return the tomograms at set voltages, in the order they are passed."""
    return [DueTomogram(tomogram_name(asked, cycle), asked) for asked in step.tomograms if asked.voltage is not None]


def crossed(voltage_v: float, target_v: float, current_a: float) -> bool:
    """Return whether a voltage has reached ``target_v`` on the way that the current's sign takes it."""
    return voltage_v >= target_v if current_a > 0 else voltage_v <= target_v
