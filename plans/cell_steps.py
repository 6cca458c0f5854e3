"""The steps of a schedule as the cell goes through them: rest, constant voltage, constant current with set voltages."""

from collections.abc import Callable

from bluesky.utils import MsgGenerator

from operando.model.outcome import Outcome
from operando.model.schedule import CellStep, ConstantCurrent, ConstantVoltage, Hold, Rest, SyncMode, step_key
from plans import triggers
from plans.cell_watch import CellDangerError, CellState
from plans.course import Course, Occasion
from plans.triggers import DueTomogram

NEAR_V = 0.05  # of a set voltage: the guard samples as in a tomogram from here on, so that the crossing is seen in time
LATE_END_S = 120.0  # after a technique's bounded duration the guard must have said that it ended
ENDED = (CellState.STEP_ENDED, CellState.OPEN_CIRCUIT)


def run_step(course: Course, step: CellStep, cycle: int) -> MsgGenerator[None]:
    """Take the cell through one step, with its tomograms."""
    if isinstance(step, ConstantCurrent):
        yield from _ConstantCurrent(course, step, cycle).plan()
    else:
        yield from _timed_step(course, step, cycle)


def _timed_step(course: Course, step: Rest | ConstantVoltage, cycle: int) -> MsgGenerator[None]:
    now_s = course.clock.now()
    begin_s = course.journal.began_s("step", step_key(step.name, cycle)) or now_s
    end_s = begin_s + step.duration
    if end_s > now_s and not _runs_already(course, step, resumed=now_s - begin_s > 1.0):
        if isinstance(step, Rest):
            yield from course.command("rest", step=step.name, duration_s=end_s - now_s)
        else:
            yield from course.command(
                "constant_voltage", step=step.name, voltage_v=step.voltage, duration_s=end_s - now_s
            )
    for due in triggers.timed(step, cycle, step.duration):
        yield from take_timed(course, step, cycle, due, begin_s)
    yield from course.wait(step, cycle, phase=step.step, until_s=end_s, begin_s=begin_s)
    for due in triggers.at_end(step, cycle):
        yield from course.take(Occasion(due, step, cycle, "end"))


def take_timed(course: Course, step: CellStep, cycle: int, due: DueTomogram, begin_s: float) -> MsgGenerator[None]:
    """Wait until a tomogram is due by time and take it; one whose successor is due too was missed."""
    due_s = begin_s + (due.after_s or 0.0)
    yield from course.wait(step, cycle, phase=step.step, until_s=due_s, begin_s=begin_s)
    yield from take_late(course, step, cycle, due, due_s)


def take_late(course: Course, step: CellStep, cycle: int, due: DueTomogram, due_s: float) -> MsgGenerator[None]:
    """Take a tomogram whose time has come, unless the next one of its series is due as well."""
    every_s = due.asked.every if due.asked is not None else None
    occasion = Occasion(due, step, cycle, "time")
    if every_s is not None and course.clock.now() >= due_s + every_s:
        if course.journal.ended("tomogram", due.name) is None:
            yield from course.miss(occasion, f"the one before took longer than {every_s:g} s")
        return
    yield from course.take(occasion)


def _runs_already(course: Course, step: CellStep, *, resumed: bool) -> bool:
    if not resumed or course.state() not in (CellState.RUNNING, CellState.HOLDING):
        return False
    return str(course.instruments.cell.step.get(use_monitor=False)) == step.name


