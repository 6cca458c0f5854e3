import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.live.binned_frames import MOST_COLUMNS, bin_factor, binned_transmission

RNG = np.random.default_rng(1)
DARK = RNG.uniform(90, 110, (5, 7)).astype(np.float32)
BEAM = RNG.uniform(800, 1200, (1, 5, 7)).astype(np.float32)
COUNTS = RNG.integers(200, 900, (3, 5, 7)).astype(np.uint16)
ALL = np.ones((5, 7), bool)


def of_block(frame: int, usable: NDArray[np.bool_] = ALL, beam: NDArray[np.float32] = BEAM[0]) -> float:
    """Transmission of the block of rows 2 and 3, columns 4 and 5."""
    block = np.s_[2:4, 4:6]
    chosen = usable[block]
    return float(
        (COUNTS[frame][block] - DARK[block].astype(float))[chosen].sum() / beam[block].astype(float)[chosen].sum()
    )


def test_a_block_is_its_counts_over_its_flat_and_what_fills_no_block_is_left_out() -> None:
    result = binned_transmission(COUNTS, DARK, BEAM, ALL, 65535, 2)
    assert result.shape == (3, 2, 3)
    assert result[1, 1, 2] == pytest.approx(of_block(1), rel=1e-5)


def test_a_broken_pixel_is_left_out_of_its_block_and_a_broken_block_is_a_hole() -> None:
    usable = ALL.copy()
    usable[2, 4] = False
    usable[:2, :2] = False
    result = binned_transmission(COUNTS, DARK, BEAM, usable, 65535, 2)
    assert result[0, 1, 2] == pytest.approx(of_block(0, usable), rel=1e-5)
    np.testing.assert_array_equal(np.isnan(result[0]), [[True, False, False], [False, False, False]])


def test_a_saturated_pixel_makes_its_block_a_hole_in_that_frame_only() -> None:
    counts = COUNTS.copy()
    counts[1, 0, 0] = 65535
    np.testing.assert_array_equal(
        np.isnan(binned_transmission(counts, DARK, BEAM, ALL, 65535, 2))[:, 0, 0], [False, True, False]
    )


def test_each_projection_may_have_a_flat_of_its_own() -> None:
    beams = np.concatenate([BEAM, 2 * BEAM, BEAM])
    result = binned_transmission(COUNTS, DARK, beams, ALL, 65535, 2)
    assert result[1, 1, 2] == pytest.approx(of_block(1, beam=2 * BEAM[0]), rel=1e-5)


@pytest.mark.parametrize(("num_columns", "factor"), [(160, 1), (512, 1), (640, 2), (1932, 4), (2048, 4), (4096, 8)])
def test_no_more_columns_are_left_than_two_cores_keep_up_with(num_columns: int, factor: int) -> None:
    assert bin_factor(num_columns) == factor
    assert num_columns // factor <= MOST_COLUMNS
