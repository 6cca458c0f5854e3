import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.reconstruction.ramp_filter import MARGIN_COLUMNS, RampFilter

ROUNDING = 2e-6  # of the largest value: two Fourier transforms of 24 bit floats


def samples(filtered: NDArray[np.float32], num_rows: int) -> NDArray[np.float32]:
    """Evaluate the cubic spline at the columns: shape (frame, row, column)."""
    rows = filtered.transpose(1, 0, 3, 2).reshape(filtered.shape[1], -1, filtered.shape[2])[:, :num_rows]
    inner = rows[..., MARGIN_COLUMNS - 1 : -MARGIN_COLUMNS + 1]
    return np.asarray((inner[..., :-2] + 4 * inner[..., 1:-1] + inner[..., 2:]) / 6, np.float32)


def convolved_with_the_ramp(integrals: NDArray[np.float32], pixel_um: float, taper: int) -> NDArray[np.float64]:
    """Sum over all columns with the ramp sampled in space, edges continued as half a cosine: no Fourier transform."""
    fall = 0.5 + 0.5 * np.cos(np.pi * (np.arange(taper) + 0.5) / max(taper, 1))
    wide = np.concatenate([integrals[..., :1] * fall[::-1], integrals, integrals[..., -1:] * fall], axis=-1)
    n = np.arange(wide.shape[-1]) - np.arange(wide.shape[-1])[:, None]
    odd = n % 2 == 1
    ramp = np.where(n == 0, 0.25, 0.0)
    ramp[odd] = -1 / (np.pi * n[odd]) ** 2
    return np.asarray((wide @ ramp)[..., taper : taper + integrals.shape[-1]] * 1e4 / pixel_um)


@pytest.mark.parametrize(
    ("num_frames", "num_rows", "num_columns", "taper"), [(1, 1, 40, 0), (4, 16, 64, 0), (5, 37, 100, 50), (2, 3, 33, 7)]
)
def test_the_spline_goes_through_the_convolution_with_the_ramp(
    num_frames: int, num_rows: int, num_columns: int, taper: int
) -> None:
    integrals = np.random.default_rng(1).random((num_frames, num_rows, num_columns), np.float32)
    expected = convolved_with_the_ramp(integrals, 3.5, taper)
    fast = RampFilter(num_rows, num_columns, 3.5, taper_columns=taper)
    filtered = fast.new_buffer(num_frames + 2)
    fast.filter(integrals, filtered, 1)
    found = samples(filtered[:, 1:-1], num_rows)
    # What wraps around may reach into the tapers.
    tolerance = ROUNDING if taper == 0 else 1e-3
    assert np.abs(found - expected).max() < tolerance * np.abs(expected).max()
    assert not filtered[:, 0].any()
    assert not filtered[:, -1].any()
