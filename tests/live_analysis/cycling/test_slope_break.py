"""Lines that meet are found where they meet; a line, and a slow bend, have no break."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_analysis.cycling.slope_break import find_slope_breaks


def polyline(x: np.ndarray, places: list[float], slopes: list[float]) -> np.ndarray:
    bends = np.diff(slopes)
    return 20 + slopes[0] * x + sum(bend * np.maximum(x - place, 0) for place, bend in zip(places, bends, strict=True))


@given(
    place=st.floats(60, 440),
    slopes=st.tuples(st.floats(-0.01, 0.01), st.floats(0.004, 0.02), st.sampled_from([-1, 1])),
    seed=st.integers(0, 1000),
)
def test_one_break_is_found_within_its_uncertainty(place: float, slopes: tuple[float, float, int], seed: int) -> None:
    before, bend, sign = slopes
    x = np.linspace(0, 500, 3000)
    y = polyline(x, [place], [before, before + sign * bend]) + np.random.default_rng(seed).normal(0, 0.01, len(x))
    found = find_slope_breaks(x, y)
    main = max(found, key=lambda entry: abs(entry.bend))
    assert abs(main.place - place) < 5 * main.place_uncertainty
    assert main.place_uncertainty < 5.0  # 1 % of the range
    assert main.bend == pytest.approx(sign * bend, rel=0.1)


def test_two_breaks_are_found_in_order() -> None:
    x = np.linspace(0, 507, 7000)
    y = polyline(x, [296, 388], [-0.009, 0.013, -0.003]) + np.random.default_rng(2).normal(0, 0.007, len(x))
    assert [entry.place for entry in find_slope_breaks(x, y)] == pytest.approx([296, 388], abs=2)


def test_a_rise_between_two_lines_of_the_same_slope_is_found() -> None:
    """One break alone leaves nearly all of the squares: it took a cell with much capacity behind its cracks."""
    x = np.linspace(0, 540, 7000)
    y = polyline(x, [298, 398], [-0.0055, 0.0101, -0.0029]) + np.random.default_rng(4).normal(0, 0.007, len(x))
    assert [entry.place for entry in find_slope_breaks(x, y)] == pytest.approx([298, 398], abs=2)


def test_a_line_has_no_break_and_pauses_with_many_samples_make_none() -> None:
    x = np.concatenate([np.linspace(0, 200, 700), np.full(5000, 200.0), np.linspace(200, 500, 1000)])
    y = polyline(x, [], [-0.01]) + np.random.default_rng(3).normal(0, 0.01, len(x))
    assert find_slope_breaks(x, y) == []


def test_too_few_samples_tell_nothing() -> None:
    assert find_slope_breaks(np.arange(10.0), np.abs(np.arange(10.0) - 5)) == []
    assert find_slope_breaks(np.array([]), np.array([])) == []
