"""The guard's loop: sample, check, log, publish, obey. One thread owns the cell."""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from devices.instrument_limit import InstrumentLimit
from devices.potentiostat import PotentiostatError
from devices.potentiostat_reading import ChannelState, Snapshot
from devices.techniques import TechniqueError
from operando.guard.charge import ChargePoint, charge_point, next_charge
from operando.guard.commands import (
    ALLOWED_WHILE_TRIPPED,
    LONGEST_NAME,
    STEPS,
    RefusedError,
    period_argument,
    refuse_unknown,
    text_argument,
)
from operando.guard.control import CellControl, NotObeyedError
from operando.guard.inbox import Answer, Command, Inbox
from operando.guard.lateness import Lateness
from operando.guard.limit_reading import CellReading
from operando.guard.limits import LimitEngine
from operando.guard.memory import Memory
from operando.guard.potentiostat_clock import PotentiostatClock
from operando.guard.publication import Publisher, sample_values
from operando.guard.record import Record
from operando.guard.safety import Safety
from operando.guard.samples import Sample, Sampler
from operando.guard.state import cell_state, limit_was_missed
from operando.guard.stepping import Stepping
from operando.model.cell_state import CellState, published_step
from operando.model.clock import Clock, RehearsalClock
from operando.model.experiment import Experiment
from operando.model.limit_rules import Quantity

PERIOD_IN_TROUBLE_S = 1.0  # while an instrument is silent or the cell is unsafe, look at least so often
MOST_ANSWERS = 10_000  # that are remembered; who repeats a command does so within seconds
_GRID_TOLERANCE_S = 1e-6
_LARGEST_INTEGER = 2**31 - 1  # a Channel Access LONG

_logger = logging.getLogger(__name__)


