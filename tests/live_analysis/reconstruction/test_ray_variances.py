import numpy as np
import pytest

from live_analysis.reconstruction.integral_variance import Counting, integral_variances
from live_analysis.reconstruction.ray_variances import add_variances, column_step, means_of_columns, rays_of

COUNTING = Counting(photons_per_count=0.5, dark_variance=9.0, num_flats=10, num_darks=10)
NUM, ROWS, COLUMNS = 6, 3, 200  # blocks of three columns, and two columns more in the last


def test_sums_over_projections_and_columns_are_those_of_the_variances_of_all_pixels() -> None:
    rng = np.random.default_rng(1)
    counts = rng.integers(90, 4000, (NUM, ROWS, COLUMNS)).astype(np.uint16)
    dark = rng.uniform(95, 105, (ROWS, COLUMNS)).astype(np.float32)
    used = np.ones((ROWS, COLUMNS), bool)
    used[1, 50:53] = False
    used[2, 100] = False
    whole = integral_variances(counts, np.full((ROWS, COLUMNS), 4000, np.float32), dark, COUNTING)
    known = rays_of(whole)
    step = column_step(COLUMNS)
    assert (known.step, known.first, known.of_each.shape) == (3, 1.0, (NUM, ROWS, 66))
    of_each, sums = np.zeros_like(known.of_each), np.zeros((2, ROWS, COLUMNS))
    for part in (slice(0, 4), slice(4, 6)):
        add_variances(
            counts[part].astype(np.float32), dark, used, 1 / COUNTING.photons_per_count, COUNTING.dark_variance,
            step, of_each[part], sums,
        )  # fmt: skip
    others = np.ones((ROWS, 66), bool)
    others[1, 16:18] = others[2, 33] = False
    np.testing.assert_allclose(of_each[:, others], known.of_each[:, others], rtol=1e-4)
    np.testing.assert_allclose(sums[0][used], whole.of_each.sum(axis=0)[used], rtol=1e-4)
    # What cannot be used counts for nothing: the block with one such pixel has the mean of the other two.
    assert of_each[:, 2, 33] == pytest.approx(whole.of_each[:, 2, [99, 101]].mean(axis=1), rel=1e-4)


def test_columns_left_over_belong_to_the_last_block() -> None:
    assert means_of_columns(np.arange(8, dtype=np.float32), 3).tolist() == [1.0, 5.0]
