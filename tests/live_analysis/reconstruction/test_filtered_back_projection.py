import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from live_analysis.reconstruction.angle_weights import ProjectionError, angle_weights
from live_analysis.reconstruction.filtered_back_projection import Grid, back_project, filter_projections
from tests.live_analysis.phantoms import Detector, Spheroid, cylinder, evenly

PIXEL_UM = 5.0
COLUMNS = 256
RADIUS_UM = 0.85 * COLUMNS / 2 * PIXEL_UM
HALF_TURN = evenly(400, 180 / 400)


def disk_detector(angles_deg: NDArray[np.float64]) -> Detector:
    return Detector(angles_deg, 1, COLUMNS, PIXEL_UM, (COLUMNS - 1) / 2)


def reconstructed_disk(angles_deg: NDArray[np.float64]) -> NDArray[np.float32]:
    detector = disk_detector(angles_deg)
    integrals = cylinder(detector, RADIUS_UM, 2.0).astype(np.float32)
    filtered = filter_projections(integrals, PIXEL_UM)
    volume = back_project(filtered, angles_deg, detector.axis_column, Grid.square(COLUMNS))
    return volume.reshape(COLUMNS, COLUMNS)


def distance_um() -> NDArray[np.float64]:
    grid = Grid.square(COLUMNS)
    return np.hypot(grid.x, grid.y) * PIXEL_UM


def test_a_uniform_disk_keeps_its_attenuation_from_centre_to_rim_and_air_stays_empty() -> None:
    found, distance = reconstructed_disk(HALF_TURN), distance_um()
    rings = ((0.0, 0.1), (0.4, 0.5), (0.92, 0.97))
    means = [found[(distance >= a * RADIUS_UM) & (distance < b * RADIUS_UM)].mean() for a, b in rings]
    np.testing.assert_allclose(means, 2.0, rtol=0.005)  # 0.5 % is the bar; 0.01 % is usual
    assert abs(found[(distance > 1.04 * RADIUS_UM) & (distance < 1.1 * RADIUS_UM)].mean()) < 0.01


@pytest.mark.parametrize(
    ("name", "angles_deg"),
    [
        ("a tenth of the frames lost", HALF_TURN[np.random.default_rng(0).random(400) > 0.1]),
        ("a missing wedge of 40 degrees", HALF_TURN[(HALF_TURN < 100) | (HALF_TURN > 140)]),
        ("a full turn", evenly(500, 360 / 500)),
        ("the first frame repeated at 180 degrees", np.append(HALF_TURN, 180.0)),
        ("golden angles", np.mod(evenly(400, 111.246), 180.0)),
        ("back and forth", np.concatenate([HALF_TURN, HALF_TURN[::-1] + 0.1])),
    ],
)
def test_grey_values_survive(name: str, angles_deg: NDArray[np.float64]) -> None:
    found = reconstructed_disk(angles_deg)[distance_um() < 0.97 * RADIUS_UM]
    # Inside a disk the missing angles only matter at its rim; 1 % is the bar for ten per cent of lost frames.
    assert found.mean() == pytest.approx(2.0, rel=0.01), name


@given(st.lists(st.floats(-400, 400), min_size=2, max_size=30, unique_by=lambda a: round(a, 3) % 180))
def test_weights_of_any_angles_sum_to_half_a_turn_in_any_order(angles: list[float]) -> None:
    weights = angle_weights(np.array(angles)).weights_rad
    assert weights.sum() == pytest.approx(np.pi)
    assert (weights >= 0).all()
    np.testing.assert_allclose(angle_weights(np.array(angles[::-1])).weights_rad, weights[::-1], atol=1e-9)


def test_coverage_says_how_much_of_the_half_turn_was_seen() -> None:
    assert angle_weights(HALF_TURN).coverage == 1.0
    wedge = angle_weights(HALF_TURN[(HALF_TURN < 100) | (HALF_TURN > 140)])
    assert wedge.coverage == pytest.approx(140 / 180, abs=0.005)
    assert wedge.largest_gap_deg == pytest.approx(40.4, abs=0.5)


