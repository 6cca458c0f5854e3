import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from live_analysis.high_attenuation_volume import (
    BELOW_DETECTION,
    NEAR_RESOLUTION,
    VolumeShapeError,
    high_attenuation_volume,
)

VOXEL_UM = 3.5
FWHM_UM = 2.6


def balls(centres: list[tuple[float, float, float]], radius_um: float) -> tuple[NDArray[np.float32], float]:
    """Blurred balls of 63.4 /cm in 4.7 /cm: voxels, and the exact volume in um3."""
    fine = 4
    edge = np.arange(48 * fine) / fine * VOXEL_UM
    z, y, x = np.meshgrid(edge, edge, edge, indexing="ij", sparse=True)
    filled = np.zeros((48 * fine,) * 3, bool)
    for centre in centres:
        filled |= (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 <= radius_um**2
    fraction = filled.reshape(48, fine, 48, fine, 48, fine).mean(axis=(1, 3, 5))
    blurred = ndimage.gaussian_filter(fraction, FWHM_UM / 2.3548 / VOXEL_UM)
    return (4.7 + 58.7 * blurred).astype(np.float32), float(filled.sum() * (VOXEL_UM / fine) ** 3)


CENTRES = [(50.0, 50.0, 50.0), (110.0, 60.0, 100.0)]


def test_the_sum_of_grey_levels_gives_the_volume_of_blurred_balls() -> None:
    values, truth_um3 = balls(CENTRES, 24.0)
    noisy = values + np.random.default_rng(0).normal(0, 1.3, values.shape).astype(np.float32)
    found = high_attenuation_volume(noisy, VOXEL_UM, 63.4, resolution_fwhm_um=FWHM_UM)
    assert found.volume_um3 == pytest.approx(truth_um3, rel=0.03)
    assert abs(found.volume_um3 - truth_um3) < 2 * found.uncertainty_um3
    assert found.num_components == 2
    assert found.component_volumes_um3.sum() == pytest.approx(found.volume_um3)
    assert found.median_thickness_um == pytest.approx(48.0, rel=0.1)
    assert found.noise_per_cm == pytest.approx(1.3, rel=0.1)
    assert found.flags == ()


def test_a_small_volume_is_flagged_as_near_the_resolution() -> None:
    values, truth_um3 = balls(CENTRES, 9.0)
    found = high_attenuation_volume(values, VOXEL_UM, 63.4, resolution_fwhm_um=FWHM_UM)
    assert found.volume_um3 == pytest.approx(truth_um3, rel=0.1)
    assert found.flags == (NEAR_RESOLUTION,)


def test_thin_components_are_flagged_whatever_their_volume() -> None:
    values, _ = balls(CENTRES, 24.0)
    assert high_attenuation_volume(values, VOXEL_UM, 63.4, resolution_fwhm_um=30.0).flags == (NEAR_RESOLUTION,)


def test_nothing_found_is_zero_within_the_detection_limit_and_said() -> None:
    values = np.random.default_rng(1).normal(2.1, 1.3, (20, 40, 40)).astype(np.float32)
    found = high_attenuation_volume(values, VOXEL_UM, 63.4, resolution_fwhm_um=FWHM_UM)
    assert found.volume_um3 == 0
    assert found.uncertainty_um3 == found.detection_limit_um3 > 4 * 0.4 * VOXEL_UM**3
    assert BELOW_DETECTION in found.flags
    assert np.isnan(found.median_thickness_um)


def test_voxels_outside_the_view_are_left_out() -> None:
    values, _ = balls(CENTRES, 24.0)
    inside = high_attenuation_volume(values, VOXEL_UM, 63.4, resolution_fwhm_um=FWHM_UM)
    values[:, 40:, :] = np.nan
    beside = high_attenuation_volume(values, VOXEL_UM, 63.4, resolution_fwhm_um=FWHM_UM)
    assert beside.volume_um3 == pytest.approx(inside.volume_um3, rel=1e-3)


@settings(max_examples=5, deadline=None)
@given(st.sampled_from([(0, 1, 2), (2, 1, 0), (1, 2, 0)]), st.booleans())
def test_turning_the_volume_does_not_change_the_result(axes: tuple[int, int, int], mirrored: bool) -> None:
    values, _ = balls(CENTRES, 15.0)
    turned = np.transpose(values, axes)[:: -1 if mirrored else 1]
    first = high_attenuation_volume(values, VOXEL_UM, 63.4, resolution_fwhm_um=FWHM_UM)
    second = high_attenuation_volume(turned, VOXEL_UM, 63.4, resolution_fwhm_um=FWHM_UM)
    assert second.volume_um3 == pytest.approx(first.volume_um3, rel=1e-4)


def test_a_threshold_above_the_phase_is_refused() -> None:
    with pytest.raises(VolumeShapeError, match="below the phase"):
        high_attenuation_volume(np.zeros((3, 3, 3), np.float32), VOXEL_UM, 24.6, resolution_fwhm_um=FWHM_UM)


def test_a_ball_cut_by_the_regions_face_counts_with_the_part_inside() -> None:
    values, whole_um3 = balls([(80.0, 80.0, 80.0)], 24.0)
    inside = np.zeros(values.shape, np.float32)
    inside[: int(80.0 / VOXEL_UM)] = 1
    inside[int(80.0 / VOXEL_UM)] = 80.0 / VOXEL_UM % 1
    half = high_attenuation_volume(values, VOXEL_UM, 63.4, resolution_fwhm_um=FWHM_UM, inside=inside)
    assert half.volume_um3 == pytest.approx(whole_um3 / 2, rel=0.04)  # `balls` samples voxels an eighth of a voxel off
    assert half.median_thickness_um == pytest.approx(48.0, rel=0.1)  # seen whole, though counted by half


def test_components_outside_the_region_do_not_count() -> None:
    values, _ = balls(CENTRES, 15.0)
    inside = np.zeros(values.shape, np.float32)
    inside[:5, :5, :5] = 1
    found = high_attenuation_volume(values, VOXEL_UM, 63.4, resolution_fwhm_um=FWHM_UM, inside=inside)
    assert found.volume_um3 == 0
    assert BELOW_DETECTION in found.flags


def test_parts_of_another_shape_are_refused() -> None:
    with pytest.raises(VolumeShapeError, match="both must agree"):
        high_attenuation_volume(
            np.zeros((3, 3, 3), np.float32), 1.0, 63.4, resolution_fwhm_um=1.0, inside=np.ones((2, 3, 3), np.float32)
        )
