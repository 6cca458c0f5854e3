"""How far a value is from the limits that the guard keeps."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite, nan

from operando.model.limit_rules import LimitAction, LimitKind, LimitRule
from operando.model.limit_rules import Quantity as Limited
from operando.monitor.reading.run_view import Display

NEAR = 0.05  # of the range between the limits


class Level(StrEnum):
    """How it is with a value."""

    FINE = "fine"
    NEAR = "near limit"
    BEYOND = "beyond limit"


@dataclass(frozen=True)
class LimitDistance:
    """What a card tells of the nearer limit.

    ``share`` is where the value lies from the lower (0) to the upper limit (1), NaN where one of them is missing;
    ``low_text`` and ``high_text`` are the limits in the unit that is shown.
    """

    level: Level
    text: str
    share: float = nan
    low_text: str = ""
    high_text: str = ""


def limit_distance(
    value: float, limited: Limited, rules: Iterable[LimitRule], display: Display
) -> LimitDistance | None:
    """Return how a logged value lies to the narrowest of its absolute limits; None if it has none.

    Parameters
    ----------
    value
        In the logged unit; NaN if nobody knows it, then only the limits are told.
    """
    absolute = [rule for rule in rules if rule.kind is LimitKind.ABSOLUTE and rule.quantity is limited]
    low_rule = max(absolute, key=lambda rule: rule.low, default=None)
    high_rule = min(absolute, key=lambda rule: rule.high, default=None)
    if low_rule is None or high_rule is None:
        return None
    low, high = low_rule.low, high_rule.high
    span = high - low
    share = (value - low) / span if isfinite(span) else nan
    ends = _text(low, display), _text(high, display)
    if not isfinite(value):
        return LimitDistance(Level.FINE, "", nan, *ends)
    is_low = value - low < high - value
    rule, limit = (low_rule, low) if is_low else (high_rule, high)
    margin = value - low if is_low else high - value
    beyond = margin < 0
    near = not beyond and isfinite(span) and margin < NEAR * span
    level = Level.BEYOND if beyond else Level.NEAR if near else Level.FINE
    side = "below" if is_low == beyond else "above"
    warns = " (warns only)" if rule.action is LimitAction.WARN else ""
    text = f"{_text(abs(margin), display)} {display.unit} {side} {_text(limit, display)} {display.unit}{warns}"
    return LimitDistance(level, text, share, *ends)


def _text(value: float, display: Display) -> str:
    return "" if abs(value) == inf else f"{value * display.factor:.3g}".replace("-", "−")
