"""The limit engine: readings in, what begins, ends and endangers the cell out. It knows no instrument and no log."""

from collections.abc import Iterable
from dataclasses import dataclass

from operando.guard.agreement_checks import CommandedCurrent, CountedCharge
from operando.guard.debounce import Debounce, Turn
from operando.guard.limit_checks import INSIDE, Absolute, Answering, Check, Found, Frozen, NotANumber, Rate
from operando.guard.limit_reading import CellReading
from operando.model.limit_rules import LimitAction, LimitKind, LimitRule, Quantity

_DELAYED_BY_THEMSELVES = (LimitKind.STALE, LimitKind.DISCONNECT, LimitKind.FROZEN)


@dataclass(frozen=True)
class Violation:
    """A rule that does not hold, with the sentence that is shown and logged."""

    rule: LimitRule
    reason: str


@dataclass(frozen=True)
class Verdict:
    """What one reading says.

    Parameters
    ----------
    dangers
        Rules that open the circuit, have been broken for their delay, and are broken in this very reading.
    began, over, passed
        Rules that count as broken from now on, no longer, or ended before they counted.
    """

    dangers: tuple[Violation, ...] = ()
    began: tuple[Violation, ...] = ()
    over: tuple[Violation, ...] = ()
    passed: tuple[Violation, ...] = ()


class _Watch:
    def __init__(self, rule: LimitRule, check: Check) -> None:
        self.rule = rule
        self.check = check
        self.debounce = Debounce(0.0 if rule.kind in _DELAYED_BY_THEMSELVES else rule.delay_s)
        self.found: Found = INSIDE
        self.reason = ""  # of the last reading outside

    @property
    def violation(self) -> Violation:
        return Violation(self.rule, self.reason)


class LimitEngine:
    """Keeps the rules of one cell.

    Parameters
    ----------
    poll_s
        How often the potentiostat's server reads its instrument.
    """

    def __init__(self, rules: Iterable[LimitRule], *, poll_s: float, largest_current_a: float) -> None:
        self._watches = [
            _Watch(rule, _check_of(rule, poll_s=poll_s, largest_current_a=largest_current_a)) for rule in rules
        ]

    @property
    def pending(self) -> bool:
        """Whether something is outside its limit, for less than its delay: look more often."""
        return any(watch.debounce.pending for watch in self._watches)

    @property
    def still_dangerous(self) -> list[Violation]:
        """What would open the circuit and is outside in the newest reading of it, however long."""
        return [
            watch.violation
            for watch in self._watches
            if watch.found.outside and watch.rule.action is LimitAction.OPEN_CIRCUIT
        ]

    def check(self, reading: CellReading) -> Verdict:
        """Judge one reading. What it does not hold is left as it was."""
        turned: dict[Turn, list[Violation]] = {turn: [] for turn in Turn}
        dangers = []
        for watch in self._watches:
            found = watch.check.look(reading)
            if found is None:
                continue
            watch.found = found
            if found.outside:
                watch.reason = found.reason
            turned[watch.debounce.look(reading.time_s, outside=found.outside)].append(watch.violation)
            if found.outside and watch.debounce.counts and watch.rule.action is LimitAction.OPEN_CIRCUIT:
                dangers.append(watch.violation)
        return Verdict(tuple(dangers), *(tuple(turned[turn]) for turn in (Turn.BEGAN, Turn.OVER, Turn.PASSED)))


def _check_of(rule: LimitRule, *, poll_s: float, largest_current_a: float) -> Check:
    match rule.kind:
        case LimitKind.ABSOLUTE:
            return Absolute(rule, largest_current_a)
        case LimitKind.NOT_A_NUMBER:
            return NotANumber(rule)
        case LimitKind.RATE:
            return Rate(rule)
        case LimitKind.STALE | LimitKind.DISCONNECT:
            return Answering(rule)
        case LimitKind.FROZEN:
            return Frozen(rule)
        case LimitKind.DISAGREEMENT:
            if rule.quantity is Quantity.CHARGE:
                return CountedCharge(rule, poll_s=poll_s, largest_current_a=largest_current_a)
            return CommandedCurrent(rule, poll_s=poll_s)
