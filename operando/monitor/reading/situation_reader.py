"""Puts together where a run stands, from its experiment file, its journals, the guard's log and its samples."""

from collections.abc import Iterable, Mapping
from math import isfinite, nan
from typing import Any

import numpy as np

from operando.model.cell_log import CellLogReader
from operando.model.experiment import Experiment
from operando.model.number_text import duration_text
from operando.model.run_directory import RunDirectory
from operando.model.schedule import CellStep, ConstantCurrent, Rest, SyncMode, step_key
from operando.monitor.history.trace import Trace
from operando.monitor.reading.alarms import Alarms
from operando.monitor.reading.asked_experiment import AskedExperiment
from operando.monitor.reading.disk_room import DiskWatch
from operando.monitor.reading.frame_counts import FrameCount, FrameCounter
from operando.monitor.reading.next_trigger import NextTriggers, Trigger
from operando.monitor.reading.run_processes import ProcessView
from operando.monitor.reading.run_story import RunStory
from operando.monitor.reading.run_view import Quantity, TomogramView
from operando.monitor.reading.shown_text import shown_name
from operando.monitor.reading.situation import Capacity, Situation, StepView
from operando.monitor.reading.voltage_forecast import Forecast, forecast

FLOWS = 0.5  # of the step's current: in a hold it falls
MAX_SAMPLES = 20_000  # of a step that are looked at; of more every second, third ...


class SituationReader:
    """Follows one run; all methods are called from one thread."""

    def __init__(self, run: RunDirectory) -> None:
        self._asked, self._disk, self._frames = AskedExperiment(run), DiskWatch(run), FrameCounter(run)
        self._alarms = Alarms()
        self._is_calibrated = True

    def add_guard_event(self, row: Mapping[str, Any]) -> None:
        """Take one row of the table ``events``."""
        self._alarms.add(row)

    def read_load_cell(self, log: CellLogReader) -> None:
        """Read whether the newest counts came with a force; the numbers come with the other samples."""
        row = log.last("load_cell") or {}
        self._is_calibrated = not isfinite(_number(row.get("counts"))) or isfinite(_number(row.get("force_n")))

    def update(
        self,
        story: RunStory,
        traces: Mapping[Quantity, Trace],
        tomograms: tuple[TomogramView, ...],
        processes: Iterable[ProcessView],
        wall_s: float,
    ) -> Situation:
        """Return where the run stands; ``wall_s`` is the host's present time."""
        self._asked.update(story.schedule.num_edits)
        experiment = self._asked.experiment
        whole = [tomogram.attempt for tomogram in tomograms if tomogram.exit_status == "success"]
        return Situation(
            limits=None if experiment is None else experiment.limits.rules,
            step=None if story.ended else self._step(story),
            triggers=() if story.ended or experiment is None else self._triggers(experiment, story, traces, tomograms),
            frames=self._frames_of(tomograms[-1]) if tomograms else (),
            alarms=self._alarms.all,
            num_older_alarms=self._alarms.num_left_out,
            capacity=Capacity() if experiment is None else self._capacity(experiment, story, traces[Quantity.CHARGE]),
            ring_current=story.ring_current,
            is_calibrated=self._is_calibrated,
            disk=None
            if story.ended
            else self._disk.room(whole[-1] if whole else None, (process.life for process in processes), wall_s),
        )

    def _frames_of(self, tomogram: TomogramView) -> tuple[FrameCount, ...]:
        if tomogram.stop_s is None:
            return self._frames.count(tomogram.attempt, tomogram.frames)
        # One that ended without its count of frames, as in a crash, has only what was asked for.
        return tomogram.frames if any(count.received for count in tomogram.frames) else ()

    def _step(self, story: RunStory) -> StepView | None:
        key = story.schedule.under_way
        if not key:
            return StepView(story.step) if story.step else None
        begun_s = story.schedule.begun_s("step", key)
        for number, (cycle, step) in enumerate(self._asked.steps, start=1):
            if step_key(step.name, cycle) == key:
                technique = _technique(step, self._asked.experiment)
                return StepView(step.name, cycle, number, len(self._asked.steps), technique, begun_s)
        return StepView(shown_name(key), begun_s=begun_s)

    def _triggers(
        self,
        experiment: Experiment,
        story: RunStory,
        traces: Mapping[Quantity, Trace],
        tomograms: tuple[TomogramView, ...],
    ) -> tuple[Trigger, ...]:
        held_until_s = max((tomogram.stop_s or nan for tomogram in tomograms[-1:]), default=nan)
        running = tomograms[-1].name if tomograms and tomograms[-1].stop_s is None else ""

        def foresee(step: ConstantCurrent, target_v: float) -> Forecast:
            begin_s = story.schedule.begun_s("step", story.schedule.under_way)
            if step.sync is not SyncMode.FREE:
                if running:
                    return Forecast()
                begin_s = max(held_until_s, begin_s) if isfinite(held_until_s) else begin_s
            return _foreseen(traces, begin_s, experiment.current_a(step), target_v)

        return NextTriggers(story.schedule, foresee, _newest_s(traces), running=running).find(self._asked.steps)

    def _capacity(self, experiment: Experiment, story: RunStory, charge: Trace) -> Capacity:
        theoretical = experiment.cell.theoretical_capacity
        begun_s = story.schedule.begun_s("step", story.schedule.under_way)
        times_s, values_mah = _last_section(charge)
        first = int(np.searchsorted(times_s, begun_s))
        if not isfinite(begun_s) or first >= len(times_s) or (first == 0 and charge.unread is not None):
            return Capacity(nan, theoretical)
        since_mah = abs(float(values_mah[-1]) - float(values_mah[first]))
        return Capacity(1e3 * since_mah / experiment.cell.active_mass, theoretical)


