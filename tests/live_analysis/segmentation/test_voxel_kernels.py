"""Median, labels, moments and distances are those of scipy and scikit-image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from skimage import measure

from live_analysis.segmentation.component_moments import moments_of_components, moments_of_labels
from live_analysis.segmentation.distance import distance
from live_analysis.segmentation.labelling import ConnectivityError, connected_runs, label
from live_analysis.segmentation.median import median_3
from live_analysis.segmentation.runs import find_runs

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 20))
RANDOM = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@given(shape=SHAPES, random=RANDOM)
def test_the_median_is_that_of_27_voxels_and_leaves_nan_out(
    shape: tuple[int, int, int], random: np.random.Generator
) -> None:
    values = random.normal(size=shape).astype(np.float32)
    assert np.array_equal(median_3(values), ndimage.median_filter(values, 3, mode="nearest"))
    values[random.random(shape) < 0.1] = np.nan
    padded = np.pad(values, 1, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, (3, 3, 3)).reshape(*shape, 27)
    with np.errstate(all="ignore"):
        expected = np.where(
            np.isnan(values), np.nan, np.nanmedian(np.where(np.isnan(values)[..., None], 0, around), -1)
        )
    np.testing.assert_allclose(median_3(values), expected, rtol=1e-6)  # the mean of two, in single precision


@given(shape=SHAPES, random=RANDOM, part=st.floats(0.05, 0.95), connectivity=st.sampled_from([6, 18, 26]))
def test_components_are_those_of_scikit_image(
    shape: tuple[int, int, int], random: np.random.Generator, part: float, connectivity: int
) -> None:
    steps = {6: 1, 18: 2, 26: 3}[connectivity]
    mask = random.random(shape) < part
    for values in (mask, random.integers(0, 4, shape).astype(np.uint8) * mask):
        labels, num = label(values, connectivity)
        expected, num_expected = measure.label(values, connectivity=steps, return_num=True, background=0)
        assert num == num_expected
        assert len(np.unique(np.stack([labels.ravel(), expected.ravel()]), axis=1).T) == num + (values == 0).any()
    labels, _ = label(mask, connectivity)
    assert np.array_equal(labels, ndimage.label(mask, ndimage.generate_binary_structure(3, steps))[0])


@given(shape=SHAPES, random=RANDOM)
def test_sizes_centroids_and_covariances_are_those_of_scikit_image(
    shape: tuple[int, int, int], random: np.random.Generator
) -> None:
    labels, num = label(random.random(shape) < 0.4, 26)
    moments = moments_of_labels(labels, num)
    for index, found in enumerate(measure.regionprops(labels)):
        assert moments.sizes[index] == found.num_pixels
        assert moments.centroids[index] == pytest.approx(found.centroid)
        at = found.coords - found.coords.mean(axis=0)
        np.testing.assert_allclose(
            moments.covariances[index], at.T @ at / len(at) + np.eye(3) / 12, atol=1e-9
        )  # the voxel itself is a cube of side 1
        assert tuple(moments.ends[index]) == tuple(np.stack([found.coords.min(0), found.coords.max(0)], 1).ravel())
    again = moments_of_components(connected_runs(find_runs((labels > 0).view(np.uint8), 0), 26))
    assert np.array_equal(again.sizes, moments.sizes)
    assert np.array_equal(again.covariances, moments.covariances)


def test_axes_of_an_ellipsoid_are_its_own() -> None:
    z, y, x = np.mgrid[-20:21, -20:21, -20:21]
    tilted = (x + y) / np.sqrt(2), (x - y) / np.sqrt(2)
    mask = (z / 5) ** 2 + (tilted[0] / 10) ** 2 + (tilted[1] / 18) ** 2 <= 1
    moments = moments_of_labels(mask.astype(np.int32), 1, spacing=(0.5, 0.5, 0.5))
    assert moments.lengths[0] == pytest.approx([5, 10, 18], rel=0.02)  # the edge is a staircase of voxels
    assert abs(moments.axes[0, 0, 0]) == pytest.approx(1, abs=1e-6)
    assert np.abs(moments.axes[0, 2]) == pytest.approx([0, np.sqrt(0.5), np.sqrt(0.5)], abs=1e-6)


@given(shape=SHAPES, random=RANDOM, part=st.floats(0.05, 0.999))
def test_distances_are_exact_also_for_voxels_that_are_no_cubes(
    shape: tuple[int, int, int], random: np.random.Generator, part: float
) -> None:
    mask = random.random(shape) < part
    if mask.all():
        assert np.isinf(distance(mask)).all()
        return
    assert np.array_equal(distance(mask), ndimage.distance_transform_edt(mask).astype(np.float32))
    spacing = (1.7, 0.6, 1.0)
    expected = ndimage.distance_transform_edt(mask, spacing)
    np.testing.assert_allclose(distance(mask, spacing), expected, rtol=1e-6)  # single precision


def test_other_neighbourhoods_are_refused() -> None:
    with pytest.raises(ConnectivityError, match="6, 18 or 26"):
        label(np.ones((2, 2, 2), bool), 8)
