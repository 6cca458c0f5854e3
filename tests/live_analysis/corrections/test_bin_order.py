import numpy as np
import pytest
from scipy import ndimage

from live_analysis.corrections.bin_order import in_order, median, quantile, running_median_of_five


@pytest.mark.parametrize("num_bins", [1, 2, 5, 32])
def test_order_quantiles_and_medians_are_those_of_numpy(num_bins: int) -> None:
    bins = np.random.default_rng(3).normal(size=(3, num_bins, 7)).astype(np.float32)
    before = bins.copy()
    np.testing.assert_array_equal(in_order(bins), np.sort(bins, axis=1))
    for part in (0.0, 0.2, 0.5, 1.0):
        np.testing.assert_allclose(quantile(in_order(bins), part), np.quantile(bins, part, axis=1), atol=1e-6)
    np.testing.assert_allclose(median(bins), np.median(bins, axis=1), atol=1e-6)
    np.testing.assert_array_equal(running_median_of_five(bins), ndimage.median_filter(bins, (1, 5, 1), mode="nearest"))
    np.testing.assert_array_equal(bins, before)