def _foreseen(traces: Mapping[Quantity, Trace], begin_s: float, current_a: float, target_v: float) -> Forecast:
    """Foresee when the voltage reaches a target, by the samples since ``begin_s`` for which the current has flowed."""
    times_s, voltages_v = _last_section(traces[Quantity.VOLTAGE])
    _, currents_a = _last_section(traces[Quantity.CURRENT])
    first = int(np.searchsorted(times_s, begin_s))
    if not isfinite(begin_s) or first >= len(times_s):
        return Forecast()
    thinned = slice(None, first - 1 if first else None, -((len(times_s) - first) // MAX_SAMPLES + 1))
    backwards_a = currents_a[thinned]
    stopped = np.flatnonzero(~(backwards_a * np.sign(current_a) > FLOWS * abs(current_a)))
    num = int(stopped[0]) if len(stopped) else len(backwards_a)
    return forecast(times_s[thinned][:num][::-1], voltages_v[thinned][:num][::-1], target_v)


def _newest_s(traces: Mapping[Quantity, Trace]) -> float:
    """Return the time of the newest sample of the potentiostat; NaN without one."""
    times_s, _ = _last_section(traces[Quantity.VOLTAGE])
    return float(times_s[-1]) if len(times_s) else nan


def _last_section(trace: Trace) -> tuple[Any, Any]:
    """Return the times and values since the clock was last set back."""
    first = int(trace.section_starts[-1])
    return trace.times_s[first:], trace.values[first:]


def _technique(step: CellStep, experiment: Experiment | None) -> str:
    if isinstance(step, Rest):
        return f"open circuit for {duration_text(step.duration)}"
    if isinstance(step, ConstantCurrent):
        current_ua = nan if experiment is None else 1e6 * experiment.current_a(step)
        return f"constant current {current_ua:.4g} µA to {step.until_voltage:g} V".replace("-", "−")
    return f"constant voltage {step.voltage:g} V for {duration_text(step.duration)}"


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else nan
