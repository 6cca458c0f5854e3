"""A limit that does not hold opens the circuit, verified, and stays latched until a person clears it."""

import logging
from time import perf_counter

from devices.potentiostat_reading import ChannelState, Snapshot
from operando.guard.commands import RefusedError
from operando.guard.control import CellControl, NotObeyedError
from operando.guard.limits import Severity, Violation, violations
from operando.guard.record import Record
from operando.guard.samples import Sample
from operando.model.experiment import Limits


class Safety:
    """Owns the latched trip of one cell.

    Parameters
    ----------
    trip
        Reason of a trip that an earlier guard of this run latched; empty for none. That guard may have been killed
        before the circuit was open, so it counts as unsafe until open circuit is verified anew.
    """

    def __init__(self, limits: Limits, control: CellControl, record: Record, trip: str = "") -> None:
        self._limits = limits
        self._control = control
        self._record = record
        self._faults: set[str] = set()
        self.trip = trip
        self.unsafe = bool(trip)

    def check(self, sample: Sample) -> bool:
        """Compare ``sample`` with the limits and act; return whether the cell was tripped just now."""
        found = violations(sample.reading, self._limits)
        danger = " ".join(_dangers(found))
        tripped_now = bool(danger) and not self.trip
        if tripped_now:
            self.trip_now(danger)
        elif self.trip and (self.unsafe or _runs(sample.potentiostat)):
            self._make_safe()
        self._write_down(found)
        return tripped_now

    def trip_now(self, reason: str) -> None:
        """Latch and write down why, then open the circuit."""
        self.trip = reason
        # Written first: the guard that follows one killed in between must know of the trip and open the circuit.
        self._record.event("trip", reason, level=logging.ERROR)
        self._make_safe()

    def clear(self, sample: Sample, *, person: str, reason: str) -> None:
        """Unlatch the trip in the name of ``person``; ``sample`` was read after the asking.

        Raises
        ------
        RefusedError
            If nothing is tripped, open circuit is not verified, or a limit does not hold in ``sample``.
        """
        if not self.trip:
            raise RefusedError("There is no trip to clear.")
        if self.unsafe:
            raise RefusedError("Open circuit is not verified yet: see that the potentiostat answers, then ask again.")
        still = _dangers(violations(sample.reading, self._limits))
        if still:
            raise RefusedError(f"The reason is still there: {' '.join(still)}")
        self._record.event("trip_cleared", f"{person}: {reason}", person=person, reason=reason, trip=self.trip)
        self.trip = ""

    def _make_safe(self) -> None:
        was_unsafe = self.unsafe
        began_s = perf_counter()
        try:
            self._control.open_circuit()
        except NotObeyedError as error:
            self.unsafe = True
            self._record.event("unsafe", f"The cell may still be connected: {error}", level=logging.CRITICAL)
            return
        self.unsafe = False
        took_s = perf_counter() - began_s
        text = "Open circuit was verified" + (" at last." if was_unsafe else ".")
        self._record.event("safe", text, host_time_to_verify_s=took_s)

    def _write_down(self, found: list[Violation]) -> None:
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


def _dangers(found: list[Violation]) -> list[str]:
    return [violation.reason for violation in found if violation.severity is Severity.CELL_DANGER]


def _runs(snapshot: Snapshot | None) -> bool:
    return snapshot is not None and snapshot.state is not ChannelState.STOP
