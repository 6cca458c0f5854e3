"""Thresholds, fractions, connections and surfaces of volumes whose answer is known."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage
from scipy.stats import norm
from skimage.filters import threshold_multiotsu

from live_analysis.segmentation.class_map import OUTSIDE, class_map
from live_analysis.segmentation.connectivity import phase_connectivity
from live_analysis.segmentation.grey_histogram import GreyValueError, grey_histogram
from live_analysis.segmentation.multi_otsu import multi_otsu
from live_analysis.segmentation.phase_fractions import phase_fractions
from live_analysis.segmentation.surface_area import surface_areas
from live_analysis.segmentation.threshold_sensitivity import threshold_sensitivity


def thresholds(values: NDArray[np.generic], num_classes: int) -> NDArray[np.float64]:
    return multi_otsu(grey_histogram(lambda: [values]), num_classes)


@given(seed=st.integers(0, 2**32 - 1), num_classes=st.integers(2, 5))
def test_no_other_division_has_less_variance_within_its_classes(seed: int, num_classes: int) -> None:
    random = np.random.default_rng(seed)
    values = random.choice(random.integers(0, 40, 9), (2, 5, 20)).astype(np.uint8)
    greys = np.unique(values).astype(float)
    if len(greys) < num_classes:
        return
    best = min(within(values, np.array(ends) + 0.5) for ends in combinations(greys[:-1], num_classes - 1))
    assert within(values, thresholds(values, num_classes)) == pytest.approx(best)


def within(values: NDArray[np.uint8], found: NDArray[np.float64]) -> float:
    """Sum of squares of what values differ from the mean of their class."""
    classes = np.digitize(values, found)
    return sum(float(np.var(values[classes == index]) * (classes == index).sum()) for index in np.unique(classes))


@pytest.mark.parametrize("num_classes", [2, 3, 4])
def test_thresholds_of_real_numbers_are_those_of_scikit_image_within_its_bins(num_classes: int) -> None:
    random = np.random.default_rng(3)
    values = random.normal(random.choice([1.0, 2.0, 4.0, 5.5, 8.0], (20, 40, 40)), 0.2).astype(np.float32)
    expected = threshold_multiotsu(values, num_classes)
    # Between separate classes every threshold is as good, to both up to one bin of 256.
    ours = class_map(values, thresholds(values, num_classes))
    assert (ours != np.digitize(values, expected)).mean() < 1e-3


def test_one_damaged_voxel_and_missing_ones_change_no_threshold() -> None:
    random = np.random.default_rng(4)
    values = random.normal(random.choice([1.0, 2.0], (10, 40, 40)), 0.1).astype(np.float32)
    clean = thresholds(values, 2)
    values[0, 0, :4] = 1e30, np.nan, np.inf, -np.inf
    assert thresholds(values, 2) == pytest.approx(clean, abs=1e-3)
    assert class_map(values, clean)[0, 0, :4].tolist() == [1, OUTSIDE, OUTSIDE, OUTSIDE]


@pytest.mark.parametrize("kind", ["u1", ">u2", "<i4", ">f4", "f2"])
def test_the_kind_of_number_makes_no_difference(kind: str) -> None:
    values = np.random.default_rng(5).choice([10, 20, 90], (3, 8, 9)).astype(kind)
    assert np.array_equal(class_map(values, thresholds(values, 3)), np.searchsorted([10, 20, 90], values))


def test_what_cannot_be_divided_is_said() -> None:
    for values, words in ((np.full((2, 2, 2), 3.5), r"1 grey value \(3.5\)"), (np.full((2, 2, 2), np.nan), "finite")):
        with pytest.raises(GreyValueError, match=words):
            thresholds(values, 2)
    with pytest.raises(GreyValueError, match="2 to 5"):
        thresholds(np.arange(27).reshape(3, 3, 3), 6)


def textured(seed: int, length: float, shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """A normally distributed texture of variance 1, cut from one that is periodic."""
    noise = np.random.default_rng(seed).standard_normal(tuple(2 * num for num in shape), dtype=np.float32)
    smooth = ndimage.gaussian_filter(noise, length, mode="wrap") * (2 * np.sqrt(np.pi) * length) ** 1.5
    return np.ascontiguousarray(smooth[: shape[0], : shape[1], : shape[2]])


def test_true_fractions_lie_within_two_stated_deviations_in_nine_of_ten_cases() -> None:
    of_volume, of_material = [], []
    for seed in range(20):
        random = np.random.default_rng(seed)
        cuts = np.cumsum([random.uniform(-1.0, 0.2), random.uniform(0.6, 1.0)])
        phases = np.digitize(textured(seed, random.uniform(2.5, 4.0), (48, 48, 48)), cuts)
        greys = np.cumsum(random.uniform(0.7, 1.5, 3))[phases].astype(np.float32)
        blurred = ndimage.gaussian_filter(greys, random.uniform(0.4, 0.9))
        noisy = blurred + random.normal(0, random.uniform(0.03, 0.12), blurred.shape).astype(np.float32)
        histogram = grey_histogram([noisy].copy)
        found = multi_otsu(histogram, 3)
        sensitivity = threshold_sensitivity(histogram, found)
        measured = phase_fractions(class_map(noisy, found), 3)
        assert measured.fractions == pytest.approx(sensitivity.fractions, abs=1e-4)  # a bin of 65536
        of_volume += list(
            np.abs(measured.fractions - np.bincount(phases.ravel()) / phases.size) < 2 * sensitivity.uncertainties
        )
        expected = np.diff([0, *norm.cdf(cuts), 1])
        both = np.hypot(sensitivity.uncertainties, measured.sampling)
        of_material += list(np.abs(measured.fractions - expected) < 2 * both)
    assert np.mean(of_volume) >= 0.85  # 0.9 with 60 cases that are not all independent
    assert np.mean(of_material) >= 0.85


def test_layers_are_counted_across_the_asked_axis() -> None:
    classes = np.zeros((4, 5, 6), np.uint8)
    classes[:, 2], classes[:, 3] = 1, OUTSIDE
    layers = phase_fractions(classes, 2, axis=1).layers
    assert layers[[0, 1, 2, 4]].tolist() == [[1, 0], [1, 0], [0, 1], [1, 0]]
    assert np.isnan(layers[3]).all()


def test_through_dead_end_and_isolated_parts_are_told_apart() -> None:
    classes = np.zeros((8, 9, 10), np.uint8)
    classes[:, 1, 1] = 1  # 8 voxels through along z
    classes[:3, 5, 5] = 1  # 3, a dead end from the first layer
    classes[7, 7, 7] = 1  # 1, at the last
    classes[4, 4, 4] = 1  # 1, isolated; shares no more than an edge with the dead end's reach
    rod = phase_connectivity(classes, 2)[1]
    assert (rod.num_voxels, rod.num_components, rod.largest) == (13, 4, (8, 3, 1))
    assert rod.through == pytest.approx((8 / 13, 0, 0))
    assert rod.from_first[0] == pytest.approx(3 / 13)
    assert rod.from_last[0] == rod.isolated == pytest.approx(1 / 13)
    assert np.isnan(phase_connectivity(classes, 3)[2].through).all()


@given(seed=st.integers(0, 2**32 - 1), connectivity=st.sampled_from([6, 18, 26]))
def test_turning_a_volume_turns_its_connections(seed: int, connectivity: int) -> None:
    classes = np.random.default_rng(seed).integers(0, 3, (4, 5, 6)).astype(np.uint8)
    found = phase_connectivity(classes, 3, connectivity=connectivity)
    turned = phase_connectivity(classes.transpose(2, 0, 1)[::-1], 3, connectivity=connectivity)
    for before, after in zip(found, turned, strict=True):
        assert after.through == pytest.approx((before.through[2], before.through[0], before.through[1]), nan_ok=True)
        assert after.from_last[0] == pytest.approx(before.from_first[2], nan_ok=True)
        assert sorted(after.sizes) == sorted(before.sizes)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 1.0, 1.0)])
def test_the_surface_of_many_balls_is_theirs(spacing: tuple[float, float, float]) -> None:
    random, shape, radius = np.random.default_rng(6), np.array([48, 96, 96]), 9.0
    size = shape * spacing
    grid = np.meshgrid(
        *(np.arange(num) * step for num, step in zip(shape, spacing, strict=True)), indexing="ij", sparse=True
    )
    away = np.full(tuple(shape), np.inf)
    for centre in random.uniform(0, size, (12, 3)):  # wrapped around: as if the volume went on for ever
        parts = [np.abs(axis - at) for axis, at in zip(grid, centre, strict=True)]
        parts = [np.minimum(part, full - part) for part, full in zip(parts, size, strict=True)]
        away = np.minimum(away, parts[0] ** 2 + parts[1] ** 2 + parts[2] ** 2)
    inner, outer = (away < radius**2).astype(np.uint8), (away < (radius + 1) ** 2).mean()
    expected = (outer - (away < (radius - 1) ** 2).mean()) / 2  # d volume / d radius, per volume
    areas = surface_areas(inner, 2, spacing=spacing)
    assert areas[0] == areas[1]
    assert areas[1] == pytest.approx(expected, rel=0.03)  # a few balls, cut into voxels of up to 2