class _ConstantCurrent:
    """One step of constant current: legs from set voltage to set voltage, then to the end."""

    def __init__(self, course: Course, step: ConstantCurrent, cycle: int) -> None:
        self.course, self.step, self.cycle = course, step, cycle
        self.current_a = course.experiment.current_a(step)
        self.begin_s = course.journal.began_s("step", step_key(step.name, cycle)) or course.clock.now()
        self.resumed = course.clock.now() - self.begin_s > 1.0
        self.driven_s = 0.0
        self.timed = triggers.timed(step, cycle, step.max_duration)

    def plan(self) -> MsgGenerator[None]:
        """Go through the legs."""
        legs: list[tuple[float, DueTomogram | None]] = [
            (due.asked.voltage, due)
            for due in triggers.at_voltages(self.step, self.cycle)
            if due.asked is not None and due.asked.voltage is not None
        ]
        if not legs or legs[-1][0] != self.step.until_voltage:
            legs.append((self.step.until_voltage, None))
        for voltage_v, due in legs:
            name = f"{step_key(self.step.name, self.cycle)}/{voltage_v:g}"
            if self.course.journal.ended("leg", name) is None:
                seen_before = self.course.journal.began_s("leg", name) is not None
                self.course.journal.intent("leg", name)
                yield from self._leg(voltage_v, due, seen_before=seen_before)
                self.course.journal.outcome("leg", name, Outcome.COMPLETE)
        for due in triggers.at_end(self.step, self.cycle):
            yield from self.course.take(Occasion(due, self.step, self.cycle, "end"))

    def _leg(self, voltage_v: float, due: DueTomogram | None, *, seen_before: bool) -> MsgGenerator[None]:
        sync = self.step.sync
        firmware = sync is SyncMode.FIRMWARE and due is not None
        left_s = self.step.max_duration - self.driven_s
        if left_s <= 0:
            if due is not None:
                yield from self.course.miss(self._occasion(due, voltage_v), f"{self.step.max_duration:g} s were over")
            return
        adopted = _runs_already(self.course, self.step, resumed=self.resumed and seen_before)
        free_runs_on = sync is SyncMode.FREE and self.course.state() is CellState.RUNNING and self.driven_s > 0
        if not adopted and not free_runs_on:
            yield from self.course.command(
                "constant_current",
                step=self.step.name,
                current_a=self.current_a,
                until_voltage_v=voltage_v if sync is SyncMode.FIRMWARE else self.step.until_voltage,
                max_duration_s=left_s,
                hold=self.step.hold.value if firmware else None,
                max_hold_s=self.step.max_hold,
            )
        self.resumed = False
        leg_s = self.course.clock.now()
        if firmware or due is None:
            yield from self._drive(lambda state: state is CellState.HOLDING or state in ENDED, left_s)
        else:
            yield from self._approach(voltage_v, left_s)
        self.driven_s += self.course.clock.now() - leg_s
        if due is not None:
            yield from self._at_voltage(due, voltage_v)

    def _approach(self, voltage_v: float, left_s: float) -> MsgGenerator[None]:
        def near(state: CellState) -> bool:
            found_v = self.course.voltage_v()
            return abs(found_v - voltage_v) <= NEAR_V or self._crossed(state, voltage_v)

        begin_s = self.course.clock.now()
        yield from self._drive(near, left_s)
        yield from self.course.command("set_sampling", period_s=self.course.experiment.sampling.in_tomogram)
        left_s -= self.course.clock.now() - begin_s
        yield from self._drive(lambda state: self._crossed(state, voltage_v), left_s)

    def _crossed(self, state: CellState, voltage_v: float) -> bool:
        return state in ENDED or triggers.crossed(self.course.voltage_v(), voltage_v, self.current_a)

    def _drive(self, condition: Callable[[CellState], bool], left_s: float) -> MsgGenerator[None]:
        """Wait until the condition holds or the time is over, with the tomograms that a time decides on the way."""
        end_s = self.course.clock.now() + left_s + LATE_END_S
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
            if reached:
                return
            if due is None or due_s >= end_s:
                raise CellDangerError(
                    f"step {self.step.name}: the technique should have ended after {left_s:g} s, but the guard still "
                    f"says {self.course.state()}. Look at the potentiostat, then resume the run."
                )
            self.timed.pop(0)
            yield from take_late(self.course, self.step, self.cycle, due, due_s)

    def _at_voltage(self, due: DueTomogram, voltage_v: float) -> MsgGenerator[None]:
        course, state, found_v = self.course, self.course.state(), self.course.voltage_v()
        occasion = self._occasion(due, voltage_v)
        firmware = self.step.sync is SyncMode.FIRMWARE
        reached = state is CellState.HOLDING if firmware else self._passed(voltage_v, state, found_v)
        if not reached:
            yield from course.miss(occasion, f"the step ended at {found_v:.4f} V before {voltage_v:g} V were reached")
            return
        if self.step.sync is SyncMode.SOFTWARE:
            hold_s = self.step.max_hold
            if self.step.hold is Hold.CONSTANT_VOLTAGE:
                yield from course.command(
                    "constant_voltage", step=self.step.name, voltage_v=voltage_v, duration_s=hold_s
                )
            else:
                yield from course.command("rest", step=self.step.name, duration_s=hold_s)
        yield from course.take(occasion)

    def _passed(self, voltage_v: float, state: CellState, found_v: float) -> bool:
        # The instrument ends the step at until_voltage by itself; the sample after it has relaxed already.
        at_end = state in ENDED and voltage_v == self.step.until_voltage and self.driven_s < self.step.max_duration
        return at_end or triggers.crossed(found_v, voltage_v, self.current_a)

    def _occasion(self, due: DueTomogram, voltage_v: float) -> Occasion:
        """Return the occasion with its window: the set voltage holds, or at open circuit the hold itself."""
        window_v = due.asked.window if due.asked is not None else 0.0
        sync, relaxes = self.step.sync, self.step.hold is Hold.OCV and self.step.sync is not SyncMode.FREE

        def holds() -> bool:
            state = self.course.state()
            if sync is SyncMode.FIRMWARE and state is not CellState.HOLDING:
                return False
            if sync is SyncMode.SOFTWARE and state is not CellState.RUNNING:
                return False
            return relaxes or abs(self.course.voltage_v() - voltage_v) <= window_v

        return Occasion(due, self.step, self.cycle, sync.value, holds, voltage_v)
