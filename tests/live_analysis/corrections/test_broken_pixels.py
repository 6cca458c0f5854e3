import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.corrections.broken_pixels import BrokenPixelsError, find_broken_pixels
from live_analysis.corrections.frame_statistics import FrameStatistics, RunningStatistics

SHAPE = (60, 90)
DARK, BEAM, NOISE = 100.0, 20_000.0, 3.0


def exposed(num: int, level: NDArray[np.float64], noise: NDArray[np.float64], seed: int) -> NDArray[np.uint16]:
    values = np.random.default_rng(seed).normal(level, noise, (num, *SHAPE))
    return np.clip(np.round(values), 0, 65535).astype(np.uint16)


def statistics(frames: NDArray[np.uint16], batch: int = 7) -> FrameStatistics:
    running = RunningStatistics()
    for first in range(0, len(frames), batch):
        running.add(frames[first : first + batch], np.zeros(len(frames[first : first + batch])))
    found = running.result()
    assert found is not None
    return found


def structured_beam() -> NDArray[np.float64]:
    """Stripes and a broad profile of 30 %, and pixels that differ by 5 %."""
    rows, columns = np.indices(SHAPE)
    smooth = 1 + 0.2 * np.sin(rows / 6) - 0.3 * (columns / SHAPE[1] - 0.5) ** 2
    return np.asarray(BEAM * smooth * np.random.default_rng(9).normal(1, 0.05, SHAPE))


def test_mean_and_variance_do_not_depend_on_the_batches() -> None:
    frames = exposed(20, np.full(SHAPE, 60_000.0), np.full(SHAPE, 5.0), seed=0)
    for batch in (1, 7, 20):
        found = statistics(frames, batch)
        np.testing.assert_allclose(found.mean, frames.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(found.variance, frames.var(axis=0, ddof=1), rtol=1e-4)


def test_hot_dead_flickering_and_saturated_pixels_are_told_and_no_good_one() -> None:
    dark_level, dark_noise = np.full(SHAPE, DARK), np.full(SHAPE, NOISE)
    beam = structured_beam()
    dark_level[5, 5], dark_noise[8, 70] = DARK + 4000, 800.0
    beam[30, 10], beam[:, 40], beam[20:31, 60:71] = 0.0, 0.02 * beam[:, 40], 0.0
    beam[50, 50] = 70_000
    flat_noise = np.sqrt(np.maximum(beam, 1) / 2)
    flat_noise[12, 12] = 3000.0
    darks = exposed(20, dark_level, dark_noise, seed=1)
    flats = exposed(40, dark_level + beam, np.hypot(dark_noise, flat_noise), seed=2)
    broken = find_broken_pixels(statistics(darks), statistics(flats))
    hot, dead = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    hot[5, 5] = hot[8, 70] = hot[12, 12] = True
    dead[30, 10] = dead[:, 40] = dead[20:31, 60:71] = True
    expected = hot | dead
    expected[50, 50] = True
    np.testing.assert_array_equal(broken.mask, expected)
    np.testing.assert_array_equal(broken.hot, hot)
    assert broken.counts()["saturated"] == 1
    assert broken.counts(slice(0, 10)) == {"hot": 2, "dead": 10, "saturated": 0}


def test_a_good_camera_has_no_broken_pixel_by_chance() -> None:
    beam = structured_beam()
    for seed in range(20):
        darks = exposed(5, np.full(SHAPE, DARK), np.full(SHAPE, NOISE), seed)
        flats = exposed(5, DARK + beam, np.sqrt(beam / 2), seed + 100)
        assert not find_broken_pixels(statistics(darks), statistics(flats)).mask.any()


def test_one_dark_and_one_flat_are_enough_for_dead_pixels() -> None:
    beam = structured_beam()
    beam[7, 7] = 0
    darks = exposed(1, np.full(SHAPE, DARK), np.full(SHAPE, NOISE), 1)
    flats = exposed(1, DARK + beam, np.sqrt(beam / 2), 2)
    broken = find_broken_pixels(statistics(darks), statistics(flats))
    assert np.argwhere(broken.mask).tolist() == [[7, 7]]


def test_rows_beyond_the_beam_are_not_broken() -> None:
    beam = structured_beam()
    beam[:20] = 0
    darks = exposed(9, np.full(SHAPE, DARK), np.full(SHAPE, NOISE), 1)
    flats = exposed(9, DARK + beam, np.hypot(NOISE, np.sqrt(beam / 2)), 2)
    assert not find_broken_pixels(statistics(darks), statistics(flats)).mask.any()


@pytest.mark.parametrize(
    ("flat_counts", "told"),
    [(0.0, "nowhere brighter"), (DARK, "broken|nowhere brighter"), (90_000.0, "saturated.*Take both anew")],
    ids=["darker than the dark", "shutter closed", "overexposed"],
)
def test_flats_that_are_none_are_refused(flat_counts: float, told: str) -> None:
    darks = exposed(9, np.full(SHAPE, DARK), np.full(SHAPE, NOISE), 1)
    flats = exposed(9, np.full(SHAPE, flat_counts), np.full(SHAPE, NOISE), 2)
    with pytest.raises(BrokenPixelsError, match=told):
        find_broken_pixels(statistics(darks), statistics(flats))


def test_more_broken_pixels_than_can_be_repaired_are_refused() -> None:
    beam = structured_beam()
    beam[:, ::12] = 0
    darks = exposed(9, np.full(SHAPE, DARK), np.full(SHAPE, NOISE), 1)
    flats = exposed(9, DARK + beam, np.hypot(NOISE, np.sqrt(beam / 2)), 2)
    with pytest.raises(BrokenPixelsError, match=r"8\.9% of the pixels in 60 lit rows.*480 dead"):
        find_broken_pixels(statistics(darks), statistics(flats))