def test_one_angle_is_refused() -> None:
    with pytest.raises(ProjectionError, match="at least two"):
        angle_weights(np.array([10.0, 190.0]))


@settings(max_examples=8, deadline=None)
@given(st.floats(-80, 80), st.floats(-80, 80), st.floats(-3, 3))  # the ball stays in view: 114 + 20 um of 145 um
def test_a_ball_appears_where_it_is_with_the_axis_anywhere(x_um: float, y_um: float, off_columns: float) -> None:
    detector = Detector(evenly(90, 2.0), 15, 64, PIXEL_UM, 31.5 + off_columns)
    integrals = np.zeros((90, 15, 64))
    Spheroid(x_um, y_um, 35.0, 20.0, 20.0, 5.0).add_to(integrals, detector)
    filtered = filter_projections(integrals.astype(np.float32), PIXEL_UM)
    grid = Grid.square(56)
    volume = np.nan_to_num(back_project(filtered, detector.angles_deg, detector.axis_column, grid))
    weight = np.where(volume > 1.5, volume, 0)
    rows = np.arange(15)[:, None, None]
    centre_um = [float((weight * axis).sum() / weight.sum() * PIXEL_UM) for axis in (grid.x, grid.y, rows)]
    np.testing.assert_allclose(centre_um, [x_um, y_um, 35.0], atol=0.2 * PIXEL_UM)  # a fifth of a pixel


def test_planes_and_regions_are_cuts_of_the_same_volume() -> None:
    rng = np.random.default_rng(0)
    filtered = rng.normal(0, 1, (40, 6, 41)).astype(np.float32)
    angles = evenly(40, 4.5)
    volume = back_project(filtered, angles, 20.0, Grid.square(31))
    np.testing.assert_allclose(back_project(filtered, angles, 20.0, Grid.along_x(31, y=3.0)), volume[:, 18], atol=1e-4)
    np.testing.assert_allclose(
        back_project(filtered, angles, 20.0, Grid.along_y(31, x=-2.0)), volume[:, :, 13], atol=1e-4
    )
    np.testing.assert_allclose(back_project(filtered[:, 2:3], angles, 20.0, Grid.square(31))[0], volume[2], atol=1e-4)
    np.testing.assert_allclose(
        back_project(filtered, angles, 20.0, Grid.square(11)), volume[:, 10:21, 10:21], atol=1e-4
    )


def test_the_order_of_frames_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    filtered = rng.normal(0, 1, (60, 2, 41)).astype(np.float32)
    angles = evenly(60, 3.0)
    shuffled = rng.permutation(60)
    first = back_project(filtered, angles, 20.0, Grid.square(21))
    second = back_project(filtered[shuffled], angles[shuffled], 20.0, Grid.square(21))
    np.testing.assert_allclose(first, second, atol=1e-5 * float(np.abs(first).max()) * 10)


def test_points_outside_the_view_are_nan_and_its_rim_is_not() -> None:
    filtered = np.ones((10, 1, 21), np.float32)
    found = back_project(filtered, evenly(10, 18.0), 9.0, Grid(np.array([9.0, 9.1, 0.0]), np.array([0.0, 0.0, -9.0])))
    assert np.isnan(found[0]).tolist() == [False, True, False]


def test_nan_is_refused_before_it_spreads() -> None:
    integrals = np.zeros((4, 2, 8), np.float32)
    integrals[2, 1, 3] = np.nan
    with pytest.raises(ProjectionError, match="repair the pixels"):
        filter_projections(integrals, PIXEL_UM)


def test_every_frame_needs_an_angle() -> None:
    with pytest.raises(ProjectionError, match="3 angles"):
        back_project(np.zeros((4, 1, 8), np.float32), np.arange(3.0), 3.5, Grid.square(4))
