from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from operando.monitor.history.pyramid import Floats
from operando.monitor.history.table_history import MOST_STEPS_BACK, TableHistory
from operando.monitor.history.trace import NOTHING, Envelope, Times, Trace

VALUES = st.one_of(st.floats(-1e6, 1e6, width=32), st.just(float("nan")))
STEPS_S = st.one_of(st.floats(0.0, 2.0), st.sampled_from([0.0, 1.0, 500.0]))


def trace_of(times_s: Times, values: Floats) -> Trace:
    history = TableHistory(["value"])
    history.append(times_s, values[:, np.newaxis])
    return history.trace("value")


@st.composite
def samples(draw: st.DrawFn, *, steps_s: st.SearchStrategy[float] = STEPS_S) -> tuple[Times, Floats]:
    num = draw(st.integers(1, 400))
    steps = draw(hnp.arrays(np.float64, num, elements=steps_s))
    return 1.7e9 + np.cumsum(steps), draw(hnp.arrays(np.float32, num, elements=VALUES))


@given(samples(), st.floats(-0.2, 1.2), st.floats(1e-3, 1.5), st.integers(1, 60))
def test_the_envelope_is_that_of_all_samples_in_each_pixel_column(
    sampled: tuple[Times, Floats], begin: float, length: float, num_bins: int
) -> None:
    times_s, values = sampled
    span_s = max(times_s[-1] - times_s[0], 1.0)
    begin_s = times_s[0] + begin * span_s
    end_s = begin_s + length * span_s
    drawn = trace_of(times_s, values).visible(begin_s, end_s, num_bins).samples
    if times_s[-1] < begin_s or times_s[0] > end_s:
        assert drawn is NOTHING
        return
    inside = (times_s >= begin_s) & (times_s <= end_s)
    num_before, num_after = int((times_s < begin_s).any()), int((times_s > end_s).any())
    if inside.sum() + num_before + num_after <= 2 * num_bins:
        around = slice(np.flatnonzero(times_s >= begin_s)[0] - num_before, np.sum(times_s <= end_s) + num_after)
        assert np.array_equal(drawn.times_s, times_s[around])
        assert np.array_equal(drawn.highs, values[around], equal_nan=True)
        return
    edges_s = np.linspace(begin_s, end_s, num_bins + 1)
    column = np.minimum(np.searchsorted(edges_s, times_s, "right") - 1, num_bins)
    column[times_s == edges_s[-1]] = num_bins - 1
    parts = [values[column == number] for number in range(num_bins)]
    parts = [values[times_s < begin_s][-1:], *parts, values[times_s > end_s][:1]]
    parts = [part for part in parts if len(part)]
    expected = []
    for part, following in zip(parts, [*parts[1:], None], strict=True):
        finite = part[np.isfinite(part)]
        expected.append((finite.min(), finite.max()) if len(finite) else (np.nan, np.nan))
        if following is not None and (np.isnan(part[-1]) or np.isnan(following[0])):
            expected.append((np.nan, np.nan))
    assert np.array_equal(np.column_stack((drawn.lows, drawn.highs)), np.array(expected, np.float32), equal_nan=True)
    assert np.all(np.diff(drawn.times_s) >= 0)


@given(samples(steps_s=st.floats(-5.0, 5.0)), st.lists(st.integers(0, 400), max_size=6), st.integers(1, 50))
def test_a_clock_that_is_set_back_costs_no_sample_and_portions_make_no_difference(
    sampled: tuple[Times, Floats], cuts: list[int], num_bins: int
) -> None:
    times_s, values = sampled
    bounds = sorted({0, len(times_s), *(cut for cut in cuts if cut < len(times_s))})
    forwards, backwards = TableHistory(["value"]), TableHistory(["value"])
    for start, stop in pairwise(bounds):
        forwards.append(times_s[start:stop], values[start:stop, np.newaxis])
    for start, stop in reversed(list(pairwise(bounds))):
        backwards.prepend(times_s[start:stop], values[start:stop, np.newaxis])
    for history in (forwards, backwards):
        trace = history.trace("value")
        assert np.array_equal(trace.values, values, equal_nan=True)
        begin_s, end_s = times_s.min(), times_s.max()
        finite = values[np.isfinite(values)]
        assert trace.value_range(-np.inf, np.inf) == ((finite.min(), finite.max()) if len(finite) else None)
        drawn = trace.visible(begin_s - 1.0, end_s + 1.0, num_bins).samples
        assert np.sum(np.isfinite(drawn.lows)) > 0 or len(finite) == 0
        if history.num_held == 0:
            assert np.array_equal(trace.times_s, times_s)
            assert trace.time_range_s == (begin_s, end_s)
        else:
            assert np.sum(np.diff(trace.times_s) < 0) <= MOST_STEPS_BACK


def test_samples_from_before_and_after_a_step_back_are_both_shown_with_a_gap_between() -> None:
    times_s = np.concatenate((np.arange(0.0, 100.0), np.arange(40.0, 140.0)))
    values = np.repeat(np.array([1.0, 2.0], np.float32), 100)
    drawn = trace_of(times_s, values).visible(50.0, 60.0, 1000).samples
    assert drawn.lows.tolist() == pytest.approx([1.0] * 13 + [np.nan] + [2.0] * 13, nan_ok=True)
    enveloped = trace_of(times_s, values).visible(0.0, 140.0, 10).samples
    assert enveloped.lows.tolist() == pytest.approx([1.0] * 8 + [np.nan] + [2.0] * 8, nan_ok=True)


