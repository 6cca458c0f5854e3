import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from live_analysis.reconstruction.direct import HalfColumns
from live_analysis.reconstruction.lattice import Lattice
from live_analysis.reconstruction.ramp_filter import MARGIN_COLUMNS
from live_analysis.reconstruction.smoothed_spline import smoothed_spline

NUM = 44


def summed(
    filtered: NDArray[np.float32], angles_rad: NDArray[np.float64], axis_column: float, linear_steps: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The volume, shape (y, x, 16), and where it is seen from all sides."""
    num = filtered.shape[1] - 2 * MARGIN_COLUMNS
    first_x, stop_x = Lattice.square(num).within(min(axis_column, num - 1 - axis_column))
    volume = np.zeros((num, num, 16), np.float32)
    weights = np.linspace(0.5, 1.5, len(filtered), dtype=np.float32)
    columns = HalfColumns(num, axis_column, linear_steps)
    columns.add_to(volume, first_x, stop_x, filtered, weights, angles_rad)
    x = np.arange(num)
    return volume, (x >= first_x[:, None]) & (x < stop_x[:, None])


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.floats(19, 24), st.integers(0, 10**6))
def test_it_is_the_sum_that_float64_gives(num_frames: int, axis_column: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    filtered = rng.normal(size=(num_frames, NUM + 2 * MARGIN_COLUMNS, 16)).astype(np.float32)
    angles_rad = rng.uniform(-7, 7, num_frames)
    volume, inside = summed(filtered, angles_rad, axis_column, 2.5)
    taps = smoothed_spline(np.array([0.0, 0.5]), 1.5).astype(np.float64)
    num_samples = filtered.shape[1]
    half_columns = np.zeros((num_frames, 2 * num_samples, 16))
    for parity in range(2):
        for tap in range(4):
            read = taps[parity, tap] * filtered[:, tap : num_samples - 3 + tap]
            half_columns[:, 2 + parity : 2 * (num_samples - 3) + 2 : 2] += read
    y, x = np.indices((NUM, NUM)) - (NUM - 1) / 2
    expected = np.zeros((NUM, NUM, 16))
    for frame, weight in enumerate(np.linspace(0.5, 1.5, num_frames)):
        at = 2 * (axis_column + MARGIN_COLUMNS + x * np.cos(angles_rad[frame]) + y * np.sin(angles_rad[frame]))
        places = np.arange(2 * num_samples)
        for lane in range(16):
            expected[..., lane] += weight * np.interp(at, places, half_columns[frame, :, lane])
    # Positions in float32 are right to 4e-6 of a column, values of about 1 in each frame accordingly.
    assert np.abs(volume - expected)[inside].max() < 2e-5 * num_frames
    assert not volume[~inside].any()


def test_projections_of_ones_add_up_to_their_weights_everywhere_in_the_circle() -> None:
    filtered = np.ones((9, NUM + 2 * MARGIN_COLUMNS, 16), np.float32)
    volume, inside = summed(filtered, np.linspace(0, 3, 9), (NUM - 1) / 2, 1.0)
    assert volume[inside] == pytest.approx(9.0, abs=1e-4)
