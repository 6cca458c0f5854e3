"""The rotation axis of one pair of shots half a turn apart, on projections whose axis is known in closed form."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import affine_transform

from live_analysis.axis_of_pair import LEAST_UNCERTAINTY_COLUMNS, MAX_REACH, AxisOfPairError, axis_of_pair
from live_analysis.normalisation import FrameShapeError
from tests.live_analysis.phantoms import Detector, cylinder, expose, particles_in_bore

PIXEL_UM, COLUMNS, ROWS = 7.0, 200, 112
MIDDLE = (COLUMNS - 1) / 2
HALF_TURN = np.array([0.0, 180.0])
PHOTONS = 4e4
Pair = tuple[NDArray[np.float32], NDArray[np.float32]]


def pair(
    axis_column: float,
    *,
    bore_radius_um: float = 3000.0,
    photons: float = PHOTONS,
    seed: int = 0,
    num_particles: int = 150,
) -> Pair:
    """A bore with particles; of 3 mm radius it is far wider than the view of 1.4 mm, of 0.4 mm it lies inside."""
    detector = Detector(HALF_TURN, ROWS, COLUMNS, PIXEL_UM, axis_column)
    content = cylinder(detector, bore_radius_um, 1.8, 0.01 * bore_radius_um, -20)
    integrals = np.repeat(content, ROWS, axis=1)
    for particle in particles_in_bore(detector, bore_radius_um, num_particles, 22.5, seed):
        particle.add_to(integrals, detector)
    first, second = expose(integrals, photons, PIXEL_UM, 5.0, seed)
    return first, second


def leaning(frames: Pair, tilt_deg: float, axis_column: float) -> Pair:
    """Both frames turned about the axis' place at the middle row, tops to larger columns for a positive tilt."""
    angle = np.radians(tilt_deg)
    # Output (row, column) is read at the input turned back; row 0 is the top.
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.array([(ROWS - 1) / 2, axis_column])
    first, second = (affine_transform(f, turn, centre - turn @ centre, order=1, mode="nearest") for f in frames)
    return first, second


@given(
    off=st.floats(-0.2 * COLUMNS, 0.2 * COLUMNS),
    seed=st.integers(0, 1000),
    bore_radius_um=st.sampled_from([400.0, 3000.0]),
)
@example(off=0.0, seed=0, bore_radius_um=3000.0)
@example(off=0.2 * COLUMNS, seed=1, bore_radius_um=3000.0)
@settings(max_examples=20, deadline=None)
def test_the_axis_is_found_whether_or_not_the_view_holds_the_whole_bore(
    off: float, seed: int, bore_radius_um: float
) -> None:
    found = axis_of_pair(*pair(MIDDLE + off, bore_radius_um=bore_radius_um, seed=seed))
    error = found.column - MIDDLE - off
    assert abs(error) < 0.5  # half a column blurs edges visibly
    assert abs(error) < 3 * found.uncertainty
    assert LEAST_UNCERTAINTY_COLUMNS <= found.uncertainty < 0.5
    assert found.confidence > 0.5
    assert found.tilt_deg is not None
    assert found.tilt_uncertainty_deg is not None
    assert abs(found.tilt_deg) < 3 * found.tilt_uncertainty_deg


@given(tilt_deg=st.floats(-3.0, 3.0), off=st.floats(-20, 20), seed=st.integers(0, 1000))
@example(tilt_deg=1.0, off=0.0, seed=0)
@example(tilt_deg=-1.0, off=0.0, seed=0)
@settings(max_examples=12, deadline=None)
def test_a_leaning_axis_is_told_with_sign_and_size(tilt_deg: float, off: float, seed: int) -> None:
    found = axis_of_pair(*leaning(pair(MIDDLE + off, seed=seed), tilt_deg, MIDDLE + off))
    assert found.tilt_deg is not None
    assert found.tilt_uncertainty_deg is not None
    assert found.tilt_deg == pytest.approx(tilt_deg, abs=0.25)  # half a column from top to bottom
    assert abs(found.tilt_deg - tilt_deg) < 3 * found.tilt_uncertainty_deg
    assert found.column == pytest.approx(MIDDLE + off, abs=0.5)


@given(seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_a_pair_of_nothing_but_noise_is_refused(seed: int) -> None:
    with pytest.raises(AxisOfPairError, match="expose longer"):
        axis_of_pair(*pair(MIDDLE, seed=seed, num_particles=0))


@pytest.mark.parametrize("side", [-1, 1])
def test_an_axis_at_the_edge_of_the_search_or_beyond_is_refused(side: int) -> None:
    edge = MAX_REACH * COLUMNS
    for off in (edge - 0.3, edge + 0.4):
        with pytest.raises(AxisOfPairError, match="Move the axis nearer"):
            axis_of_pair(*pair(MIDDLE + side * off))
    with pytest.raises(AxisOfPairError):
        axis_of_pair(*pair(MIDDLE + side * 0.45 * COLUMNS))


def test_an_axis_near_the_end_of_the_search_is_still_found() -> None:
    off = MAX_REACH * COLUMNS - 3
    assert axis_of_pair(*pair(MIDDLE - off)).column == pytest.approx(MIDDLE - off, abs=0.5)


def test_fainter_shots_are_trusted_less_and_still_right() -> None:
    bright, faint = (axis_of_pair(*pair(MIDDLE + 5.3, photons=photons)) for photons in (4e4, 4e3))
    assert faint.confidence < bright.confidence
    assert abs(faint.column - MIDDLE - 5.3) < 3 * faint.uncertainty


def test_a_view_of_few_rows_tells_the_axis_but_no_tilt() -> None:
    first, second = pair(MIDDLE + 5.3)
    found = axis_of_pair(first[48:64], second[48:64])
    assert found.column == pytest.approx(MIDDLE + 5.3, abs=0.5)
    assert found.tilt_deg is None
    assert found.tilt_uncertainty_deg is None


def test_frames_of_two_sizes_are_refused() -> None:
    first, second = pair(MIDDLE)
    with pytest.raises(FrameShapeError, match=r"\(112, 200\) and \(112, 199\)"):
        axis_of_pair(first, second[:, 1:])
