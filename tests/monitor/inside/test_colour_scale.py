import numpy as np
import pytest
from numpy.typing import NDArray

from operando.model.grey_window import GreyWindow
from operando.monitor.inside.colour_scale import (
    NOT_SEEN,
    DifferenceScale,
    GreyScale,
    StraightScale,
    colour_index,
    colour_table,
    difference_scale,
)
from operando.monitor.inside.drawn_image import draw_counts, draw_values


def colours(pixels: NDArray[np.uint32]) -> list[tuple[int, int, int]]:
    return [(int(p) >> 16 & 255, int(p) >> 8 & 255, int(p) & 255) for p in pixels.ravel()]


def test_black_white_and_what_was_not_seen_have_colours_of_their_own() -> None:
    values = np.array([[0.0, 40.0, 10.0, np.nan, -3.0, 99.0, np.inf]], np.float32)
    drawn = draw_values(values, GreyScale(GreyWindow(0.0, 40.0), "1/cm"))
    black, white, middle, not_seen, below, above, infinite = colours(drawn.pixels)
    assert (black, white, below, above, infinite) == ((0,) * 3, (255,) * 3, (0,) * 3, (255,) * 3, (255,) * 3)
    assert middle == (128, 128, 128)  # a quarter of the window, half the brightness
    assert not_seen == NOT_SEEN
    assert drawn.image.pixelColor(2, 0).red() == 128


def test_a_difference_is_blue_below_zero_light_at_zero_and_orange_above() -> None:
    less, none, more = colours(draw_values(np.array([[-5.0, 0.0, 5.0]], np.float32), DifferenceScale(10, "")).pixels)
    assert less[2] > less[0] + 50
    assert min(none) > 230
    assert more[0] > more[2] + 50


def test_the_scale_of_differences_is_round_symmetric_and_as_lasting_as_the_window() -> None:
    scale = difference_scale(GreyWindow(-1.5, 80.0), "1/cm")
    assert scale.largest == 10.0
    assert scale.ticks() == [-10.0, -5.0, 0.0, 5.0, 10.0]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_counts_by_their_table_look_as_if_they_were_reckoned_one_by_one(dtype: type) -> None:
    counts: NDArray[np.unsignedinteger] = np.arange(250, dtype=dtype).reshape(10, 25)
    scale = StraightScale(20, 200, "detector counts")
    assert np.array_equal(draw_counts(counts, scale).pixels, draw_values(counts.astype(np.float32), scale).pixels)


def test_a_mask_lets_through_what_lies_beneath() -> None:
    values, mask = np.array([[0.0, 0.0, 40.0]], np.float32), np.array([[0, 1, 1]], np.uint8)
    scale = GreyScale(GreyWindow(0.0, 40.0), "1/cm")
    plain, dark, light = colours(draw_values(values, scale, mask, ("#ff0000",)).pixels)
    assert plain == (0, 0, 0)
    assert dark == (153, 0, 0)
    assert light == (255, 102, 102)


def test_each_place_has_its_row_of_the_table() -> None:
    scale = StraightScale(0, 1, "")
    index = colour_index(scale, np.array([0.0, 1.0, np.nan], np.float32))
    assert index.tolist() == [1, 255, 0]
    assert len(colour_table(scale)) == 256
