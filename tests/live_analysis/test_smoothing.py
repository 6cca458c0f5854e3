"""What is smoothed on all cores is what scipy smooths on one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from live_analysis.smoothing import smoothed


@settings(max_examples=20, deadline=None)
@given(num_planes=st.integers(1, 70), sigma=st.floats(0.3, 2.5), truncate=st.sampled_from([3.0, 4.0]))
def test_parts_of_a_volume_are_smoothed_as_the_whole_to_the_last_bit(
    num_planes: int, sigma: float, truncate: float
) -> None:
    values = np.random.default_rng(num_planes).normal(2.0, 1.0, (num_planes, 9, 11)).astype(np.float32)
    one_by_one = (sigma, 2 * sigma, 0.5 * sigma)
    expected = ndimage.gaussian_filter(values, one_by_one, truncate=truncate)
    assert np.array_equal(smoothed(values, one_by_one, truncate=truncate), expected)
