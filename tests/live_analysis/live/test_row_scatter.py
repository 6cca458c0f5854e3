import numpy as np
import pytest

from live_analysis.live.row_scatter import row_scatter


def test_the_scatter_is_the_noise_whatever_is_seen_beneath_it() -> None:
    rng = np.random.default_rng(1)
    z, y, x = np.meshgrid(*(np.arange(96.0),) * 3, indexing="ij")
    seen = np.hypot(y - 47.5, x - 47.5) < 48
    values = np.where(seen, 3 + 0.05 * z + np.where(np.hypot(y - 30, x - 40) < 12, 9.0, 0.0), np.nan)
    values[40:60, 20:40, 50:80] += 25  # a particle that begins and ends
    values += rng.normal(0, 0.7, values.shape)
    # 10,000 voxels are looked at, of which one in a hundred lies at an edge between rows
    assert row_scatter(values.astype(np.float32)) == pytest.approx(0.7, rel=0.04)


@pytest.mark.parametrize("num_rows", [1, 2, 3, 4, 5, 6, 7])
def test_few_rows_are_enough_if_there_are_three(num_rows: int) -> None:
    values = np.random.default_rng(2).normal(0, 1, (num_rows, 200, 200)).astype(np.float32)
    found = row_scatter(values)
    assert np.isnan(found) if num_rows < 3 else found == pytest.approx(1, abs=0.06)
    assert np.isnan(row_scatter(np.full_like(values, np.nan)))
