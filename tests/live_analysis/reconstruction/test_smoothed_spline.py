import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_analysis.reconstruction.ramp_filter import MARGIN_COLUMNS
from live_analysis.reconstruction.smoothed_spline import read_columns, smoothed_spline


def test_with_nothing_to_smooth_they_are_the_weights_of_the_cubic_spline() -> None:
    at_column, between = smoothed_spline(np.array([0.0, 0.5]), 0.0)
    assert at_column == pytest.approx([1 / 6, 4 / 6, 1 / 6, 0], abs=1e-5)
    assert between == pytest.approx([1 / 48, 23 / 48, 23 / 48, 1 / 48], abs=1e-5)


def test_columns_are_read_where_they_are_asked_for() -> None:
    """The spline of coefficients that lie on a parabola is that parabola, a sixth of its curvature higher."""
    column = np.arange(-MARGIN_COLUMNS, 7 + MARGIN_COLUMNS, dtype=np.float32)
    coefficients = np.repeat((column**2)[None, :, None], 16, axis=2)
    found = read_columns(coefficients, np.array([0.0, 0.25]))
    assert found.shape == (1, 7, 2, 16)
    places = np.arange(7)[:, None] + np.array([0.0, 0.25])
    np.testing.assert_allclose(found[0, :, :, 3], places**2 + 1 / 3, atol=1e-3)


@given(st.floats(0, 1), st.sampled_from([0.0, 1.0, 1.5, 2.5]))
def test_ones_stay_ones_and_left_is_as_right(place: float, steps: float) -> None:
    here, mirrored = smoothed_spline(np.array([place, 1 - place]), steps)
    assert here.sum() == pytest.approx(1, abs=1e-6)
    assert here == pytest.approx(mirrored[::-1], abs=1e-6)


def test_each_missing_step_smooths_as_a_linear_interpolation_on_half_columns_does() -> None:
    """Seen in a wave of eight columns, averaged over all places between two columns."""
    places = (np.arange(64) + 0.5) / 64
    away = np.arange(-1, 3) - places[:, None]
    responses = [
        float((smoothed_spline(places, steps) * np.cos(2 * np.pi * away / 8)).sum(axis=1).mean())
        for steps in (0.0, 1.0)
    ]
    assert responses[1] / responses[0] == pytest.approx(np.sinc(1 / 16) ** 2, abs=2e-3)
