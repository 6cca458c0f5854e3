import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from live_analysis.alignment_picture import (
    AXIS_COLOUR,
    INK,
    NOT_SEEN,
    REGION_COLOUR,
    AlignmentView,
    alignment_picture,
    mirrored_about,
)
from live_analysis.axis_of_pair import AxisOfPair
from live_analysis.region_of_interest import RegionOfInterest

ROWS, COLUMNS, AXIS = 30, 110, 60.0
SCALE, MARGIN, TOP = 10, 28, 28 + 3 * 24  # picture pixels for each of the view; where the radiograph begins


def view(shape: tuple[int, int] = (ROWS, COLUMNS), *, tilt_deg: float | None = None) -> AlignmentView:
    grey = np.random.default_rng(0).uniform(0.1, 0.3, shape).astype(np.float32)
    difference = (grey - 0.2).astype(np.float32)
    difference[:, :5] = np.nan
    region = RegionOfInterest(4, shape[0] - 8, 20, 81, False)
    return AlignmentView(grey, difference, AxisOfPair(AXIS, 0.1, 0.9, tilt_deg, None), region, 3.52)


def draw(seen: AlignmentView, *, title: str = "Alignment for cus", mark: str = "") -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(alignment_picture(seen, title=title, mark=mark))))


def where(picture: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (picture == colour).all(axis=2)
    return found


@pytest.mark.parametrize("shape", [(30, 110), (16, 104), (112, 640), (300, 740), (200, 1932)])
def test_nothing_touches_the_rim_of_the_picture_however_large_the_view(shape: tuple[int, int]) -> None:
    picture = draw(view(shape), title="Alignment for a_name_of_forty_letters_as_long_as_it_gets", mark="REHEARSAL")
    inside = picture[8:-8, 8:-8]
    assert (picture.astype(int).sum() - inside.astype(int).sum()) == 255 * 3 * (
        picture.shape[0] * picture.shape[1] - inside.shape[0] * inside.shape[1]
    )


def test_axis_and_region_are_drawn_where_they_lie() -> None:
    picture = draw(view())
    axis, region = where(picture, AXIS_COLOUR), where(picture, REGION_COLOUR)
    panel = slice(TOP, TOP + SCALE * ROWS)
    columns = np.flatnonzero(axis[panel].any(axis=0))
    assert columns.mean() == pytest.approx(MARGIN + SCALE * (AXIS + 0.5), abs=2)  # half the line's width
    rows = np.flatnonzero(region[panel, MARGIN + SCALE * 50])
    assert (rows[0], rows[-1]) == (SCALE * 4, SCALE * (ROWS - 4) - 1)
    sides = np.flatnonzero(region[TOP + SCALE * 10])
    assert (sides[0], sides[-1]) == (MARGIN + SCALE * 20, MARGIN + SCALE * 101 - 1)


@pytest.mark.parametrize("tilt_deg", [-5.0, 5.0])
def test_a_leaning_axis_leans_in_the_picture(tilt_deg: float) -> None:
    axis = where(draw(view(tilt_deg=tilt_deg)), AXIS_COLOUR)
    first, last = (np.flatnonzero(axis[row]).mean() for row in (TOP + 2, TOP + 256))
    assert first - last == pytest.approx(np.tan(np.radians(tilt_deg)) * 254, abs=4)


def test_pixels_of_one_shot_only_are_marked_as_not_seen() -> None:
    picture = draw(view())
    unseen = where(picture, NOT_SEEN)
    assert unseen.sum() == SCALE * 5 * SCALE * ROWS
    assert unseen[:, : MARGIN + SCALE * 5].sum() == unseen.sum()


def test_a_rehearsal_is_marked_in_red_and_stays_legible_beside_a_long_title() -> None:
    def red(picture: NDArray[np.uint8]) -> int:
        head = picture[: TOP - 24].astype(int)
        return int(np.count_nonzero(head[..., 0] - head[..., 1] > 100))

    marked = red(draw(view(), mark="REHEARSAL"))
    assert marked > 200
    assert red(draw(view())) == 0
    long = draw(view(), title="Alignment for " + 60 * "ab ", mark="REHEARSAL")
    assert red(long) == marked
    mark = np.flatnonzero((long[: TOP - 24, :, 0].astype(int) - long[: TOP - 24, :, 1] > 100).any(axis=0))
    assert (long[: TOP - 24, mark[0] - 10 : mark[0]] == 255).all(), "the title ends before it"


def test_the_scale_bar_is_as_long_as_it_says() -> None:
    picture = draw(view())
    below = picture[TOP + SCALE * ROWS + 6 : TOP + SCALE * ROWS + 30]
    bar = where(below, INK)[:, MARGIN:]
    longest = max(int(np.argmin(np.append(row, False))) for row in bar)
    assert longest == pytest.approx(100 / 3.52 * SCALE, abs=2)  # 100 um


def test_mirroring_twice_gives_back_what_was_seen_both_times() -> None:
    frame = np.random.default_rng(0).uniform(size=(3, 11)).astype(np.float32)
    mirrored = mirrored_about(frame, 4.0)
    np.testing.assert_allclose(mirrored[:, :9], frame[:, 8::-1])
    assert np.isnan(mirrored[:, 9:]).all()
    half = mirrored_about(np.arange(12, dtype=np.float32)[None], 5.25)  # 10.5 - column
    np.testing.assert_allclose(half[0, :11], 10.5 - np.arange(11))
    assert np.isnan(half[0, 11])
