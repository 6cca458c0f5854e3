from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.guard.rate import NUM_KEPT, RateHistory


@given(st.floats(-1e3, 1e3), st.floats(-10, 10), st.sampled_from([0.1, 1.0, 7.0, 40.0]))
def test_the_rate_of_a_straight_line_is_its_slope(offset: float, slope: float, period_s: float) -> None:
    history = RateHistory(20.0)
    found = [history.rate(number * period_s, offset + slope * number * period_s) for number in range(400)]
    rates = [rate for rate in found if rate is not None]
    assert rates
    assert rates == pytest.approx([slope] * len(rates), abs=1e-9)  # 1e3 in double precision over 20 s


def test_there_is_no_rate_before_the_time_is_over() -> None:
    history = RateHistory(10.0)
    assert [history.rate(time_s, 0.0) for time_s in (0.0, 5.0, 9.9)] == [None, None, None]
    assert history.rate(10.0, 1.0) == pytest.approx(0.1)


def test_a_single_spike_is_seen_when_it_comes_and_when_it_goes() -> None:
    history = RateHistory(10.0)
    found = [history.rate(time_s, 5.0 if time_s == 20 else 0.0) for time_s in range(40)]
    assert [time_s for time_s, rate in enumerate(found) if rate] == [20, 30]


def test_what_is_not_finite_or_not_newer_is_left_out() -> None:
    history = RateHistory(1.0)
    assert [history.rate(time_s, value) for time_s, value in ((0.0, 1.0), (2.0, nan), (2.0, inf), (0.0, 5.0))] == [
        None
    ] * 4
    assert history.rate(2.0, 3.0) == 1.0


def test_memory_does_not_grow_with_the_sampling() -> None:
    history = RateHistory(10.0)
    for number in range(20_000):
        history.rate(number * 0.01, 0.0)
    assert len(history._kept) <= NUM_KEPT + 2
