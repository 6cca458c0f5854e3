from math import inf, isnan, nan

import pytest

from operando.model.limit_rules import LimitAction, LimitClass, LimitKind, LimitRule
from operando.model.limit_rules import Quantity as Limited
from operando.monitor.now.limit_distance import Level, LimitDistance, limit_distance
from operando.monitor.reading.run_view import DISPLAYS, Quantity

VOLTAGE = DISPLAYS[Quantity.VOLTAGE]


def rule(low: float, high: float, *, warns: bool = False, kind: LimitKind = LimitKind.ABSOLUTE) -> LimitRule:
    action = LimitAction.WARN if warns else LimitAction.OPEN_CIRCUIT
    return LimitRule(Limited.VOLTAGE, kind, LimitClass.CELL_DANGER, action, 1.5, low, high)


def distance(value: float, *rules: LimitRule) -> LimitDistance:
    found = limit_distance(value, Limited.VOLTAGE, rules, VOLTAGE)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("value", "text", "level"),
    [
        (1.6, "0.95 V above 0.65 V", Level.FINE),
        (3.0, "0.1 V below 3.1 V", Level.NEAR),
        (0.66, "0.01 V above 0.65 V", Level.NEAR),
        (0.6, "0.05 V below 0.65 V", Level.BEYOND),
        (3.2, "0.1 V above 3.1 V", Level.BEYOND),
    ],
)
def test_the_nearer_limit_is_told_with_its_distance(value: float, text: str, level: Level) -> None:
    found = distance(value, rule(0.65, 3.1))
    assert (found.text, found.level) == (text, level)
    assert (found.low_text, found.high_text) == ("0.65", "3.1")
    assert found.share == pytest.approx((value - 0.65) / 2.45)


def test_near_is_a_twentieth_of_the_range() -> None:
    assert distance(0.49, rule(0.0, 10.0)).level is Level.NEAR
    assert distance(0.51, rule(0.0, 10.0)).level is Level.FINE


def test_the_narrowest_limit_counts_and_one_that_only_warns_says_so() -> None:
    assert distance(2.6, rule(0.65, 3.1), rule(-inf, 2.5, warns=True)).text == "0.1 V above 2.5 V (warns only)"
    assert distance(0.7, rule(0.65, 3.1), rule(-inf, 2.5, warns=True)).text == "0.05 V above 0.65 V"


def test_one_limit_alone_has_a_distance_and_no_bar() -> None:
    found = distance(2.0, rule(-inf, 2.5))
    assert found.text == "0.5 V below 2.5 V"
    assert isnan(found.share)
    assert found.low_text == ""


def test_limits_are_shown_in_the_unit_of_the_figure() -> None:
    current = LimitRule(
        Limited.CURRENT, LimitKind.ABSOLUTE, LimitClass.CELL_DANGER, LimitAction.OPEN_CIRCUIT, 1.5, -1e-4, 1e-4
    )
    found = limit_distance(-11.52e-6, Limited.CURRENT, [current], DISPLAYS[Quantity.CURRENT])
    assert found is not None
    assert found.text == "88.5 µA above −100 µA"


def test_a_value_that_nobody_knows_has_limits_and_no_distance() -> None:
    found = distance(nan, rule(0.65, 3.1))
    assert (found.text, found.low_text, found.high_text, found.level) == ("", "0.65", "3.1", Level.FINE)


def test_without_an_absolute_limit_there_is_no_distance() -> None:
    assert limit_distance(2.0, Limited.VOLTAGE, [rule(-1.0, 1.0, kind=LimitKind.RATE)], VOLTAGE) is None
