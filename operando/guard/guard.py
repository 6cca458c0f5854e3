"""The guard's loop: sample, check, log, publish, obey. One thread owns the cell."""

import logging
import math
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, Protocol

from devices.potentiostat import PotentiostatError
from devices.potentiostat_reading import ChannelState, Snapshot
from devices.techniques import TechniqueError
from operando.guard.charge import ChargePoint, charge_point, next_charge
from operando.guard.control import CellControl, NotObeyedError
from operando.guard.inbox import Answer, Command, Inbox
from operando.guard.limits import Severity, violations
from operando.guard.memory import Memory
from operando.guard.record import Record
from operando.guard.samples import Sample, Sampler
from operando.guard.state import State, Step, cell_state, limit_was_missed
from operando.guard.techniques import loaded_step
from operando.model.clock import Clock, RehearsalClock
from operando.model.experiment import Experiment

PERIOD_IN_TROUBLE_S = 1.0  # while an instrument is silent or the cell is unsafe, look at least so often
SHORTEST_PERIOD_S = 0.05
_ALLOWED_WHILE_TRIPPED = ("clear_trip", "note", "open_circuit", "set_sampling")
_STEPS = ("rest", "constant_current", "constant_voltage")
_GRID_TOLERANCE_S = 1e-6
_LARGEST_INTEGER = 2**31 - 1  # a Channel Access LONG


class Publisher(Protocol):
    """Where the guard's state is shown."""

    def publish(self, values: Mapping[str, Any], time_s: float) -> None:
        """Post values stamped with a time of the run's clock."""


class RefusedError(Exception):
    """A command that is not obeyed; the text is the reason."""


