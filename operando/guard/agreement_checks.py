"""Two checks of a reading against a second measure of the same: the instrument's charge, and its current."""

from math import isfinite

from operando.guard.charge_agreement import ChargeAgreement
from operando.guard.limit_checks import INSIDE, Found
from operando.guard.limit_reading import CellReading
from operando.model.limit_rules import LimitRule

_SETTLED_POLLS = 2.0  # of the instrument, after a step began


class CountedCharge:
    """The instrument's charge agrees with the integral of its current."""

    def __init__(self, rule: LimitRule, *, poll_s: float, largest_current_a: float) -> None:
        self._rule = rule
        self._agreement = ChargeAgreement(rule.over_s, poll_s=poll_s, largest_current_a=largest_current_a)

    def look(self, reading: CellReading) -> Found | None:
        """Return whether the two differ by more than sampling explains."""
        found = self._agreement.look(reading)
        if found is None:
            return None
        allowed_mah = self._rule.high / 100 * found.passed_mah + found.uncertain_mah
        return Found(
            abs(found.difference_mah) > allowed_mah,
            f"The charge that the potentiostat counts and the integral of its current differ by "
            f"{found.difference_mah:+.4g} mAh where {found.passed_mah:.4g} mAh passed; allowed are {self._rule.high:g} "
            f"% and {found.uncertain_mah:.2g} mAh for the sampling. Check its current range and calibration.",
        )


class CommandedCurrent:
    """The current that flows is the one that was commanded."""

    def __init__(self, rule: LimitRule, *, poll_s: float) -> None:
        self._rule = rule
        self._poll_s = poll_s

    def look(self, reading: CellReading) -> Found | None:
        """Return whether it is another one, once the step has settled."""
        snapshot, step = reading.snapshot, reading.step
        if snapshot is None:
            return None
        if step is None or step.current_a is None or not reading.running or snapshot.technique_index != 0:
            return INSIDE
        if snapshot.elapsed_s - step.started_elapsed_s < _SETTLED_POLLS * self._poll_s:
            return INSIDE
        if not isfinite(snapshot.current_a):
            return None
        allowed_a = self._rule.high / 100 * abs(step.current_a)
        return Found(
            abs(snapshot.current_a - step.current_a) > allowed_a,
            f"The current is {snapshot.current_a * 1e6:.4g} uA; commanded were {step.current_a * 1e6:.4g} uA, allowed "
            f"is a difference of {self._rule.high:g} %. Does another program command the potentiostat?",
        )
