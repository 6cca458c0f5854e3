import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_analysis.normalisation import (
    DeadFrameError,
    FlatFractionError,
    FrameShapeError,
    attenuation_integral,
    flat_between,
    mean_frame,
    repair_pixels,
    transmission,
)


def test_half_the_beam_is_a_transmission_of_one_half() -> None:
    counts = np.full((2, 3), 600, np.uint16)
    flat, dark = np.full((2, 3), 1100, np.float32), np.full((2, 3), 100, np.float32)
    np.testing.assert_allclose(transmission(counts, flat, dark), 0.5)


def test_counts_below_the_dark_do_not_wrap_around() -> None:
    counts = np.full((1, 1), 90, np.uint16)
    found = transmission(counts, np.full((1, 1), 200, np.float32), np.full((1, 1), 100, np.float32))
    np.testing.assert_allclose(found, -0.1, rtol=1e-6)


def test_a_flat_that_is_not_brighter_than_the_dark_gives_nan() -> None:
    flat = np.array([[1100, 100, 50]], np.float32)
    found = transmission(np.full((1, 3), 600, np.uint16), flat, np.full((1, 3), 100, np.float32))
    assert np.isnan(found).tolist() == [[False, True, True]]


def test_frames_of_different_shapes_are_refused_with_both_shapes() -> None:
    with pytest.raises(FrameShapeError, match=r"\(2, 3\).*\(2, 4\)"):
        transmission(np.zeros((2, 3), np.uint16), np.ones((2, 4), np.float32), np.zeros((2, 3), np.float32))


@given(st.floats(0.01, 3.0), st.integers(2_000, 60_000))
def test_the_flux_divides_out(integral: float, photons: int) -> None:
    flat, dark = np.full((1, 1), photons + 100, np.float32), np.full((1, 1), 100, np.float32)
    counts = np.round(100 + photons * np.exp(-np.full((1, 1), integral))).astype(np.uint16)
    found = attenuation_integral(transmission(counts, flat, dark)).values
    # Rounding to whole counts is the only error: half a count of what is left of the beam.
    np.testing.assert_allclose(found, integral, atol=0.6 * np.exp(integral) / photons + 1e-5)


def test_pixels_without_transmission_become_nan_and_are_counted() -> None:
    found = attenuation_integral(np.array([[1.0, 0.0, -0.1, np.nan]], np.float32))
    assert found.num_pixels == 3
    assert np.isnan(found.values).tolist() == [[False, True, True, True]]


def test_the_flat_moves_linearly_from_before_to_after_the_scan() -> None:
    before, after = mean_frame(np.full((3, 2, 2), 1000, np.uint16)), np.full((2, 2), 900, np.float32)
    np.testing.assert_allclose(flat_between(before, after, 0.25), 975)


def test_the_flat_is_not_extrapolated() -> None:
    flat = np.ones((1, 1), np.float32)
    with pytest.raises(FlatFractionError, match=r"1\.200"):
        flat_between(flat, flat, 1.2)


def test_a_dead_column_and_a_hole_are_filled_from_their_neighbours_and_counted() -> None:
    frame = np.tile(np.arange(7, dtype=np.float32), (6, 1))
    broken = frame.copy()
    broken[:, 2] = np.nan
    broken[1:4, 4:7] = np.nan
    repaired = repair_pixels(broken)
    assert repaired.num_pixels == 6 + 9
    np.testing.assert_allclose(repaired.values[:, 2], 2, atol=0.3)
    assert np.isfinite(repaired.values).all()


def test_a_frame_without_a_valid_pixel_is_refused() -> None:
    stack = np.ones((3, 2, 2), np.float32)
    stack[1] = np.nan
    with pytest.raises(DeadFrameError, match="first: 1"):
        repair_pixels(stack)