class Guard:
    """Owns the cell of one run.

    Parameters
    ----------
    memory
        What an earlier guard of this run left in the log.
    reason_to_end
        Asked at every sample; a text ends the loop.
    """

    def __init__(
        self,
        experiment: Experiment,
        sampler: Sampler,
        control: CellControl,
        record: Record,
        publisher: Publisher,
        inbox: Inbox,
        clock: Clock,
        memory: Memory,
        reason_to_end: Callable[[], str] = str,
    ) -> None:
        self._limits = experiment.limits
        # Longer periods are asked for only while a rehearsal jumps through them.
        self._longest_live_period_s = max(experiment.sampling.in_tomogram, experiment.sampling.between_tomograms)
        self._sampler = sampler
        self._control = control
        self._record = record
        self._publisher = publisher
        self._inbox = inbox
        self._clock = clock
        self._reason_to_end = reason_to_end
        self._asked_period_s = memory.period_s or experiment.sampling.between_tomograms
        self._step: Step | None = memory.step
        self._trip = memory.trip
        self._unsafe = False
        self._charge: ChargePoint | None = memory.charge
        self._answers = dict(memory.answers)
        self._state = State.STARTING
        self._last: Sample | None = None
        self._faults: set[str] = set()
        self._heartbeat = 0

    @property
    def period_s(self) -> float:
        """Time between samples: as asked, shorter while something is wrong or nobody jumps through time."""
        asked_s = self._asked_period_s
        if isinstance(self._clock, RehearsalClock) and self._clock.runs_freely:
            asked_s = min(asked_s, self._longest_live_period_s)
        in_trouble = self._unsafe or self._last is None or self._last.reading.potentiostat_silent_s > 0
        in_trouble = in_trouble or (self._last is not None and self._last.reading.force_silent_s > 0)
        return min(asked_s, PERIOD_IN_TROUBLE_S) if in_trouble else asked_s

    def adopt(self) -> None:
        """Take the first sample and say what was found: a running technique goes on as it is."""
        self.sample()
        snapshot = None if self._last is None else self._last.potentiostat
        if snapshot is None or snapshot.state is ChannelState.STOP:
            return
        known = "which nobody told this guard about" if self._step is None else f"step {self._step.name!r}"
        self._record.event(
            "adopted",
            f"A technique is running, {known}; it goes on.",
            technique_index=snapshot.technique_index,
            elapsed_s=snapshot.elapsed_s,
        )

    def run(self) -> None:
        """Sample on the grid of the run's clock and obey commands in between, until the inbox says to end."""
        while not self._inbox.end_reason:
            due_s = self._next_sample_s()
            self._inbox.wait_until(due_s)
            while (command := self._inbox.take()) is not None:
                self._serve(command)
            if self._clock.now() >= due_s - _GRID_TOLERANCE_S:
                self.sample()
                if reason := self._reason_to_end():
                    self._inbox.end(reason)

    def open_circuit(self, reason: str) -> None:
        """Open the circuit and verify it.

        Raises
        ------
        NotObeyedError
            If it could not be verified.
        """
        self._control.open_circuit()
        self._step = None
        self._record.event("open_circuit", reason)

    def sample(self) -> None:
        """Read everything once, check it, write it down and publish it."""
        sample = self._sampler.read()
        self._last = sample
        self._check(sample)
        if sample.potentiostat is not None:
            self._integrate(sample.potentiostat, sample.time_s)
        self._record.sample(
            sample, charge_mah=None if self._charge is None else self._charge.charge_mah, period_s=self.period_s
        )
        before, self._state = self._state, self._present_state(sample.potentiostat)
        if self._state is not before:
            self._state_changed(before, sample.potentiostat)
        self._record.commit_if_due(fast_forward=self.period_s > self._longest_live_period_s)
        self._publish(sample)

    def _next_sample_s(self) -> float:
        period_s = self.period_s
        return (math.floor((self._clock.now() + _GRID_TOLERANCE_S) / period_s) + 1) * period_s

    def _integrate(self, snapshot: Snapshot, time_s: float) -> None:
        if self._charge is None:
            self._charge = charge_point(snapshot, time_s, 0.0)
        else:
            self._charge = next_charge(self._charge, snapshot, time_s, largest_current_a=self._limits.max_current)

    def _present_state(self, snapshot: Snapshot | None) -> State:
        if self._trip:
            return State.UNSAFE if self._unsafe else State.TRIPPED
        return self._state if snapshot is None else cell_state(snapshot, self._step)

    def _state_changed(self, before: State, snapshot: Snapshot | None) -> None:
        data: dict[str, Any] = (
            {} if snapshot is None else {"voltage_v": snapshot.voltage_v, "elapsed_s": snapshot.elapsed_s}
        )
        self._record.event("state", f"{before} to {self._state}", **data)
        if self._state is State.STEP_ENDED and before is not State.STARTING and self._step is not None:
            self._record.event("step_ended", f"Step {self._step.name!r} ended by itself.", **data)
        missed = self._step is not None and snapshot is not None and limit_was_missed(snapshot, self._step)
        if self._state is State.HOLDING and missed:
            assert self._step is not None
            text = f"Step {self._step.name!r} ran for its {self._step.max_duration_s:g} s: it may hold unreached."
            self._record.event("limit_missed", text, level=logging.WARNING, **data)
            self._open_circuit_or_trip(text)

    def _open_circuit_or_trip(self, reason: str) -> None:
        try:
            self._control.open_circuit()
        except NotObeyedError as error:
            self._trip_now(f"{reason} {error}")
        else:
            self._state = State.STEP_ENDED

    def _check(self, sample: Sample) -> None:
        found = violations(sample.reading, self._limits)
        danger = [violation for violation in found if violation.severity is Severity.CELL_DANGER]
        if danger and not self._trip:
            self._trip_now(" ".join(violation.reason for violation in danger))
        elif self._trip and (self._unsafe or self._runs_although_tripped(sample.potentiostat)):
            self._make_safe()
        for violation in found:
            if violation.quantity not in self._faults:
                self._record.event(
                    "limit",
                    violation.reason,
                    level=logging.WARNING,
                    quantity=violation.quantity,
                    severity=violation.severity.value,
                )
        for quantity in self._faults - {violation.quantity for violation in found}:
            self._record.event("limit_over", f"The {quantity} is within its limits again.", quantity=quantity)
        self._faults = {violation.quantity for violation in found}

    @staticmethod
    def _runs_although_tripped(snapshot: Snapshot | None) -> bool:
        return snapshot is not None and snapshot.state is not ChannelState.STOP

    def _trip_now(self, reason: str) -> None:
        self._trip = reason
        self._make_safe()  # before anything is written: the disk may be slow
        self._record.event("trip", reason, level=logging.ERROR)
        self._step = None

    def _make_safe(self) -> None:
        was_unsafe = self._unsafe
        began_s = perf_counter()
        try:
            self._control.open_circuit()
        except NotObeyedError as error:
            self._unsafe = True
            self._record.event("unsafe", f"The cell may still be connected: {error}", level=logging.CRITICAL)
            return
        self._unsafe = False
        took_s = perf_counter() - began_s
        text = "Open circuit was verified" + (" at last." if was_unsafe else ".")
        self._record.event("safe", text, host_time_to_verify_s=took_s)

    def _publish(self, sample: Sample) -> None:
        snapshot = sample.potentiostat
        self._heartbeat = self._heartbeat % _LARGEST_INTEGER + 1
        rows = self._record.committed_rows
        values = {
            "VOLTAGE": math.nan if snapshot is None else snapshot.voltage_v,
            "CURRENT": math.nan if snapshot is None else snapshot.current_a,
            "ELAPSED": math.nan if snapshot is None else snapshot.elapsed_s,
            "TECHNIQUE_INDEX": -1 if snapshot is None else snapshot.technique_index,
            "CHARGE": math.nan if self._charge is None else self._charge.charge_mah,
            "FORCE": sample.force_n,
            "PRESSURE": sample.pressure_mpa,
            "TEMPERATURE": math.nan if sample.temperature is None else sample.temperature.temperature_c,
            "SAMPLE_TIME": sample.time_s,
            "PERIOD": self.period_s,
            "STATE": self._state.value,
            "STEP": "" if self._step is None else self._step.name[:39],
            "TRIP": self._trip,
            "QUALITY": str(sample.quality),
            "POTENTIOSTAT_ROW": rows["potentiostat"],
            "LOAD_CELL_ROW": rows["load_cell"],
            "TEMPERATURE_ROW": rows["temperature"],
            "HEARTBEAT": self._heartbeat,
        }
        self._publisher.publish(values, sample.time_s)

    def _serve(self, command: Command) -> None:
        known = self._answers.get(command.id)
        if known is not None:
            command.answer(known)
            return
        outcome, reason = "done", ""
        try:
            self._obey(command.name, command.arguments)
        except RefusedError as error:
            outcome, reason = "refused", str(error)
        except TechniqueError as error:
            outcome, reason = "refused", str(error)
        except (NotObeyedError, PotentiostatError) as error:
            outcome, reason = "failed", str(error)
        answer = Answer(command.id, outcome, reason)
        self._answers[command.id] = answer
        self._record.event(
            "command",
            f"{command.name}: {outcome}{': ' + reason if reason else ''}",
            id=command.id,
            command=command.name,
            arguments=dict(command.arguments),
            outcome=outcome,
            reason=reason,
        )
        self.sample()  # what is published agrees with the answer
        command.answer(answer)

    def _obey(self, name: str, arguments: Mapping[str, Any]) -> None:
        if self._trip and name not in _ALLOWED_WHILE_TRIPPED:
            raise RefusedError(f"The cell is tripped: {self._trip} Find the cause, then clear_trip with your name.")
        if name in _STEPS:
            self._begin_step(name, arguments)
        elif name == "open_circuit":
            self.open_circuit(_text(arguments, "reason"))
        elif name == "set_sampling":
            self._set_sampling(arguments.get("period_s"))
        elif name == "clear_trip":
            self._clear_trip(_text(arguments, "person"), _text(arguments, "reason"))
        elif name == "note":
            self._record.event("note", _text(arguments, "text"))
        else:
            known = ", ".join((*_STEPS, *_ALLOWED_WHILE_TRIPPED))
            raise RefusedError(f"{name!r} is no command of the guard; there are {known}.")

    def _begin_step(self, name: str, arguments: Mapping[str, Any]) -> None:
        present = self._control.potentiostat.poll()
        if present is None:
            raise NotObeyedError("The potentiostat does not answer: nothing was changed. Check its server.")
        loaded = loaded_step(name, arguments, self._limits, present.voltage_v)
        opened_s = self._clock.now()
        if present.state is not ChannelState.STOP:
            self.open_circuit(f"Before step {loaded.step!r}.")
        # Written before the start: a guard that is killed in between is followed by one that knows what runs.
        self._record.event("step", loaded.step, **loaded.as_data(), started_elapsed_s=present.elapsed_s)
        self._step = Step(loaded.step, loaded.holds, loaded.max_duration_s, present.elapsed_s)
        try:
            self._control.start(loaded.techniques)
        except (NotObeyedError, PotentiostatError, TechniqueError):
            self.open_circuit(f"Step {loaded.step!r} did not start.")
            raise
        gap_s = self._clock.now() - opened_s
        self._record.event("step_started", f"{loaded.step} after {gap_s:.2f} s at open circuit", gap_s=gap_s)

    def _set_sampling(self, period_s: object) -> None:
        if not isinstance(period_s, int | float) or not SHORTEST_PERIOD_S <= period_s < math.inf:
            raise RefusedError(f"period_s is {period_s!r}; it must be a number of at least {SHORTEST_PERIOD_S:g} s.")
        self._asked_period_s = float(period_s)
        self._record.event("sampling", f"A sample every {period_s:g} s.", period_s=self._asked_period_s)

    def _clear_trip(self, person: str, reason: str) -> None:
        if not self._trip:
            raise RefusedError("There is no trip to clear.")
        if self._unsafe:
            raise RefusedError("Open circuit is not verified yet: see that the potentiostat answers, then ask again.")
        dangers = violations(self._sampler.read().reading, self._limits)
        still = [violation.reason for violation in dangers if violation.severity is Severity.CELL_DANGER]
        if still:
            raise RefusedError(f"The reason is still there: {' '.join(still)}")
        self._record.event("trip_cleared", f"{person}: {reason}", person=person, reason=reason, trip=self._trip)
        self._trip = ""


def _text(arguments: Mapping[str, Any], key: str) -> str:
    said = arguments.get(key)
    if not isinstance(said, str) or not said.strip():
        raise RefusedError(f"{key} is {said!r}; it must be a text that says something.")
    return said
