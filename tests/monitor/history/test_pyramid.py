import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from operando.monitor.history.growing_array import GrowingArray
from operando.monitor.history.pyramid import FACTOR, Floats, Pyramid

VALUES = st.one_of(st.floats(-1e6, 1e6, width=32), st.just(float("nan")))


def columns(max_size: int) -> st.SearchStrategy[Floats]:
    return hnp.arrays(np.float32, st.integers(0, max_size), elements=VALUES)


def brute_force(values: Floats, starts: list[int], stops: list[int]) -> tuple[list[float], list[float]]:
    finite = [values[start:stop][np.isfinite(values[start:stop])] for start, stop in zip(starts, stops, strict=True)]
    return (
        [float(part.min()) if len(part) else np.nan for part in finite],
        [float(part.max()) if len(part) else np.nan for part in finite],
    )


@given(st.lists(st.tuples(st.booleans(), columns(300)), max_size=8), st.data())
def test_extremes_are_those_of_all_values_in_whatever_portions_they_came_at_either_end(
    portions: list[tuple[bool, Floats]], data: st.DataObject
) -> None:
    pyramid, whole, first = Pyramid(), np.empty(0, np.float32), 0
    for behind, portion in portions:
        pyramid.put(first + len(whole) if behind else first - len(portion), portion)
        whole = np.concatenate((whole, portion) if behind else (portion, whole))
        first -= 0 if behind else len(portion)
    ends = st.integers(0, len(whole))
    stretches = data.draw(st.lists(st.tuples(ends, ends).map(sorted), min_size=1, max_size=20))
    starts, stops = [start for start, _ in stretches], [stop for _, stop in stretches]
    view = pyramid.view()
    assert np.array_equal(view.values, whole, equal_nan=True)
    for found, expected in zip(
        view.extremes(np.array(starts), np.array(stops)), brute_force(whole, starts, stops), strict=True
    ):
        assert np.array_equal(found, np.array(expected, np.float32), equal_nan=True)


def test_a_view_does_not_change_while_the_pyramid_grows_on() -> None:
    pyramid = Pyramid()
    pyramid.put(0, np.arange(1000, dtype=np.float32))
    view = pyramid.view()
    for number in range(1, 100):
        pyramid.put(1000 + 50 * (number - 1), np.full(50, 1e9, np.float32))
        pyramid.put(-50 * number, np.full(50, -1e9, np.float32))
    lows, highs = view.extremes(np.array([0, 990]), np.array([1000, 1000]))
    assert (lows.tolist(), highs.tolist()) == ([0.0, 990.0], [999.0, 999.0])
    lows, highs = pyramid.view().extremes(np.array([0]), np.array([10_900]))
    assert (lows.tolist(), highs.tolist()) == ([-1e9], [1e9])


def test_levels_above_the_values_cost_two_sevenths_of_their_memory() -> None:
    pyramid = Pyramid()
    pyramid.put(0, np.zeros(FACTOR**5, np.float32))
    assert pyramid.num_bytes / FACTOR**5 == pytest.approx(4 * (1 + 2 / (FACTOR - 1)), rel=1e-3)


def test_a_hole_or_an_overlap_is_refused() -> None:
    array = GrowingArray(np.float64)
    array.put(5, np.zeros(3))
    for first in (3, 6, 9):
        with pytest.raises(ValueError, match="touch neither end of 5 to 8"):
            array.put(first, np.zeros(1))
