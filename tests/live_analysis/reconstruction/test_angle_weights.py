import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from live_analysis.reconstruction.angle_weights import ProjectionError, angle_weights, weights_so_far
from tests.live_analysis.phantoms import evenly

STEP_DEG = 2.0
HALF_TURN = evenly(90, STEP_DEG)
RNG = np.random.default_rng(1)


@given(st.lists(st.floats(-400, 400), min_size=2, max_size=30, unique_by=lambda a: round(a, 3) % 180))
def test_weights_of_any_angles_sum_to_half_a_turn_in_any_order(angles: list[float]) -> None:
    weights = angle_weights(np.array(angles)).weights_rad
    assert weights.sum() == pytest.approx(np.pi)
    assert (weights >= 0).all()
    np.testing.assert_allclose(angle_weights(np.array(angles[::-1])).weights_rad, weights[::-1], atol=1e-9)


def test_coverage_says_how_much_of_the_half_turn_was_seen_and_the_widest_gap_is_told() -> None:
    assert angle_weights(HALF_TURN).coverage == 1.0
    wedge = angle_weights(HALF_TURN[(HALF_TURN < 100) | (HALF_TURN > 140)])
    assert wedge.coverage == pytest.approx(140 / 180, abs=0.02)
    assert wedge.largest_gap_deg == pytest.approx(44.0)


def test_one_angle_is_refused() -> None:
    with pytest.raises(ProjectionError, match="at least two"):
        angle_weights(np.array([10.0, 190.0]))


@pytest.mark.parametrize(
    "angles_deg",
    [
        # An encoder that reads a few thousandths of a degree apart in every turn once made gaps of all steps.
        np.concatenate([HALF_TURN + 180 * turn + RNG.normal(0, 0.003, 90) for turn in range(3)]),
        np.concatenate([HALF_TURN + 180 * turn + RNG.uniform(0, STEP_DEG) for turn in range(10)]),
        np.concatenate([HALF_TURN, HALF_TURN[::-1] + 0.1, HALF_TURN + 0.2]),
        RNG.uniform(0, 360, 300),
        np.arange(200) * 111.246,
    ],
    ids=["three turns", "ten turns", "back and forth", "random", "golden"],
)
def test_bunches_of_angles_all_around_leave_no_gaps(angles_deg: NDArray[np.float64]) -> None:
    assert angle_weights(angles_deg).coverage == pytest.approx(1.0, abs=0.001)


def test_a_wedge_is_missing_however_often_the_rest_is_seen() -> None:
    part = HALF_TURN[HALF_TURN < 130]
    turns = np.concatenate([part + RNG.normal(0, 0.003, len(part)) for _ in range(4)])
    for angles_deg in (part, turns):
        assert angle_weights(angles_deg).coverage == pytest.approx(130 / 180, abs=0.01)


def test_spokes_that_hide_the_sample_again_and_again_are_gaps() -> None:
    angles = np.arange(180.0)
    assert angle_weights(angles[angles % 20 > 6]).coverage == pytest.approx(1 - 9 * 7 / 180, abs=0.01)


@pytest.mark.parametrize("turn", [179.99, 180.0, 359.99, 360.0, -180.0, 3600.0])
def test_angles_half_turns_apart_share_one_weight(turn: float) -> None:
    weights = angle_weights(np.append(HALF_TURN, turn)).weights_rad
    assert weights.sum() == pytest.approx(np.pi)
    assert weights[0] + weights[-1] == pytest.approx(np.radians(STEP_DEG), rel=0.01)


@pytest.mark.parametrize("num_turns", [2, 3, 10])
def test_the_same_angles_measured_again_count_alike(num_turns: int) -> None:
    angles_deg = np.concatenate([HALF_TURN + 180 * turn for turn in range(num_turns)])
    weights = angle_weights(angles_deg).weights_rad
    np.testing.assert_allclose(weights, np.pi / len(angles_deg), rtol=1e-6)
    so_far, settled = weights_so_far(np.radians(angles_deg), np.radians(STEP_DEG))
    np.testing.assert_allclose(so_far, weights, rtol=1e-6)
    assert settled.all()
