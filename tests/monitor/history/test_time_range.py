from math import nan

import pytest

from operando.monitor.history.half_cycles import HalfCycle
from operando.monitor.history.time_range import RangeChoice, chosen_range_s, half_cycles_within, spread

START_S = 1_700_000_000.0


def half_cycle(cycle: int, begin_s: float, end_s: float, charge_mah: float) -> HalfCycle:
    return HalfCycle(cycle, 0, 1, START_S + begin_s, START_S + end_s, 0.0, charge_mah)


HALF_CYCLES = (half_cycle(1, 10, 20, -1), half_cycle(1, 30, 40, 1), half_cycle(2, 50, 60, -1))


@pytest.mark.parametrize(
    ("choice", "cycle", "expected"),
    [
        (RangeChoice.SINCE_START, 0, (0, 9000)),
        (RangeChoice.LAST_HOUR, 0, (5400, 9000)),
        (RangeChoice.CYCLE, 1, (10, 40)),
        (RangeChoice.CYCLE, 2, (50, 9000)),  # the last one goes on
        (RangeChoice.CYCLE, 3, None),
        (RangeChoice.FREE, 0, None),
    ],
)
def test_what_was_chosen_leads_to_a_stretch_of_time(
    choice: RangeChoice, cycle: int, expected: tuple[float, float] | None
) -> None:
    found = chosen_range_s(choice, START_S, START_S + 9000, HALF_CYCLES, cycle)
    assert found == (None if expected is None else (START_S + expected[0], START_S + expected[1]))


def test_a_run_that_has_just_begun_or_holds_nothing_has_a_range_or_none() -> None:
    assert chosen_range_s(RangeChoice.LAST_HOUR, START_S, START_S) == (START_S, START_S + 1.0)
    assert chosen_range_s(RangeChoice.SINCE_START, nan, nan) is None


def test_half_cycles_are_chosen_by_any_part_of_them() -> None:
    assert half_cycles_within(HALF_CYCLES, (START_S + 15, START_S + 35)) == HALF_CYCLES[:2]
    assert half_cycles_within(HALF_CYCLES, None) == HALF_CYCLES


def test_of_many_cycles_the_first_the_last_and_some_between_are_taken() -> None:
    assert spread(range(1, 51), 7) == (1, 9, 17, 25, 34, 42, 50)
    assert spread([3, 4], 7) == (3, 4)
