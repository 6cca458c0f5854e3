"""A step of constant current: legs from set voltage to set voltage, with a tomogram at each."""

from collections.abc import Callable

from bluesky.utils import MsgGenerator

from devices.cell import CellCommandError
from operando.model.cell_state import CellState
from operando.model.outcome import Outcome
from operando.model.schedule import ConstantCurrent, Hold, SyncMode, step_key
from plans import triggers
from plans.cell_watch import CellDangerError
from plans.course import Course, Occasion
from plans.timed_tomograms import take_late
from plans.triggers import DueTomogram

# Of a set voltage: from here on the guard samples as in a tomogram, so that the crossing is seen in time.
NEAR_V = 0.005
NEAR_SAMPLES = 4  # also from here on: so many more samples like the last one would reach it
AT_ONCE_V = 0.05  # polarisation of a cell
END_UNCERTAINTY_S = 10.0  # a technique begins some polls of the instrument before its command is answered
LATE_END_S = 120.0  # after a technique's bounded duration the guard must have said that it ended
ENDED = (CellState.STEP_ENDED, CellState.OPEN_CIRCUIT)


class ConstantCurrentStep:
    """One step of constant current: legs from set voltage to set voltage, then to the end."""

    def __init__(self, course: Course, step: ConstantCurrent, cycle: int) -> None:
        self.course, self.step, self.cycle = course, step, cycle
        self.current_a = course.experiment.current_a(step)
        self.begin_s = course.journal.began_s("step", step_key(step.name, cycle)) or course.clock.now()
        self.resumed = course.clock.now() - self.begin_s > 1.0
        self.driven_s = 0.0
        self.timed = triggers.timed(step, cycle, step.max_duration)
        self.over = ""  # why no more current flows, once the step has ended before its last leg
        self.before_leg_row = 0

    def plan(self) -> MsgGenerator[None]:
        """Go through the legs."""
        journal = self.course.journal
        for voltage_v, due in self._legs():
            name = f"{step_key(self.step.name, self.cycle)}/{voltage_v:g}"
            if journal.ended("leg", name) is not None:
                continue
            seen_before = journal.began_s("leg", name) is not None
            journal.intent("leg", name)
            missed = yield from self._leg(voltage_v, due, seen_before=seen_before)
            if missed and due is not None:
                yield from self.course.miss(self._occasion(due, voltage_v), missed)
            journal.outcome("leg", name, Outcome.MISSED if missed else Outcome.COMPLETE, reason=missed)
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

    def _leg(self, voltage_v: float, due: DueTomogram | None, *, seen_before: bool) -> MsgGenerator[str]:
        """Drive the cell to a voltage and take its tomogram; return why the voltage was not reached, if it was not."""
        if self.over:
            return self.over
        adopted = self.resumed and seen_before and self.course.runs_already(self.step)
        runs_on = self.step.sync is SyncMode.FREE and self.driven_s > 0
        self.resumed = False
        if not runs_on:
            self.before_leg_row = int(self.course.instruments.cell.potentiostat_row.get(use_monitor=False))
        if not adopted and (passed := self._passed_already(voltage_v)):
            return passed
        if not adopted and not runs_on and (passed := (yield from self._start(voltage_v, holds=self._holds(due)))):
            return passed
        begin_s = self.course.clock.now()
        reached = yield from self._reach(voltage_v, due)
        if due is None:
            return ""
        if self.step.sync is not SyncMode.FREE:
            self.driven_s += self.course.clock.now() - begin_s
        if not reached:
            self.over = (
                f"the step ended at {self.course.voltage_v():.4f} V, {self.course.clock.now() - self.begin_s:.0f} s "
                f"after its start, before {voltage_v:g} V were reached"
            )
            return self.over
        yield from self._take(due, voltage_v)
        if self.step.sync is SyncMode.FREE:
            self.driven_s += self.course.clock.now() - begin_s
        return ""

    def _holds(self, due: DueTomogram | None) -> bool:
        """Whether the instrument itself stops and holds the cell for this tomogram."""
        return self.step.sync is SyncMode.FIRMWARE and due is not None

    def _passed_already(self, voltage_v: float) -> str:
        found_v = self.course.voltage_v()
        if not triggers.crossed(found_v, voltage_v, self.current_a):
            return ""
        return f"{voltage_v:g} V had been passed before: the cell was at {found_v:.4f} V already"

    def _start(self, voltage_v: float, *, holds: bool) -> MsgGenerator[str]:
        """Let the current flow; return why it does not if the voltage does not lie ahead of it."""
        step, left_s = self.step, self.step.max_duration - self.driven_s
        firmware = step.sync is SyncMode.FIRMWARE
        try:
            yield from self.course.command(
                "constant_current",
                step=step.name,
                current_a=self.current_a,
                until_voltage_v=voltage_v if firmware else step.until_voltage,
                # At its own end the instrument would drive the cell to the hold's voltage: the plan ends it before.
                max_duration_s=left_s + step.max_hold if holds else left_s,
                hold=step.hold.value if holds else None,
                max_hold_s=step.max_hold,
            )
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
        begin_s, left_s = self.course.clock.now(), self.step.max_duration - self.driven_s
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

    def _take(self, due: DueTomogram, voltage_v: float) -> MsgGenerator[None]:
        course, stop_v = self.course, self._stop_voltage_v()
        occasion = self._occasion(due, voltage_v, stop_v)
        if self.step.sync is SyncMode.SOFTWARE and self.step.hold is Hold.CONSTANT_VOLTAGE:
            yield from course.command(
                "constant_voltage", step=self.step.name, voltage_v=voltage_v, duration_s=self.step.max_hold
            )
        elif self.step.sync is SyncMode.SOFTWARE:
            yield from course.command("rest", step=self.step.name, duration_s=self.step.max_hold)
            if stop_v is not None and abs(stop_v - voltage_v) > _window_v(due):
                yield from course.miss(
                    occasion, f"the cell was stopped at {stop_v:.4f} V, not within {_window_v(due):g} V"
                )
                return
        yield from course.take(occasion)

    def _stop_voltage_v(self) -> float | None:
        """Return the voltage of the last sample under the leg's current; a free step is not stopped."""
        if self.step.sync is SyncMode.FREE:
            return None
        under_current = [
            row["voltage_v"]
            for row in self.course.samples_since(self.before_leg_row)
            if (row["current_a"] or 0.0) * self.current_a > 0 and not row.get("technique_index")
        ]
        return under_current[-1] if under_current else None

    def _occasion(self, due: DueTomogram, voltage_v: float, stop_v: float | None = None) -> Occasion:
        """Return the occasion with its window: the set voltage holds, or at open circuit the hold itself."""
        window_v, sync = _window_v(due), self.step.sync
        relaxes = self.step.hold is Hold.OCV and sync is not SyncMode.FREE

        def holds() -> bool:
            state = self.course.state()
            if sync is SyncMode.FIRMWARE and state is not CellState.HOLDING:
                return False
            if sync is SyncMode.SOFTWARE and state is not CellState.RUNNING:
                return False
            return relaxes or abs(self.course.voltage_v() - voltage_v) <= window_v

        return Occasion(due, self.step, self.cycle, sync.value, holds, voltage_v, stop_v)


def _stopped(state: CellState) -> bool:
    return state is CellState.HOLDING or state in ENDED


def _window_v(due: DueTomogram) -> float:
    return due.asked.window if due.asked is not None else 0.0
