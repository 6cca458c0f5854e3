"""A step of constant current: legs from set voltage to set voltage, with a tomogram at each."""

import contextlib
import math
import sqlite3
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from bluesky.utils import MsgGenerator

from devices.answers import NO_ANSWER, NoAnswerError
from devices.cell import CellCommandError
from operando.model.cell_state import CellState
from operando.model.number_text import duration_text
from operando.model.outcome import Outcome
from operando.model.schedule import ConstantCurrent, Hold, SyncMode, step_key
from plans import triggers
from plans.cell_watch import CellDangerError
from plans.course import Course
from plans.early_end import END_UNCERTAINTY_S, is_long_before, voltage_cut_short
from plans.occasion import Occasion
from plans.timed_tomograms import take_late
from plans.triggers import DueTomogram

# Of a set voltage: from here on the guard samples as in a tomogram, so that the crossing is seen in time.
NEAR_V = 0.005
NEAR_SAMPLES = 4  # also from here on: so many more samples like the last one would reach it
AT_ONCE_V = 0.05  # polarisation of a cell
LATE_END_S = 120.0  # after a technique's bounded duration the guard must have said that it ended
LEAST_DURATION_S = 1.0  # of a technique; a step whose time is over is ended by the plan
ENDED = (CellState.STEP_ENDED, CellState.OPEN_CIRCUIT)


class _Found(Enum):
    """What there is of a leg when its step begins, or is begun again."""

    NOTHING = auto()
    RUNS = auto()
    RAN_ON = auto()
    HOLDS_BY_PLAN = auto()
    ENDED = auto()


