import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from operando.session.report.decimation import peaks_kept


@given(st.integers(2, 3000), st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_every_bin_keeps_its_lowest_and_its_highest_sample(num: int, num_bins: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    time_s = np.cumsum(rng.exponential(1.0, num))
    values = rng.standard_cauchy(num)
    times, kept = peaks_kept(time_s, values, num_bins)
    assert len(times) <= max(4 * num_bins, 1)
    assert np.all(np.diff(times) > 0)
    assert np.all(np.isin(times, time_s))
    edges = np.linspace(time_s[0], time_s[-1], num_bins + 1)
    bins, bins_kept = (np.searchsorted(edges[1:-1], t, side="right") for t in (time_s, times))
    for part in np.unique(bins):
        assert values[bins == part].max() == kept[bins_kept == part].max()
        assert values[bins == part].min() == kept[bins_kept == part].min()
