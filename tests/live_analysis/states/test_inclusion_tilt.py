"""Short axes of flat inclusions, drawn into particles with the blur and noise of a tomogram."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from live_analysis.states.inclusion_tilt import _left_out_deg, inclusion_tilt, inclusion_tilt_quantities
from live_analysis.states.placed_volume import PlacedVolume

VOXEL_UM, BLUR_VOXELS = 2.0, 0.6
SHAPE = (60, 100, 100)
MATRIX_PER_CM, RESIDUE_PER_CM, CU_PER_CM, NOISE_PER_CM = 2.0, 5.0, 63.4, 1.3
PLACES = [(30, 25 + 50 * j, 25 + 50 * i) for j in (0, 1) for i in (0, 1)]


def lenses(tilt_deg: float, thickness_um: float, seed: int = 1) -> PlacedVolume:
    """Four lenses of aspect 3 in spheres, leaning in four directions."""
    place = np.moveaxis(np.indices(SHAPE), 0, -1).astype(np.float64)
    values: NDArray[np.float64] = np.full(SHAPE, MATRIX_PER_CM)
    half = thickness_um / 2 / VOXEL_UM
    for number, centre in enumerate(PLACES):
        azimuth, tilt = np.pi / 2 * number + 0.4, np.radians(tilt_deg)
        axis = np.array([np.cos(tilt), np.sin(tilt) * np.sin(azimuth), np.sin(tilt) * np.cos(azimuth)])
        away = place - centre
        along = away @ axis
        across2 = (away**2).sum(axis=3) - along**2
        values[(away**2).sum(axis=3) < (3.2 * half) ** 2] = RESIDUE_PER_CM
        values[along**2 / half**2 + across2 / (3 * half) ** 2 < 1] = CU_PER_CM
    values = ndimage.gaussian_filter(values, BLUR_VOXELS)
    values += np.random.default_rng(seed).normal(0, NOISE_PER_CM, SHAPE)
    return PlacedVolume(values.astype(np.float32), VOXEL_UM, 0, SHAPE[0], (slice(5, 55), slice(5, 95), slice(5, 95)))


@pytest.mark.parametrize("tilt_deg", [0.0, 7.0, 25.0])
def test_the_tilt_of_lenses_is_told_to_a_degree(tilt_deg: float) -> None:
    found = inclusion_tilt(lenses(tilt_deg, 12.0), CU_PER_CM)
    assert found.num_components == len(found.tilt_deg) == 4
    assert found.mean_deg == pytest.approx(tilt_deg, abs=1.0)
    assert abs(found.mean_deg - tilt_deg) < 2 * found.uncertainty_deg
    if tilt_deg == 25.0:  # one in each quarter of the rose
        assert sorted((found.azimuth_deg // 90).tolist()) == [-2, -1, 0, 1]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_mean_of_small_lenses_is_less_certain_than_their_number_says(seed: int) -> None:
    found = inclusion_tilt(lenses(15.0, 5.0, seed), CU_PER_CM)
    by_number_deg = np.linalg.norm(found.own_uncertainty_deg) / len(found.tilt_deg)
    assert found.mean_deg == pytest.approx(15.0, abs=3.0)  # drawn voxel by voxel, all four are turned alike
    assert found.uncertainty_deg > 1.3 * by_number_deg


def test_lenses_that_cannot_tell_may_lie_otherwise() -> None:
    tilt_deg, um3 = np.array([0.0, 10.0, 0.0, 10.0]), np.ones(4)
    assert _left_out_deg(tilt_deg, um3, np.array([])) == 0.0
    assert _left_out_deg(tilt_deg, um3, um3) == pytest.approx(0.5 * 5.0 * np.sqrt(1 / 4 + 1 / 4))


def test_where_nothing_is_flat_or_bright_no_tilt_is_given() -> None:
    noise = np.random.default_rng(2).normal(25.0, 1.3, (30, 40, 40)).astype(np.float32)
    volume = PlacedVolume(noise, VOXEL_UM, 0, 30, (slice(0, 30), slice(0, 40), slice(0, 40)))
    assert list(inclusion_tilt_quantities(inclusion_tilt(volume, CU_PER_CM))) == []
