import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_analysis.reconstruction.lane_fourier import backward, fast_length, forward, frequencies, unit_circle

LENGTHS = (4, 6, 8, 12, 32, 96, 128, 384, 1024)
ROUNDING = 1e-6  # of the largest value: floats of 24 bits through ten stages


@pytest.mark.parametrize("length", LENGTHS)
def test_forward_gives_the_fourier_transform_in_the_order_of_frequencies_and_backward_undoes_it(length: int) -> None:
    rng = np.random.default_rng(length)
    values = rng.normal(size=(length, 16)) + 1j * rng.normal(size=(length, 16))
    re, im = (np.ascontiguousarray(part, np.float32) for part in (values.real, values.imag))
    forward(re, im, *unit_circle(length))
    expected = np.fft.fft(values, axis=0)[frequencies(length)]
    assert np.abs(re + 1j * im - expected).max() < ROUNDING * np.abs(expected).max()
    backward(re, im, *unit_circle(length))
    assert np.abs((re + 1j * im) / length - values).max() < ROUNDING * np.abs(values).max()


@given(st.integers(1, 10_000))
def test_a_fast_length_is_long_enough_and_at_most_half_longer(least: int) -> None:
    found = fast_length(least)
    assert least <= found < max(1.5 * least, 4)
    assert sorted(frequencies(found)) == list(range(found))


def test_a_length_with_other_factors_is_refused() -> None:
    with pytest.raises(ValueError, match="fast_length"):
        frequencies(10)
