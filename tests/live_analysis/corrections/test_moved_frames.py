import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.corrections.moved_frames import margin_rows, moved_along_columns, moved_along_rows, upright

SIGMA = 2.0  # pixels; a cubic spline carries detail of this size to 1e-4


def blobs(row_shift: float = 0.0, column_shift: float = 0.0, tilt_deg: float = 0.0) -> NDArray[np.float32]:
    """Three Gaussians about the middle of a frame, turned with an axis leaning right at the top, then moved."""
    rows, columns = np.indices((60, 80), dtype=np.float64)
    frame = np.zeros((60, 80))
    tilt = np.radians(tilt_deg)
    for up, right in ((15.0, -20.0), (-12.0, 3.0), (2.0, 22.0)):
        row = 29.5 - up * np.cos(tilt) + right * np.sin(tilt) + row_shift
        column = 39.5 + up * np.sin(tilt) + right * np.cos(tilt) + column_shift
        frame += np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * SIGMA**2))
    return frame[None].astype(np.float32)


@pytest.mark.parametrize("shift", [-3.0, -0.37, 0.0, 0.5, 2.81])
def test_a_frame_is_moved_by_parts_of_pixels_both_ways(shift: float) -> None:
    still = blobs()
    np.testing.assert_allclose(moved_along_columns(still, np.array([[shift]])), blobs(0, shift), atol=3e-3)
    np.testing.assert_allclose(moved_along_rows(still, np.array([[shift]])), blobs(shift, 0), atol=3e-3)


def test_what_does_not_move_stays_as_it_is_to_the_last_bit() -> None:
    np.testing.assert_array_equal(moved_along_columns(blobs(), np.zeros((1, 60))), blobs())


def test_a_constant_and_a_ramp_keep_their_values_and_edges_are_repeated() -> None:
    ramp = np.tile(np.arange(40, dtype=np.float32), (1, 5, 1))
    moved = moved_along_columns(ramp, np.array([[1.5]]))
    np.testing.assert_allclose(moved[0, :, 6:34], ramp[0, :, 6:34] - 1.5, atol=2e-3)  # the ends are mirrored
    assert (moved[0, :, :1] == 0).all()
    np.testing.assert_allclose(moved_along_columns(np.ones((1, 5, 40), np.float32), np.array([[0.3]])), 1, atol=1e-5)


@pytest.mark.parametrize("tilt_deg", [-2.0, 0.4, 3.0])
def test_a_leaning_frame_is_set_upright(tilt_deg: float) -> None:
    found = upright(blobs(tilt_deg=tilt_deg), tilt_deg, centre_row=29.5, centre_column=39.5)
    # Three interpolations of Gaussians of 2 pixels.
    np.testing.assert_allclose(found, blobs(), atol=6e-3)


def test_a_slab_with_its_margin_is_turned_as_the_whole_frame() -> None:
    leaning = blobs(tilt_deg=1.5)
    whole = upright(leaning, 1.5, centre_row=29.5, centre_column=39.5)
    margin = margin_rows(1.5, 80)
    first = 28 - margin
    slab = upright(leaning[:, first : 34 + margin], 1.5, centre_row=29.5 - first, centre_column=39.5)
    np.testing.assert_allclose(slab[:, margin : margin + 6], whole[:, 28:34], atol=1e-5)