class ConstantCurrentStep:
    """One step of constant current: legs from set voltage to set voltage, then to the end.

    What an earlier acquisition has done of it stands in the journal: legs that are over are not driven again, and of
    the leg that was under way the guard says where the cell really is.
    """

    def __init__(self, course: Course, step: ConstantCurrent, cycle: int) -> None:
        self.course, self.step, self.cycle = course, step, cycle
        self.key = step_key(step.name, cycle)
        self.current_a = course.experiment.current_a(step)
        self.begin_s = course.journal.began_s("step", self.key) or course.clock.now()
        self.driven_s = 0.0
        self.timed = triggers.timed(step, cycle, step.max_duration)
        self.over = ""  # why no more current flows, once the step has ended before its last leg
        self.flows = False  # whether the current of a free step is on its way to the end
        self.leg_begin_s = self.begin_s
        self.before_leg_row = 0

    def plan(self) -> MsgGenerator[None]:
        """Go through the legs."""
        journal = self.course.journal
        for voltage_v, due in self._legs():
            name = f"{self.key}/{voltage_v:g}"
            if (line := journal.outcome_line("leg", name)) is not None and journal.is_over("leg", name):
                self.driven_s += float(line.get("driven_s", 0.0))
                self.over = str(line.get("over", ""))
                if journal.ended("leg", name) == Outcome.COMPLETE:
                    self.course.early_end = str(line.get("reason", ""))
                continue
            journal.intent("leg", name)
            driven_s = self.driven_s
            missed = yield from self._leg(voltage_v, due, name)
            if missed and due is not None:
                yield from self.course.miss(self._occasion(due, voltage_v), missed)
            outcome = Outcome.MISSED if missed else Outcome.COMPLETE
            reason = missed or self.course.early_end
            journal.outcome("leg", name, outcome, reason=reason, driven_s=self.driven_s - driven_s, over=self.over)
        for due in triggers.at_end(self.step, self.cycle):
            yield from self.course.take(Occasion(due, self.step, self.cycle, "end"))

    def _legs(self) -> list[tuple[float, DueTomogram | None]]:
        legs: list[tuple[float, DueTomogram | None]] = [
            (due.asked.voltage, due)
            for due in triggers.at_voltages(self.step, self.cycle)
            if due.asked is not None and due.asked.voltage is not None
        ]
        if not legs or legs[-1][0] != self.step.until_voltage:
            legs.append((self.step.until_voltage, None))
        return legs

    def _leg(self, voltage_v: float, due: DueTomogram | None, name: str) -> MsgGenerator[str]:
        """Drive the cell to a voltage and take its tomogram; return why the voltage was not reached, if it was not."""
        if self.over:
            return self.over
        found = yield from self._find_again(voltage_v, due, name)
        if found is _Found.HOLDS_BY_PLAN and due is not None:
            yield from self._take(due, voltage_v, name, held=True)
            return ""
        if found is _Found.ENDED:
            at = f"at {self.course.voltage_v():.4f} V when the run was resumed"
            return "" if due is None else f"the technique had ended by itself, the cell was {at}"
        if found is _Found.RAN_ON:
            return f"the cell had run on to {self.course.voltage_v():.4f} V when the run was resumed"
        if found is _Found.NOTHING and not self.flows:
            self.leg_begin_s = self.course.clock.now()
            self.before_leg_row = int(self.course.instruments.cell.potentiostat_row.get(use_monitor=False))
        if found is _Found.NOTHING and (passed := self._passed_already(voltage_v)):
            return passed
        if found is _Found.NOTHING and not self.flows:
            if passed := (yield from self._start(voltage_v, name, holds=self._holds(due))):
                return passed
        self.flows = self.step.sync is SyncMode.FREE
        reached = yield from self._reach(voltage_v, due)
        if due is None:
            self._tell_early_end(voltage_v)
            return ""
        if not self.flows:
            self.driven_s += self.course.clock.now() - self.leg_begin_s
        if not reached:
            self.over = (
                f"the step ended at {self.course.voltage_v():.4f} V, {self.course.clock.now() - self.begin_s:.0f} s "
                f"after its start, before {voltage_v:g} V were reached"
            )
            return self.over
        yield from self._take(due, voltage_v, name)
        if self.flows:
            self.driven_s += self.course.clock.now() - self.leg_begin_s
            self.leg_begin_s = self.course.clock.now()
        return ""

    def _find_again(self, voltage_v: float, due: DueTomogram | None, name: str) -> MsgGenerator["_Found"]:
        """Find out how far an earlier acquisition has come with this leg, by the journal and by the guard."""
        course, flowing = self.course, self.step.sync is SyncMode.FREE
        entry = ("step", self.key) if flowing else ("leg", name)
        given = course.journal.last_command(*entry)
        if self.flows or given is None:
            return _Found.NOTHING
        self.before_leg_row, self.leg_begin_s = int(given["row"]), float(given["time"])
        hold = course.journal.last_command("hold", name)
        if hold is not None and hold["time"] >= given["time"]:
            command, arguments = self._hold_command(voltage_v)
            state = yield from course.repeat_order("hold", name, command, **arguments)
            if state is CellState.RUNNING and course.is_at(self.step):
                return _Found.HOLDS_BY_PLAN
        else:
            state = yield from course.repeat_order(
                *entry, "constant_current", **self._current_arguments(voltage_v, holds=self._holds(due))
            )
        if state is CellState.OPEN_CIRCUIT or not course.is_at(self.step):
            return _Found.NOTHING  # somebody has opened the circuit: the current is switched on anew
        if state is CellState.STEP_ENDED:
            return _Found.ENDED
        beyond_v = abs(course.voltage_v() - voltage_v)
        if due is None or self._holds(due) or beyond_v <= _window_v(due) or not self._is_beyond(voltage_v):
            return _Found.RUNS
        self.flows = flowing
        return _Found.RAN_ON

    def _holds(self, due: DueTomogram | None) -> bool:
        """Whether the instrument itself stops and holds the cell for this tomogram."""
        return self.step.sync is SyncMode.FIRMWARE and due is not None

    def _is_beyond(self, voltage_v: float) -> bool:
        return triggers.crossed(self.course.voltage_v(), voltage_v, self.current_a)

    def _passed_already(self, voltage_v: float) -> str:
        if not self._is_beyond(voltage_v):
            return ""
        return f"{voltage_v:g} V had been passed before: the cell was at {self.course.voltage_v():.4f} V already"

    def _current_arguments(self, voltage_v: float, *, holds: bool) -> dict[str, Any]:
        step, left_s = self.step, max(self.step.max_duration - self.driven_s, LEAST_DURATION_S)
        return {
            "step": step.name,
            "current_a": self.current_a,
            "until_voltage_v": voltage_v if step.sync is SyncMode.FIRMWARE else step.until_voltage,
            # At its own end the instrument would drive the cell to the hold's voltage: the plan ends it before.
            "max_duration_s": left_s + step.max_hold if holds else left_s,
            "hold": step.hold.value if holds else None,
            "max_hold_s": step.max_hold,
        }

    def _start(self, voltage_v: float, name: str, *, holds: bool) -> MsgGenerator[str]:
        """Let the current flow; return why it does not if the voltage does not lie ahead of it."""
        entry = ("step", self.key) if self.step.sync is SyncMode.FREE else ("leg", name)
        arguments = self._current_arguments(voltage_v, holds=holds)
        try:
            yield from self.course.order(*entry, "constant_current", {"row": self.before_leg_row}, **arguments)
        except CellCommandError:
            if passed := self._passed_already(voltage_v):
                return passed
            found_v = self.course.voltage_v()
            # A technique that the current itself ends within a poll of the instrument is never seen to run.
            if not holds and abs(found_v - voltage_v) <= AT_ONCE_V:
                return f"the current took the cell from {found_v:.4f} V past {voltage_v:g} V at once"
            raise
        return ""

    def _reach(self, voltage_v: float, due: DueTomogram | None) -> MsgGenerator[bool]:
        """Wait until the voltage is reached, at most for what is left of the step; return whether it was."""
        begin_s, left_s = self.leg_begin_s, self.step.max_duration - self.driven_s
        holds = self._holds(due)
        end_s = begin_s + left_s + (0.0 if holds else LATE_END_S)
        if due is None or (holds and self.step.hold is Hold.CONSTANT_VOLTAGE):
            in_time = yield from self._drive(_stopped, end_s)
        else:
            in_time = yield from self._approach(voltage_v, end_s)
        state = self.course.state()
        if holds and not in_time:
            yield from self.course.command("open_circuit", reason=f"step {self.step.name}: its max_duration is over")
            return False
        if not in_time:
            raise CellDangerError(
                f"step {self.step.name}: the technique should have ended after {left_s:g} s, but the guard still "
                f"says {state}. Look at the potentiostat, then resume the run."
            )
        if holds:
            return state is CellState.HOLDING
        if triggers.crossed(self.course.voltage_v(), voltage_v, self.current_a):
            return True
        # The instrument ends the step at until_voltage by itself; the sample after it has relaxed already.
        ended_early = self.course.clock.now() - begin_s < left_s - END_UNCERTAINTY_S
        return state in ENDED and voltage_v == self.step.until_voltage and ended_early

    def _tell_early_end(self, voltage_v: float) -> None:
        """Say so if the current stopped long before the voltage that ends the step, and before its time was over."""
        course, now_s = self.course, self.course.clock.now()
        if not is_long_before(now_s, self.leg_begin_s, self.leg_begin_s + self.step.max_duration - self.driven_s):
            return
        with contextlib.suppress(*NO_ANSWER, sqlite3.Error):  # what nobody can tell is no reason to end the schedule
            rows = course.samples.newest_first(self.before_leg_row)
            stop_v = voltage_cut_short(rows, current_a=self.current_a, target_v=voltage_v)
            if stop_v is not None and not self._is_beyond(voltage_v):
                after = duration_text(now_s - self.begin_s)
                course.tell_early_end(
                    f"step {self.key} ended at {stop_v:.4f} V, {after} after its start, long before {voltage_v:g} V"
                )

    def _approach(self, voltage_v: float, end_s: float) -> MsgGenerator[bool]:
        """Wait until a voltage is crossed, near it with samples as in a tomogram so that this is seen in time."""
        firmware = self.step.sync is SyncMode.FIRMWARE
        last_v, changes_v = self.course.voltage_v(), [0.0, 0.0]

        def near(state: CellState) -> bool:
            nonlocal last_v
            found_v = self.course.voltage_v()
            if found_v != last_v:
                changes_v[:] = changes_v[1], abs(found_v - last_v)
                last_v = found_v
            soon_v = NEAR_SAMPLES * min(changes_v)  # one change alone may be the current that was switched on
            return abs(found_v - voltage_v) <= max(NEAR_V, soon_v) or crossed(state)

        def crossed(state: CellState) -> bool:
            if firmware:  # the instrument knows the moment, the guard's readings are noisy
                return _stopped(state)
            return _stopped(state) or triggers.crossed(self.course.voltage_v(), voltage_v, self.current_a)

        in_time = yield from self._drive(near, end_s)
        yield from self.course.command("set_sampling", period_s=self.course.experiment.sampling.in_tomogram)
        return in_time and (yield from self._drive(crossed, end_s))

    def _drive(self, condition: Callable[[CellState], bool], end_s: float) -> MsgGenerator[bool]:
        """Wait until the condition holds, with the tomograms that a time decides; return whether it came in time."""
        while True:
            due = self.timed[0] if self.timed else None
            due_s = end_s if due is None else self.begin_s + (due.after_s or 0.0)
            reached = yield from self.course.wait(
                self.step,
                self.cycle,
                phase=self.step.step,
                until_s=min(due_s, end_s),
                begin_s=self.begin_s,
                condition=condition,
            )
            if reached or due is None or due_s >= end_s:
                return reached
            self.timed.pop(0)
            yield from take_late(self.course, self.step, self.cycle, due, due_s)

    def _take(self, due: DueTomogram, voltage_v: float, name: str, *, held: bool = False) -> MsgGenerator[None]:
        course, stop_v = self.course, self._stop_voltage_v()
        occasion = self._occasion(due, voltage_v, stop_v)
        if self.step.sync is SyncMode.SOFTWARE:
            if not held:
                command, arguments = self._hold_command(voltage_v)
                yield from course.order("hold", name, command, {}, **arguments)
            if self.step.hold is Hold.OCV and stop_v is not None and abs(stop_v - voltage_v) > _window_v(due):
                yield from course.miss(
                    occasion, f"the cell was stopped at {stop_v:.4f} V, not within {_window_v(due):g} V"
                )
                return
        yield from course.take(occasion)

    def _hold_command(self, voltage_v: float) -> tuple[str, dict[str, Any]]:
        """Return with what the plan itself holds the cell."""
        arguments = {"step": self.step.name, "duration_s": self.step.max_hold}
        if self.step.hold is Hold.OCV:
            return "rest", arguments
        return "constant_voltage", {**arguments, "voltage_v": voltage_v}

    def _stop_voltage_v(self) -> float | None:
        """Return the voltage of the last sample under the leg's current; a free step is not stopped."""
        if self.step.sync is SyncMode.FREE:
            return None
        under_current = (
            row["voltage_v"]
            for row in self.course.samples.newest_first(self.before_leg_row)
            if (row["current_a"] or 0.0) * self.current_a > 0 and not row.get("technique_index")
        )
        return next(under_current, None)

    def _occasion(self, due: DueTomogram, voltage_v: float, stop_v: float | None = None) -> Occasion:
        """Return the occasion with its window: the set voltage holds, or at open circuit the hold itself."""
        window_v, sync = _window_v(due), self.step.sync
        relaxes = self.step.hold is Hold.OCV and sync is not SyncMode.FREE

        def holds(state: CellState) -> bool:
            if sync is SyncMode.FIRMWARE and state is not CellState.HOLDING:
                return False
            if sync is SyncMode.SOFTWARE and state is not CellState.RUNNING:
                return False
            if relaxes:
                return True
            if math.isnan(found_v := self.course.voltage_v()):  # its potentiostat is gone: the guard will tell
                raise NoAnswerError("nobody knows the cell's voltage")
            return abs(found_v - voltage_v) <= window_v

        return Occasion(due, self.step, self.cycle, sync.value, holds, voltage_v, stop_v)


def _stopped(state: CellState) -> bool:
    return state is CellState.HOLDING or state in ENDED


def _window_v(due: DueTomogram) -> float:
    return due.asked.window if due.asked is not None else 0.0
