import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from live_analysis.mirror_axis import mirror_axis

COLUMNS = 48


def correlation(first: NDArray[np.float32], second: NDArray[np.float32], axis_column: float) -> float:
    """Correlation of the columns two frames share about an axis on a whole or half column, less if they are few."""
    shift = round(2 * axis_column - (COLUMNS - 1))
    columns = [(column, round(2 * axis_column) - column) for column in range(COLUMNS)]
    shared = [(a, b) for a, b in columns if 0 <= b < COLUMNS]
    a, b = (np.concatenate([frame[:, [pair[k]]] for pair in shared]) for k, frame in enumerate((first, second)))
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()) * np.sqrt(1 - abs(shift) / COLUMNS))


@settings(max_examples=20, deadline=None)
@given(st.integers(-20, 20), st.integers(0, 10**6))
def test_the_axis_of_a_pair_of_mirror_images_is_found_with_their_correlation(half_columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    axis_column = (COLUMNS - 1 + half_columns) / 2
    first, second = rng.normal(size=(2, 5, COLUMNS)).astype(np.float32)
    for column in range(COLUMNS):
        opposite = round(2 * axis_column) - column
        if 0 <= opposite < COLUMNS:
            second[:, opposite] = first[:, column] + 0.3 * second[:, opposite]
    found, score = mirror_axis(first, second, (COLUMNS - 1) / 2, 0.3 * COLUMNS)
    assert found == pytest.approx(axis_column, abs=0.25)  # the parabola may move it by half a step
    assert score == pytest.approx(correlation(first, second, axis_column), abs=1e-5)


def test_frames_of_nothing_have_no_correlation() -> None:
    nothing = np.zeros((2, COLUMNS), np.float32)
    assert mirror_axis(nothing, nothing, 23.5, 5.0)[1] == 0.0
