"""Which tomogram is due next, and when: by the schedule, by what is over, and by where the voltage goes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import inf, isfinite, nan

from operando.model.number_text import duration_text
from operando.model.schedule import CellStep, ConstantCurrent, TomogramAt, step_key, tomogram_name
from operando.monitor.reading.schedule_story import ScheduleStory
from operando.monitor.reading.time_of_day import time_of_day
from operando.monitor.reading.voltage_forecast import Bend, Forecast

_ORDER = {"start": 0, None: 1, "end": 2}
FINE_S, COARSE_S, ROUGH_S = 600.0, 3 * 3600.0, 86_400.0  # estimates shorter than these are told to 1, 5 and 30 min


@dataclass(frozen=True)
class Trigger:
    """A tomogram that is to come; ``due_s`` is on the run's clock, NaN where nobody can say.

    ``estimated``: by the slope of the voltage, not by a time that the schedule gives; ``bend`` is how that changes.
    """

    tomogram: str
    condition: str
    due_s: float = nan
    estimated: bool = False
    bend: Bend = Bend.STRAIGHT

    @property
    def text(self) -> str:
        """Name and condition."""
        return f"{self.tomogram} {self.condition}"

    def when_text(self, now_s: float, *, clock_is_the_walls: bool) -> str:
        """Write how long until it is due, with the time of day where the run's clock is the one on the wall."""
        left_s = self.due_s - now_s
        if not isfinite(left_s):
            return ""
        if left_s < 0:
            return "due now"
        of_day = time_of_day(self.due_s, "%H:%M") if clock_is_the_walls else ""
        if self.estimated:
            about = " ".join(filter(None, (about_text(left_s), self.bend, "at this slope")))
            return f"{about}, near {of_day}" if of_day else about
        return f"in {duration_text(left_s)}, at {of_day}" if of_day else f"in {duration_text(left_s)}"


def about_text(seconds: float) -> str:
    """Write an estimated duration no finer than it can be known, as in ``about 2 h 10 min``."""
    if seconds < 60:
        return "within a minute"
    for limit_s, step_min in ((FINE_S, 1), (COARSE_S, 5), (ROUGH_S, 30), (inf, 360)):
        if seconds < limit_s:
            minutes = max(round(seconds / 60 / step_min), 1) * step_min
            break
    hours, minutes = divmod(minutes, 60)
    if hours >= 24:
        return f"about {hours // 24} d {hours % 24:02d} h"
    return f"about {hours} h {minutes:02d} min" if hours else f"about {minutes} min"


class NextTriggers:
    """Looks through a schedule for what is to come.

    Parameters
    ----------
    story
        What the journal has told.
    foresee
        Returns how long after the newest sample a step of constant current will reach a voltage.
    newest_s
        Time of that sample on the run's clock.
    running
        Name of the tomogram that is being taken, which is not to come any more.
    """

    def __init__(
        self,
        story: ScheduleStory,
        foresee: Callable[[ConstantCurrent, float], Forecast],
        newest_s: float,
        *,
        running: str = "",
    ) -> None:
        self._story, self._foresee, self._newest_s, self._running = story, foresee, newest_s, running

    def find(self, steps: Iterable[tuple[int, CellStep]]) -> tuple[Trigger, ...]:
        """Return what is to come in the step under way, the next first; if nothing is, the first of a later step.

        Parameters
        ----------
        steps
            Of the schedule, in the order they happen, each with its cycle.
        """
        for cycle, step in steps:
            key = step_key(step.name, cycle)
            if self._story.is_over("step", key):
                continue
            if key == self._story.under_way:
                found = self._in_step(step, cycle, self._story.begun_s("step", key))
            else:
                found = self._later(step, cycle)
            if found:
                return found
        return ()

    def _in_step(self, step: CellStep, cycle: int, begun_s: float) -> tuple[Trigger, ...]:
        duration_s = step.max_duration if isinstance(step, ConstantCurrent) else step.duration
        end_s = begun_s + duration_s
        by_time = sorted(self._timed(step, cycle, begun_s, duration_s), key=lambda trigger: trigger.due_s)
        by_voltage, at_end = [], []
        for asked, name in self._open(step, cycle):
            if asked.voltage is not None and isinstance(step, ConstantCurrent):
                by_voltage.append(self._foreseen(name, f"at {asked.voltage:g} V", step, asked.voltage, end_s))
            elif asked.at == "end":
                condition = f"at the end of {step.name}"
                at_end.append(
                    self._foreseen(name, condition, step, step.until_voltage, end_s)
                    if isinstance(step, ConstantCurrent)
                    else Trigger(name, condition, end_s)
                )
        # What nobody can foresee stands behind what is known.
        return (*sorted([*by_time, *by_voltage], key=lambda trigger: _known(trigger.due_s)), *at_end)

    def _timed(self, step: CellStep, cycle: int, begun_s: float, duration_s: float) -> Iterator[Trigger]:
        """Yield the next of each series, and one at the step's start."""
        for asked, name in self._open(step, cycle):
            if asked.at == "start":
                yield Trigger(name, f"at the start of {step.name}", begun_s)
            elif asked.every is not None:
                for occurrence in range(1, int(duration_s / asked.every + 1e-9) + 1):
                    name = tomogram_name(asked, cycle, occurrence)
                    if not self._is_past(name):
                        condition = f"every {duration_text(asked.every)}"
                        yield Trigger(name, condition, begun_s + occurrence * asked.every)
                        break

    def _foreseen(self, name: str, condition: str, step: ConstantCurrent, voltage_v: float, latest_s: float) -> Trigger:
        found = self._foresee(step, voltage_v)
        due_s = self._newest_s + found.after_s
        if not due_s <= latest_s:
            return Trigger(name, condition)
        return Trigger(name, condition, due_s, estimated=True, bend=found.bend)

    def _later(self, step: CellStep, cycle: int) -> tuple[Trigger, ...]:
        """Return the first that a step which has not begun will take, without its time."""
        for asked, name in sorted(self._open(step, cycle), key=lambda entry: _ORDER[entry[0].at]):
            if asked.every is not None:
                return (Trigger(tomogram_name(asked, cycle, 1), f"after {duration_text(asked.every)} in {step.name}"),)
            if asked.voltage is not None:
                return (Trigger(name, f"at {asked.voltage:g} V in {step.name}"),)
            return (Trigger(name, f"at the {asked.at} of {step.name}"),)
        return ()

    def _open(self, step: CellStep, cycle: int) -> Iterator[tuple[TomogramAt, str]]:
        """Yield what is asked and not past; of a series nobody knows that before its last is named."""
        for asked in step.tomograms:
            name = tomogram_name(asked, cycle)
            if asked.every is not None or not self._is_past(name):
                yield asked, name

    def _is_past(self, name: str) -> bool:
        return name == self._running or self._story.is_past(name)


def _known(due_s: float) -> float:
    return due_s if isfinite(due_s) else inf