class Guard:
    """Owns the cell of one run.

    Parameters
    ----------
    memory
        What an earlier guard of this run left in the log.
    potentiostat_clock
        Compares the instrument's clock with the run's.
    pressure_limit
        Limit on the stack pressure that the potentiostat itself can keep.
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
        potentiostat_clock: PotentiostatClock,
        *,
        pressure_limit: InstrumentLimit | None = None,
    ) -> None:
        self._limits = limits = experiment.limits
        # Longer periods are asked for only while a rehearsal jumps through them.
        self._longest_live_period_s = max(experiment.sampling.in_tomogram, experiment.sampling.between_tomograms)
        self._sampler = sampler
        self._control = control
        self._record = record
        self._publisher = publisher
        self._inbox = inbox
        self._clock = clock
        self._potentiostat_clock = potentiostat_clock
        self._asked_period_s = memory.period_s or experiment.sampling.between_tomograms
        engine = LimitEngine(limits.rules, poll_s=control.poll_s, largest_current_a=limits.max_current)
        self._safety = Safety(engine, control, record, memory.trip)
        self._stepping = Stepping(limits, pressure_limit, control, self._safety, record, memory.step)
        self._lateness = Lateness(record, clock)
        self._charge: ChargePoint | None = memory.charge
        self._answers = dict(memory.answers)
        self._state = CellState.STARTING
        self._last: Sample | None = None
        self._heartbeat = 0

    @property
    def period_s(self) -> float:
        """Time between samples: as asked, shorter while something is wrong or nobody jumps through time."""
        asked_s = self._asked_period_s
        if not isinstance(self._clock, RehearsalClock) or self._clock.runs_freely:
            asked_s = min(asked_s, self._longest_live_period_s)
        in_trouble = self._safety.in_doubt or self._last is None or self._last.any_silent
        return min(asked_s, PERIOD_IN_TROUBLE_S) if in_trouble else asked_s

    def adopt(self) -> None:
        """Take the first sample and say what was found: a running technique goes on as it is."""
        self.sample()
        snapshot = None if self._last is None else self._last.potentiostat
        if snapshot is None or snapshot.state is ChannelState.STOP:
            return
        step = self._stepping.step
        known = "which nobody told this guard about" if step is None else f"step {step.name!r}"
        self._record.event(
            "adopted",
            f"A technique is running, {known}; it goes on.",
            technique_index=snapshot.technique_index,
            elapsed_s=snapshot.elapsed_s,
        )

    def run(self, *, over: Callable[[], bool] = lambda: False) -> None:
        """Sample on the grid of the run's clock and obey commands in between, until ``over`` or the inbox says so."""
        while not self._inbox.end_reason and not over():
            due_s = self._next_sample_s()
            self._inbox.wait_until(due_s)
            while (command := self._inbox.take()) is not None:
                self._serve(command)
            if self._clock.now() >= due_s - _GRID_TOLERANCE_S:
                self.sample()

    def end_at_open_circuit(self, reason: str) -> None:
        """Open the circuit; if that is not obeyed, guard on as unsafe until it is, or until asked to end once more.

        Raises
        ------
        NotObeyedError
            If asked to end once more before open circuit was verified.
        """
        try:
            self._stepping.open_circuit(reason)
        except NotObeyedError as error:
            self._stepping.trip(f"{self._safety.trip} {reason} {error}".strip())
            self.sample()
            self.run(over=lambda: not self._safety.unsafe)
            if self._safety.unsafe:
                raise NotObeyedError(
                    f"The guard ends and the cell may still be connected: {self._inbox.end_reason} {error} "
                    "Switch the cell off at the instrument."
                ) from error
        self.sample()  # the log ends with what the cell then shows

    def sample(self) -> None:
        """Read everything once, check it, write it down and publish it."""
        self._lateness.begin()
        tripped_before = bool(self._safety.trip)
        with self._lateness.asking():
            sample = self._sampler.read(self._judge)
            self._last = sample
            if tripped_before:
                snapshot = sample.potentiostat
                self._safety.keep(running=snapshot is not None and snapshot.state is not ChannelState.STOP)
        self._record.sample(
            sample, charge_mah=None if self._charge is None else self._charge.charge_mah, period_s=self.period_s
        )
        self._lateness.tell(self.period_s)
        before, self._state = self._state, self._present_state(sample.potentiostat)
        if self._state is not before:
            self._state_changed(before, sample.potentiostat)
        clock_values = self._potentiostat_clock.follow(sample.potentiostat)
        self._record.commit_if_due(fast_forward=self.period_s > self._longest_live_period_s)
        self._publish(sample, clock_values)

    def _judge(self, reading: CellReading) -> None:
        if reading.snapshot is not None:
            charge = self._integrate(reading.snapshot)
            values = {**reading.values, Quantity.CHARGE: charge.charge_mah}
            reading = replace(reading, values=values, step=self._stepping.step)
        self._safety.judge(reading)
        if self._safety.trip:
            self._stepping.forget()

    def _next_sample_s(self) -> float:
        period_s = self.period_s
        return (math.floor((self._clock.now() + _GRID_TOLERANCE_S) / period_s) + 1) * period_s

    def _integrate(self, snapshot: Snapshot) -> ChargePoint:
        time_s = self._clock.now()  # the steady time knows neither the guard before this one nor a host that slept
        if self._charge is None:
            self._charge = charge_point(snapshot, time_s, 0.0)
        else:
            self._charge = next_charge(self._charge, snapshot, time_s, largest_current_a=self._limits.max_current)
        return self._charge

    def _present_state(self, snapshot: Snapshot | None) -> CellState:
        if self._safety.trip:
            return CellState.UNSAFE if self._safety.unsafe else CellState.TRIPPED
        return self._state if snapshot is None else cell_state(snapshot, self._stepping.step)

    def _state_changed(self, before: CellState, snapshot: Snapshot | None) -> None:
        data: dict[str, Any] = (
            {} if snapshot is None else {"voltage_v": snapshot.voltage_v, "elapsed_s": snapshot.elapsed_s}
        )
        self._record.event("state", f"{before} to {self._state}", **data)
        step = self._stepping.step
        if step is None:
            return
        if self._state is CellState.STEP_ENDED and before is not CellState.STARTING:
            self._record.event("step_ended", f"Step {step.name!r} ended by itself.", **data)
        if self._state is CellState.HOLDING and snapshot is not None and limit_was_missed(snapshot, step):
            text = f"Step {step.name!r} ran for its {step.max_duration_s:g} s: it may hold unreached."
            self._record.event("limit_missed", text, level=logging.WARNING, **data)
            self._open_circuit_or_trip(text)

    def _open_circuit(self, reason: str) -> None:
        """Open the circuit as somebody asked; if that cannot be verified, trip, so that it is tried on and on."""
        try:
            self._stepping.open_circuit(reason)
        except NotObeyedError as error:
            if not self._safety.trip:
                self._stepping.trip(f"Open circuit was asked for ({reason.rstrip('.')}). {error}")
            raise

    def _open_circuit_or_trip(self, reason: str) -> None:
        try:
            self._control.open_circuit()
        except NotObeyedError as error:
            self._stepping.trip(f"{reason} {error}")
        else:
            self._state = CellState.STEP_ENDED

    def _publish(self, sample: Sample, clock_values: Mapping[str, float]) -> None:
        self._heartbeat = self._heartbeat % _LARGEST_INTEGER + 1
        charge_mah = None if self._charge is None else self._charge.charge_mah
        values = sample_values(sample, charge_mah, self._record.committed_rows) | {
            **clock_values,
            "PERIOD": self.period_s,
            "STATE": self._state.value,
            "STEP": "" if (step := self._stepping.step) is None else published_step(step.name),
            "TRIP": self._safety.trip,
            "HEARTBEAT": self._heartbeat,
        }
        try:
            self._publisher.publish(values, sample.time_s)
        except TimeoutError:  # a server too busy to answer shows this later; guarding goes on
            _logger.warning("What was sampled at %.3f s could not be published in time.", sample.time_s)

    def _serve(self, command: Command) -> None:
        known = self._answers.get(command.id)
        if known is not None:
            command.answer(known)
            return
        outcome, reason = "done", ""
        try:
            with self._lateness.obeying():
                self._obey(command.name, command.arguments)
        except (RefusedError, TechniqueError) as error:
            outcome, reason = "refused", str(error)
        except (NotObeyedError, PotentiostatError) as error:
            outcome, reason = "failed", str(error)
        except Exception as error:  # a mistake in a command's handling must not leave the cell unguarded
            _logger.exception("The command %r went wrong.", command.name)
            outcome, reason = "failed", f"The guard could not handle it ({type(error).__name__}: {error})."
        answer = Answer(command.id, outcome, reason)
        self._remember(answer)
        self._record.event(
            "command",
            f"{command.name[:LONGEST_NAME]}: {outcome}{': ' + reason if reason else ''}",
            id=command.id,
            command=command.name,
            arguments=dict(command.arguments),
            outcome=outcome,
            reason=reason,
        )
        self.sample()  # what is published agrees with the answer
        command.answer(answer)

    def _remember(self, answer: Answer) -> None:
        self._answers[answer.id] = answer
        while len(self._answers) > MOST_ANSWERS:
            del self._answers[next(iter(self._answers))]

    def _obey(self, name: str, arguments: Mapping[str, Any]) -> None:
        if (trip := self._safety.trip) and name not in ALLOWED_WHILE_TRIPPED:
            raise RefusedError(f"The cell is tripped: {trip} Find the cause, then clear_trip with your name.")
        refuse_unknown(name)
        if name in STEPS:
            self._stepping.begin(name, arguments)
        elif name == "open_circuit":
            self._open_circuit(text_argument(arguments, "reason"))
        elif name == "set_sampling":
            period_s = self._asked_period_s = period_argument(arguments)
            self._record.event("sampling", f"A sample every {period_s:g} s.", period_s=period_s)
        elif name == "clear_trip":
            person, reason = text_argument(arguments, "person"), text_argument(arguments, "reason")
            self._sampler.read(self._judge)
            self._safety.clear(person=person, reason=reason)
        elif name == "note":
            self._record.event("note", text_argument(arguments, "text"))
