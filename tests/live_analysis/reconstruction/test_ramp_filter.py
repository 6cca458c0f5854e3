import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.reconstruction.filtered_back_projection import filter_projections
from live_analysis.reconstruction.ramp_filter import MARGIN_COLUMNS, RampFilter

ROUNDING = 2e-6  # of the largest value: two Fourier transforms of 24 bit floats


def samples(filtered: NDArray[np.float32], num_rows: int) -> NDArray[np.float32]:
    """Evaluate the cubic spline at the columns: shape (frame, row, column)."""
    rows = filtered.transpose(1, 0, 3, 2).reshape(filtered.shape[1], -1, filtered.shape[2])[:, :num_rows]
    inner = rows[..., MARGIN_COLUMNS - 1 : -MARGIN_COLUMNS + 1]
    return np.asarray((inner[..., :-2] + 4 * inner[..., 1:-1] + inner[..., 2:]) / 6, np.float32)


@pytest.mark.parametrize(
    ("num_frames", "num_rows", "num_columns", "taper"), [(1, 1, 40, 0), (4, 16, 64, 0), (5, 37, 100, 50), (2, 3, 33, 7)]
)
def test_the_spline_goes_through_what_an_ordinary_ramp_filter_gives(
    num_frames: int, num_rows: int, num_columns: int, taper: int
) -> None:
    integrals = np.random.default_rng(1).random((num_frames, num_rows, num_columns), np.float32)
    expected = filter_projections(integrals, 3.5, taper_columns=taper)
    fast = RampFilter(num_rows, num_columns, 3.5, taper_columns=taper)
    filtered = fast.new_buffer(num_frames + 2)
    fast.filter(integrals, filtered, 1)
    found = samples(filtered[:, 1:-1], num_rows)
    # The other filter pads to another length, which the tapered edges feel.
    tolerance = ROUNDING if taper == 0 else 1e-3
    assert np.abs(found - expected).max() < tolerance * np.abs(expected).max()
    assert not filtered[:, 0].any()
    assert not filtered[:, -1].any()
