"""An experiment under way: waits that keep an eye on cell and people, tomograms with a retake, and their records."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky.utils import MsgGenerator

from devices.answers import NO_ANSWER
from devices.cell import CellCommandError
from operando.model.cell_state import CellState, published_step
from operando.model.clock import Clock
from operando.model.experiment import Experiment
from operando.model.outcome import Outcome
from operando.model.run_directory import RunDirectory
from operando.model.schedule import CellStep, step_key
from plans import cell_watch, clock_waits, facts, requests_of_people, space
from plans.beam_record import BeamRecord
from plans.cell_watch import CellDangerError
from plans.faults import StopWishedError, outcome_of, sentence, undisturbed
from plans.guard_samples import GuardSamples
from plans.instruments import Instruments
from plans.occasion import Occasion
from plans.report import Progress, Report, Wishes
from plans.requests_of_people import TakeEdit, refuse_edit
from plans.schedule_journal import ScheduleJournal
from plans.tomogram import TomogramEnd, TomogramName, tomogram
from plans.tomogram_scan import TomogramScan

OUTER = "experiment"
MAX_FAULTS = 2  # of instruments, at one tomogram
MAX_BEAM_LOSSES = 5  # at one tomogram; a beam that is lost more often is no beam
GUARD_SILENCE_S = 60.0  # of the clock; a guard that is gone longer was not restarted
IDLE_LOOK_S = 5.0  # of the clock, while nothing but time is waited for: what a person asks is answered within this
SAMPLE_KEYS = {
    "potentiostat_row": "",
    "time_s": "s",
    "elapsed_s": "s",
    "made_s": "s",
    "voltage_v": "V",
    "current_a": "A",
    "charge_mah": "mAh",
}


@dataclass
class Course:
    """What the steps of an experiment share.

    ``tell`` says a sentence to a person.
    """

    instruments: Instruments
    clock: Clock
    experiment: Experiment
    scan: TomogramScan
    run_directory: RunDirectory
    journal: ScheduleJournal
    samples: GuardSamples
    wishes: Wishes
    report: Report
    tomogram_metadata: Mapping[str, Any]
    between_tomograms_s: float
    tell: Callable[[str], None]
    ended: list[TomogramEnd] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    take_edit: TakeEdit = refuse_edit
    under_way: str = ""
    early_end: str = ""  # of the step under way: what was told of a technique that ended long before it should have
    beam: BeamRecord = field(init=False)
    pages: facts.Pages = field(default_factory=lambda: facts.Pages("cell_samples", SAMPLE_KEYS))
    _silent_since_s: float | None = None

    def __post_init__(self) -> None:
        self.beam = BeamRecord(self.instruments.ring_current, self.clock)

    @property
    def num_begun(self) -> int:
        """How many steps of the schedule, with its loops gone through, have begun."""
        begun = [
            number
            for number, (cycle, step) in enumerate(self.experiment.steps, start=1)
            if self.journal.began_s("step", step_key(step.name, cycle)) is not None
        ]
        return max(begun, default=0)

    def next_step(self) -> tuple[int, CellStep] | None:
        """Return cycle and step of the first step that is not over."""
        steps = self.experiment.steps
        return next(
            ((cycle, step) for cycle, step in steps if not self.journal.is_over("step", step_key(step.name, cycle))),
            None,
        )

    def outer(self, plan: MsgGenerator[Any]) -> MsgGenerator[Any]:
        """Send the messages of ``plan`` to the experiment's own run."""
        return (yield from bpp.set_run_key_wrapper(plan, OUTER))

    def command(self, name: str, **arguments: Any) -> MsgGenerator[None]:
        """Command the guard and wait until it is verified."""
        yield from cell_watch.command(self.instruments.cell, self.clock, name, **arguments)

    def order(
        self, entry: str, name: str, command: str, details: Mapping[str, Any], **arguments: Any
    ) -> MsgGenerator[None]:
        """Command the guard for an entry of the schedule; whoever resumes the run can find out what came of it."""
        identity = self.journal.commanded(entry, name, **details)
        yield from cell_watch.command(self.instruments.cell, self.clock, command, identity=identity, **arguments)

    def repeat_order(self, entry: str, name: str, command: str, **arguments: Any) -> MsgGenerator[CellState]:
        """Give once more the last order for an entry, which an earlier acquisition gave; return the cell's state.

        A guard that was told before does nothing; one that was not obeys now. A command that had failed, or that is
        refused, leaves the cell as it is.
        """
        given = self.journal.last_command(entry, name)
        if given is not None:
            with contextlib.suppress(CellCommandError):
                yield from cell_watch.command(
                    self.instruments.cell, self.clock, command, identity=str(given["id"]), **arguments
                )
        return (yield from self.known_state())

    def known_state(self) -> MsgGenerator[CellState]:
        """Return the cell's state as soon as the guard tells one."""
        while (found := self.state()) is CellState.STARTING:
            self.stop_if_wished()
            yield from clock_waits.sleep_until(self.clock, self._next_look_s(self.clock.now()))
        return found

    def state(self) -> CellState:
        """Ask the guard for its state; a short silence of the guard reads as STARTING."""
        try:
            found = cell_watch.state(self.instruments.cell)
        except NO_ANSWER as error:
            now_s = self.clock.now()
            self._silent_since_s = self._silent_since_s or now_s
            if now_s - self._silent_since_s > GUARD_SILENCE_S:
                raise CellDangerError(
                    f"The guard has not answered for {now_s - self._silent_since_s:.0f} s (limit {GUARD_SILENCE_S:g} "
                    f"s, {error}). The technique's own limits protect the cell. Start the guard, then resume the run."
                ) from error
            return CellState.STARTING
        self._silent_since_s = None
        return found

    def is_at(self, step: CellStep) -> bool:
        """Return whether the step that the guard holds is this one."""
        return str(self.instruments.cell.step.get(use_monitor=False)) == published_step(step.name)

    def tell_early_end(self, found: str) -> None:
        """Say, once for a step, that its technique has ended long before it should have."""
        if not self.early_end:
            self.early_end = f"{found[0].upper()}{found[1:]}. Look at the instrument; the schedule goes on."
            self.tell(self.early_end)

    def voltage_v(self) -> float:
        """Return the voltage of the guard's last sample."""
        return cell_watch.voltage_v(self.instruments.cell)

    def wait(
        self,
        step: CellStep,
        cycle: int,
        *,
        phase: str,
        until_s: float | None = None,
        condition: Callable[[CellState], bool] | None = None,
        begin_s: float | None = None,
        watch: Callable[[CellState], None] | None = None,
    ) -> MsgGenerator[bool]:
        """Wait until ``condition(state)`` holds at a guard sample, or until ``until_s``; return whether it holds.

        Requests of people are answered meanwhile. Without a condition not every sample is looked at; what each look
        finds is told to ``watch``.

        Raises
        ------
        CellDangerError
            If the guard trips or is gone.
        StopWishedError
            If a person wants the experiment to end.
        """
        begin_s = self.clock.now() if begin_s is None else begin_s
        while True:
            found = self.state()
            self.stop_if_wished()
            yield from self.answer_requests(step, cycle)
            yield from self.outer(self.beam.when_due())
            if watch is not None and found is not CellState.STARTING:
                watch(found)
            if condition is not None and found is not CellState.STARTING and condition(found):
                return True
            now_s = self.clock.now()
            if until_s is not None and now_s >= until_s:
                return False
            left_s = None if until_s is None else until_s - now_s
            fraction = 0.0 if until_s is None or until_s <= begin_s else (now_s - begin_s) / (until_s - begin_s)
            self.report(Progress(step.name, phase, fraction, left_s))
            look_s = self._next_look_s(now_s)
            if condition is None:
                look_s = max(look_s, now_s + IDLE_LOOK_S)
            yield from bps.checkpoint()
            yield from clock_waits.sleep_until(self.clock, look_s if until_s is None else min(look_s, until_s))

    def take(self, occasion: Occasion) -> MsgGenerator[None]:
        """Take a tomogram, again if it is partial and its window still holds; a complete one is not repeated.

        Without a beam it waits for one, as long as the window holds.
        """
        name = occasion.due.name
        if self.journal.is_over("tomogram", name):
            return
        if name in self.journal.skipped:
            yield from self.miss(occasion, self.journal.skipped[name])
            return
        faults_left, losses_left = MAX_FAULTS, MAX_BEAM_LOSSES
        while faults_left > 0 and losses_left > 0:
            if not (yield from self._wait_for_beam(occasion)):
                if faults_left == MAX_FAULTS and losses_left == MAX_BEAM_LOSSES:
                    yield from self.miss(occasion, "its window had passed before it could begin")
                break
            end = yield from self._attempt(occasion)
            self.ended.append(end)
            if end.outcome is Outcome.COMPLETE:
                break
            faults_left -= not end.lost_beam
            losses_left -= end.lost_beam
        yield from self.answer_requests(occasion.step, occasion.cycle)
        self.stop_here_if_asked(name)
        self.stop_if_wished()

    def miss(self, occasion: Occasion, reason: str) -> MsgGenerator[None]:
        """Record that a tomogram was not taken; no run is opened for it."""
        if self.journal.is_over("tomogram", occasion.due.name):
            return
        self.missed.append(occasion.due.name)
        fields = {
            "tomogram": occasion.due.name,
            "step": occasion.step.name,
            "cycle": occasion.cycle,
            "target_v": float("nan") if occasion.target_v is None else occasion.target_v,
            "voltage_v": self.voltage_v(),
            "reason": reason,
        }
        yield from self.outer(facts.record("missed", fields, self.clock))
        self.journal.outcome("tomogram", occasion.due.name, Outcome.MISSED, reason=reason)

    def stop_if_wished(self) -> None:
        """Raise StopWishedError if the session wants the experiment to end."""
        if self.wishes.stopping:
            raise StopWishedError("a person asked to stop")

    def _attempt(self, occasion: Occasion) -> MsgGenerator[TomogramEnd]:
        # A journal of which a line is damaged may have forgotten an attempt; its frames are never written over.
        attempt = max(self.journal.next_attempt(), self.run_directory.last_attempt_with_frames() + 1)
        due = occasion.due
        space.require_space(self.run_directory.path, due.name, self.scan, self.experiment, self.journal)
        details = {"attempt": attempt, "step": occasion.step.name, "cycle": occasion.cycle}
        self.journal.intent("tomogram", due.name, **details)
        yield from self.command("set_sampling", period_s=self.experiment.sampling.in_tomogram)
        row = int(self.instruments.cell.potentiostat_row.get(use_monitor=False))
        who = TomogramName(due.name, attempt, occasion.step.name, occasion.cycle, occasion.sync, occasion.target_v)
        try:
            end: TomogramEnd = yield from tomogram(
                self.instruments,
                self.clock,
                self.scan,
                who,
                file_of=lambda kind: self.run_directory.frames_file(attempt, kind),
                metadata={**self.tomogram_metadata, "stop_voltage_v": occasion.stop_v},
                report=self.report,
            )
        except BaseException as error:
            self.journal.outcome("tomogram", due.name, outcome_of(error), reason=sentence(error), **details)
            raise
        yield from undisturbed(self.command("set_sampling", period_s=self.between_tomograms_s))
        yield from self._bring_samples(row)
        self.journal.outcome("tomogram", due.name, end.outcome, reason=end.reason, uid=end.uid, **details)
        return end

    def _bring_samples(self, after_row: int) -> MsgGenerator[None]:
        rows = [{**row, "potentiostat_row": row["id"]} for row in self.samples.since(after_row)]
        self.pages.put([{key: _number(row.get(key)) for key in SAMPLE_KEYS} for row in rows])
        yield from self.outer(bps.collect(self.pages, name="cell_samples"))
        yield from bps.checkpoint()

    def _wait_for_beam(self, occasion: Occasion) -> MsgGenerator[bool]:
        """Wait until there is a beam, or the window is over; return whether the window holds.

        What the guard does not tell for a moment, as while it is busy with a lost instrument, is no answer.
        """
        while True:
            state = yield from self.known_state()
            with contextlib.suppress(*NO_ANSWER):
                holds = occasion.holds(state)
                if not holds or self._has_beam():
                    return holds
            self.stop_if_wished()
            self.report(Progress(occasion.step.name, "no beam", 0.0, None, tomogram=occasion.due.name))
            yield from clock_waits.sleep_until(self.clock, self._next_look_s(self.clock.now()))

    def _has_beam(self) -> bool:
        try:
            return self.instruments.ring_current.current_ma() >= self.scan.min_ring_current_ma
        except NO_ANSWER:  # nobody knows: wait as without a beam, the cell goes on under the guard
            return False

    def _next_look_s(self, now_s: float) -> float:
        try:
            return cell_watch.next_look_s(self.instruments.cell, self.clock)
        except NO_ANSWER:
            return now_s + cell_watch.LATE_SAMPLE_POLL_S

    def answer_requests(self, step: CellStep, cycle: int) -> MsgGenerator[None]:
        """Do what people have asked for and say so.

        Raises
        ------
        StopWishedError
            If the experiment is to end here.
        StepSkippedError
            If the step that is under way is to end here.
        """
        while requests := self.journal.new_requests():  # a tomogram that was asked for answers those after it
            yield from requests_of_people.answer(self, requests[0], step, cycle)

    def stop_here_if_asked(self, name: str) -> None:
        """Raise StopWishedError if a person has asked to end after this step or tomogram."""
        if self.journal.stop_after == name:
            self.journal.stopped(name)
            raise StopWishedError(f"a person asked to stop after {name}")


def _number(value: Any) -> float:
    return float("nan") if value is None else value
