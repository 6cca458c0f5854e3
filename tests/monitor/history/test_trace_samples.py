import numpy as np
import pytest

from operando.monitor.history.table_history import TableHistory
from operando.monitor.history.trace import Envelope, Unread
from operando.monitor.history.trace_samples import stretches, values_near

START_S = 1_700_000_000.0
NAN = float("nan")


def history(times: list[float], values: list[float]) -> TableHistory:
    found = TableHistory(["value"])
    found.append(START_S + np.array(times), np.array(values, np.float32)[:, np.newaxis], 1.0)
    return found


@pytest.mark.parametrize(
    ("at_s", "value"),
    [(0.0, 1.0), (0.4, 1.0), (0.6, 2.0), (2.0, None), (3.0, 4.0), (8.0, None), (20.0, 5.0), (-0.1, None), (20.1, None)],
)
def test_the_nearest_sample_is_told_but_none_in_a_silence_beyond_the_ends_or_where_it_is_missing(
    at_s: float, value: float | None
) -> None:
    trace = history([0, 1, 2, 3, 20], [1, 2, NAN, 4, 5]).trace("value")
    assert values_near(trace, START_S + at_s) == (None if value is None else (value, value))


def test_where_the_clock_was_set_back_the_later_sample_counts() -> None:
    trace = history([0, 1, 2, 1, 2, 3], [1, 2, 3, 20, 30, 40]).trace("value")
    assert values_near(trace, START_S + 2.0) == (30.0, 30.0)
    assert values_near(trace, START_S + 0.2) == (1.0, 1.0)
    assert list(stretches(trace, START_S + 1.0, START_S + 2.5)) == [slice(1, 3), slice(3, 5)]


def test_of_what_is_not_read_yet_the_known_extremes_are_told() -> None:
    known = Envelope(START_S - np.array([100.0, 50.0]), np.array([1, 2], np.float32), np.array([3, 4], np.float32))
    unread = Unread(START_S - 100.0, START_S, 10, is_sparse=True)
    trace = history([0, 1], [7, 8]).trace("value", known, unread)
    assert values_near(trace, START_S - 60.0) == (1.0, 3.0)
    assert values_near(trace, START_S - 10.0) == (2.0, 4.0)
    assert values_near(trace, START_S - 101.0) is None


def test_nothing_has_no_value() -> None:
    trace = TableHistory(["value"]).trace("value")
    assert values_near(trace, START_S) is None
    assert list(stretches(trace, 0.0, 1.0)) == []