@given(st.lists(st.tuples(st.floats(0.01, 20.0), st.sampled_from([0.5, 1.0, 4.0])), min_size=2), st.data())
def test_where_the_declared_period_says_that_samples_are_missing_no_line_leads(
    steps: list[tuple[float, float]], data: st.DataObject
) -> None:
    times_s, periods_s = np.cumsum([step for step, _ in steps]), np.array([period for _, period in steps])
    values = np.ones((len(steps), 1), np.float32)
    cut = data.draw(st.integers(0, len(steps)))
    history = TableHistory(["value"])
    middle = data.draw(st.integers(0, cut))
    history.append(times_s[middle:cut], values[middle:cut], periods_s[middle:cut])
    history.prepend(times_s[:middle], values[:middle], periods_s[:middle])
    history.append(times_s[cut:], values[cut:], periods_s[cut:])
    late = np.diff(times_s) > 3 * np.maximum(periods_s[1:], periods_s[:-1]) + 2
    trace = history.trace("value")
    assert trace.silences.tolist() == (np.flatnonzero(late) + 1).tolist()
    drawn = trace.visible(-1.0, times_s[-1] + 1.0, 1000).samples
    assert np.isnan(drawn.lows).sum() == late.sum()
    first, last = data.draw(st.lists(st.integers(0, len(steps) - 1), min_size=2, max_size=2).map(sorted))
    part = trace.visible(times_s[first] - 1e-3, times_s[last] + 1e-3, 1000).samples
    assert np.isnan(part.lows).sum() == late[max(first - 1, 0) : last + 1].sum()


def test_a_silence_of_an_hour_is_a_gap_however_far_away_one_looks_from() -> None:
    times_s = np.concatenate((np.arange(0.0, 36_000.0), np.arange(39_600.0, 72_000.0)))
    history = TableHistory(["value"])
    history.append(times_s, np.ones((len(times_s), 1), np.float32), 1.0)
    drawn = history.trace("value").visible(0.0, 72_000.0, 100).samples
    assert np.flatnonzero(np.isnan(drawn.lows)).tolist() == [50]
    assert np.diff(drawn.times_s[[49, 51]]) == pytest.approx(3600.0 + 720.0, abs=2.0)  # from the middle of bins


def test_few_samples_are_shown_themselves_and_lines_reach_beyond_the_view() -> None:
    drawn = trace_of(np.arange(1000.0), np.arange(1000, dtype=np.float32)).visible(499.5, 502.5, 100).samples
    assert drawn.times_s.tolist() == [499.0, 500.0, 501.0, 502.0, 503.0]
    assert drawn.line()[1].tolist() == drawn.times_s.tolist()


def test_a_spike_of_one_sample_in_a_million_is_drawn_to_its_top() -> None:
    values = np.zeros(1_000_000, np.float32)
    values[654_321] = 5.0
    times_s, line = trace_of(np.arange(1e6), values).visible(0.0, 1e6, 1400).samples.line()
    assert len(line) == 2 * 1400
    assert line.max() == 5.0
    assert times_s[np.argmax(line)] == pytest.approx(654_321, abs=1e6 / 1400)  # one column


def test_preliminary_values_stand_before_the_samples_and_count_for_the_ranges() -> None:
    history = TableHistory(["value"])
    history.append(np.arange(100.0, 200.0), np.ones((100, 1), np.float32))
    known = Envelope(np.arange(0.0, 100.0, 10.0), np.full(10, -3.0, np.float32), np.full(10, 4.0, np.float32))
    trace = history.trace("value", known)
    assert trace.time_range_s == (0.0, 199.0)
    assert trace.value_range(0.0, 199.0) == (-3.0, 4.0)
    assert trace.value_range(100.0, 199.0) == (1.0, 1.0)
    visible = trace.visible(0.0, 200.0, 5)
    assert visible.preliminary.times_s.tolist() == [0.0, 40.0, 80.0]
    assert visible.preliminary.highs.tolist() == [4.0, 4.0, 4.0]
    assert visible.samples.lows.tolist() == [1.0] * 3


@pytest.mark.parametrize("view", [(np.nan, 1.0), (0.0, np.inf), (2.0, 1.0), (1.0, 1.0)])
def test_a_view_that_is_none_shows_nothing(view: tuple[float, float]) -> None:
    assert trace_of(np.arange(3.0), np.ones(3, np.float32)).visible(*view, 10).samples is NOTHING


def test_a_trace_without_samples_shows_nothing() -> None:
    trace = TableHistory(["value"]).trace("value")
    assert trace.visible(0.0, 1.0, 10).samples is NOTHING
    assert trace.time_range_s is None
    assert trace.value_range(-np.inf, np.inf) is None


def test_a_value_alone_between_missing_ones_is_a_dot_that_can_be_seen() -> None:
    values = np.array([1, np.nan, 2, np.nan, np.nan, 3, 3], np.float32)
    times_s, line = trace_of(np.arange(7.0), values).visible(-1.0, 8.0, 100).samples.line(dot_s=0.1)
    assert times_s.tolist() == [0.0, 0.1, 1.0, 2.0, 2.1, 3.0, 4.0, 5.0, 6.0]
    assert line.tolist() == pytest.approx([1, 1, np.nan, 2, 2, np.nan, np.nan, 3, 3], nan_ok=True)
    bins = Envelope(
        np.array([0.0, 1.0, 2.0]), np.array([1, np.nan, 2], np.float32), np.array([1, np.nan, 3], np.float32)
    )
    assert bins.line(dot_s=0.5)[0].tolist() == [0.0, 0.5, 1.0, 1.0, 2.0, 2.5]
