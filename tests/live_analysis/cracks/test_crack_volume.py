"""Cracks of known volume, thickness and tilt are measured; pores, particles, steps and noise are none."""

import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.cracks.crack_volume import BELOW_DETECTION, CrackVolume, crack_volume
from live_analysis.cracks.matrix_blocks import CrackVolumeError
from tests.live_analysis.cracks.crack_phantom import SHAPE, VOXEL_UM, Lens, volume_of

MIDDLE_UM = SHAPE[1] * VOXEL_UM / 2
APART = [Lens(50.0, 150.0, 150.0, 125.0, 3.0), Lens(120.0, 300.0, 290.0, 150.0, 5.0)]


@pytest.fixture(scope="module")
def volume() -> NDArray[np.float32]:
    return volume_of(APART)


@pytest.fixture(scope="module")
def measured(volume: NDArray[np.float32]) -> CrackVolume:
    return crack_volume(volume, VOXEL_UM)


def total_um3(lenses: list[Lens]) -> float:
    return sum(lens.volume_um3 for lens in lenses)


def test_the_volume_of_cracks_thinner_than_a_voxel_is_what_is_missing(measured: CrackVolume) -> None:
    assert measured.volume_um3 == pytest.approx(total_um3(APART), rel=0.06)  # rims below the noise are lost
    assert abs(measured.volume_um3 - total_um3(APART)) < 2 * measured.uncertainty_um3
    assert measured.flags == ()


def test_each_crack_has_its_volume_place_thickness_and_normal(measured: CrackVolume) -> None:
    assert len(measured.cracks) == 2
    for crack, lens in zip(measured.cracks, sorted(APART, key=lambda lens: -lens.volume_um3), strict=True):
        assert crack.volume_um3 == pytest.approx(lens.volume_um3, rel=0.12)  # twice the noise of so small a sum
        place_um = (np.array(crack.centre) + 0.5) * VOXEL_UM
        assert place_um == pytest.approx((lens.z_um, lens.y_um, lens.x_um), abs=6.0)  # blocks are 14 um wide
        assert crack.thickness_um == pytest.approx(2 / 3 * lens.opening_um, rel=0.15)
        assert crack.tilt_deg < 1.0
    assert sum(crack.volume_um3 for crack in measured.cracks) == pytest.approx(measured.volume_um3)


def test_the_normal_of_a_tilted_crack_is_found() -> None:
    lens = Lens(92.0, MIDDLE_UM, MIDDLE_UM, 170.0, 4.0, tilt_deg=15.0)
    found = crack_volume(volume_of([lens]), VOXEL_UM)
    assert found.volume_um3 == pytest.approx(lens.volume_um3, rel=0.1)
    (crack,) = found.cracks
    assert crack.tilt_deg == pytest.approx(15.0, abs=1.0)
    # z is counted downwards: where the crack lies lower for larger x, its upward normal leans to larger x
    assert crack.normal[0] == pytest.approx(np.sin(np.radians(15.0)), abs=0.02)
    assert crack.normal[1] == pytest.approx(0.0, abs=0.02)


def test_cracks_above_each_other_are_told_apart_and_all_summed() -> None:
    lenses = [Lens(z_um, MIDDLE_UM + shift, MIDDLE_UM, 150.0, 3.0) for z_um, shift in ((80, 0), (91, 60), (102, -40))]
    found = crack_volume(volume_of(lenses), VOXEL_UM)
    assert found.volume_um3 == pytest.approx(total_um3(lenses), rel=0.08)
    assert len(found.cracks) == 3


def test_cracks_at_one_height_that_touch_at_their_rims_are_two() -> None:
    lenses = [Lens(90.0, MIDDLE_UM, x_um, 112.0, 4.0) for x_um in (118.0, 344.0)]  # 2 um between the rims
    found = crack_volume(volume_of(lenses), VOXEL_UM)
    assert len(found.cracks) == 2
    for crack in found.cracks:
        assert crack.volume_um3 == pytest.approx(
            lenses[0].volume_um3, rel=0.15
        )  # noise of so small a sum, and the neck
        assert crack.thickness_um == pytest.approx(2 / 3 * 4.0, rel=0.15)


def test_noise_alone_is_below_detection_and_cracks_are_found_from_the_stated_limit_on() -> None:
    found = crack_volume(volume_of([], seed=1), VOXEL_UM)
    assert (found.volume_um3, found.cracks, found.flags) == (0.0, (), (BELOW_DETECTION,))
    assert found.uncertainty_um3 == found.detection_limit_um3
    assert 1e4 < found.detection_limit_um3 < 1e5  # 240 um x 0.3 to 3 um

    for factor, seen in ((0.25, False), (1.7, True)):
        opening_um = factor * found.detection_limit_um3 / (2 / 3 * np.pi * 120.0**2)
        lens = Lens(90.0, MIDDLE_UM, MIDDLE_UM, 120.0, opening_um)
        assert (crack_volume(volume_of([lens], seed=1), VOXEL_UM).volume_um3 > 0) == seen


def test_pores_voids_particles_and_a_step_of_the_matrix_are_no_cracks() -> None:
    rng = np.random.default_rng(2)
    pores = [Lens(z, y, x, 8.0, 16.0) for z, y, x in rng.uniform([20, 20, 20], [160, 440, 440], (60, 3))]
    void = Lens(90.0, MIDDLE_UM, MIDDLE_UM, 35.0, 70.0)
    values = volume_of([*pores, void])
    particle = Lens(50.0, 110.0, 330.0, 25.0, 50.0).parts() + Lens(120.0, 350.0, 100.0, 25.0, 50.0).parts()
    values += (particle * 22.6).astype(np.float32)
    values[:15] += 0.05  # the separator above the cathode
    assert crack_volume(values, VOXEL_UM).volume_um3 == 0


def test_only_what_lies_in_the_region_counts(volume: NDArray[np.float32]) -> None:
    inside = np.zeros(SHAPE, np.float32)
    inside[:24] = 1  # above 84 um: the first crack
    found = crack_volume(volume, VOXEL_UM, inside)
    assert found.volume_um3 == pytest.approx(APART[0].volume_um3, rel=0.12)  # twice the noise of so small a sum
    assert len(found.cracks) == 1


def test_places_outside_the_view_do_not_matter(volume: NDArray[np.float32], measured: CrackVolume) -> None:
    cut = volume.copy()
    y, x = np.mgrid[: SHAPE[1], : SHAPE[2]]
    cut[:, np.hypot(y - 66, x - 66) > 90] = np.nan
    assert crack_volume(cut, VOXEL_UM).volume_um3 == pytest.approx(measured.volume_um3, rel=0.02)


def test_a_picture_is_refused() -> None:
    with pytest.raises(CrackVolumeError, match=r"\(z, y, x\)"):
        crack_volume(np.zeros((4, 4), np.float32), VOXEL_UM)
    with pytest.raises(CrackVolumeError, match="same shape"):
        crack_volume(np.zeros((4, 4, 4), np.float32), VOXEL_UM, np.ones((3, 4, 4), np.float32))
