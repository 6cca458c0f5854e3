import numpy as np
import pytest

from live_analysis.live.binned_frames import MOST_COLUMNS, bin_factor, binned


def test_blocks_become_their_mean_and_what_fills_no_block_is_left_out() -> None:
    frames = np.arange(2 * 5 * 7, dtype=np.uint16).reshape(2, 5, 7)
    result = binned(frames, 2)
    assert result.shape == (2, 2, 3)
    assert result[1, 1, 2] == frames[1, 2:4, 4:6].mean()


def test_a_hole_in_a_block_is_a_hole() -> None:
    frame = np.ones((4, 4), np.float32)
    frame[1, 1] = np.nan
    np.testing.assert_array_equal(np.isnan(binned(frame, 2)), [[True, False], [False, False]])


@pytest.mark.parametrize(("num_columns", "factor"), [(160, 1), (512, 1), (640, 2), (1932, 4), (2048, 4), (4096, 8)])
def test_no_more_columns_are_left_than_two_cores_keep_up_with(num_columns: int, factor: int) -> None:
    assert bin_factor(num_columns) == factor
    assert num_columns // factor <= MOST_COLUMNS
