"""A limit that does not hold opens the circuit, verified, and stays latched until a person clears it."""

import logging
import math
from time import perf_counter
from typing import Any

from operando.guard.commands import RefusedError
from operando.guard.control import CellControl, NotObeyedError, OpenedCircuit
from operando.guard.limit_reading import CellReading
from operando.guard.limits import LimitEngine, Verdict, Violation
from operando.guard.record import Record
from operando.model.limit_rules import LimitRule

TOLD_EVERY_S = 600.0  # of the run's clock: how often one rule's short violations are written down
UNSAFE_TOLD_EVERY_S = 60.0  # and that the cell is unsafe, while open circuit is commanded at every sample


class Safety:
    """Owns the latched trip of one cell.

    Parameters
    ----------
    trip
        Reason of a trip that an earlier guard of this run latched; empty for none. That guard may have been killed
        before the circuit was open, so it counts as unsafe until open circuit is verified anew.
    """

    def __init__(self, engine: LimitEngine, control: CellControl, record: Record, trip: str = "") -> None:
        self._engine = engine
        self._control = control
        self._record = record
        self._passed: dict[LimitRule, tuple[float, int]] = {}
        self._unsafe_told_s = -math.inf
        self.trip = trip
        self.unsafe = bool(trip)

    @property
    def in_doubt(self) -> bool:
        """Whether to look more often: the cell is unsafe, or something is outside its limit for less than its delay."""
        return self.unsafe or self._engine.pending

    def judge(self, reading: CellReading) -> None:
        """Compare what an instrument said with the limits and act."""
        verdict = self._engine.check(reading)
        if verdict.dangers and not self.trip:
            self.trip_now(" ".join(danger.reason for danger in verdict.dangers), arrived_s=reading.arrived_s)
        self._write_down(verdict, reading.time_s)

    def keep(self, *, running: bool) -> None:
        """While tripped, open the circuit again if that is not verified, or if ``running``: somebody closed it."""
        if self.trip and (self.unsafe or running):
            self._make_safe()

    def trip_now(self, reason: str, *, arrived_s: float | None = None) -> None:
        """Latch and write down why, then open the circuit; ``arrived_s`` is when the reading came that made it so."""
        self.trip = reason
        # Written first: the guard that follows one killed in between must know of the trip and open the circuit.
        self._record.event_without_delay("trip", reason)
        self._make_safe(arrived_s)

    def clear(self, *, person: str, reason: str) -> None:
        """Unlatch the trip in the name of ``person``; all instruments were read after the asking.

        Raises
        ------
        RefusedError
            If nothing is tripped, open circuit is not verified, or a limit does not hold.
        """
        if not self.trip:
            raise RefusedError("There is no trip to clear.")
        if self.unsafe:
            raise RefusedError("Open circuit is not verified yet: see that the potentiostat answers, then ask again.")
        if still := self._engine.still_dangerous:
            raise RefusedError(f"The reason is still there: {' '.join(danger.reason for danger in still)}")
        self._record.event("trip_cleared", f"{person}: {reason}", person=person, reason=reason, trip=self.trip)
        self.trip = ""

    def _make_safe(self, arrived_s: float | None = None) -> None:
        was_unsafe = self.unsafe
        began_s = perf_counter()
        try:
            opened = self._control.open_circuit()
        except NotObeyedError as error:
            self._tell_unsafe(str(error), first=not was_unsafe)
            self.unsafe = True
            return
        self.unsafe = False
        text = "Open circuit was verified" + (" at last." if was_unsafe else ".")
        since_s = began_s if arrived_s is None else arrived_s
        self._record.event("safe", text, host_time_to_verify_s=perf_counter() - began_s, **_reaction(opened, since_s))

    def _tell_unsafe(self, reason: str, *, first: bool) -> None:
        now_s = self._control.clock.steady()
        if first or now_s - self._unsafe_told_s >= UNSAFE_TOLD_EVERY_S:
            self._record.event("unsafe", f"The cell may still be connected: {reason}", level=logging.CRITICAL)
            self._unsafe_told_s = now_s

    def _write_down(self, verdict: Verdict, time_s: float) -> None:
        for violation in verdict.began:
            self._record.event("limit", violation.reason, level=logging.WARNING, **_described(violation))
        for violation in verdict.over:
            rule = violation.rule
            self._record.event(
                "limit_over", f"The {rule.quantity.words} is within its limits again.", **_described(violation)
            )
        for violation in verdict.passed:
            self._write_passed(violation, time_s)

    def _write_passed(self, violation: Violation, time_s: float) -> None:
        """Write a short violation down, but a flickering instrument must not fill the log."""
        rule = violation.rule
        told_s, num_untold = self._passed.get(rule, (-math.inf, 0))
        if time_s - told_s < TOLD_EVERY_S:
            self._passed[rule] = told_s, num_untold + 1
            return
        again = f" {num_untold} more times since it was told last." if num_untold else ""
        text = f"{violation.reason} It was over within the delay of {rule.delay_s:g} s: nothing was done.{again}"
        self._record.event("limit_passed", text, level=logging.WARNING, **_described(violation))
        self._passed[rule] = time_s, 0


def _described(violation: Violation) -> dict[str, Any]:
    rule = violation.rule
    return {
        "quantity": rule.quantity.value,
        "limit_kind": rule.kind.value,
        "class": rule.severity.value,
        "action": rule.action.value,
    }


def _reaction(opened: OpenedCircuit, since_s: float) -> dict[str, Any]:
    """Return host times since the reading's arrival (or since the circuit was to be opened), in s."""
    return {
        "sent_after_s": opened.sent_s - since_s,
        "taken_after_s": opened.taken_s - since_s,
        "seen_after_s": opened.seen_s - since_s,
        "verified_after_clock_s": opened.verified_after_s,
        "num_attempts": opened.num_attempts,
    }
