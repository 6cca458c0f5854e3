import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.ellipses import Ellipse, strip_integrals
from live_analysis.corrections.live_rings import LiveRings
from live_analysis.corrections.ring_measure import ring_measure
from live_analysis.corrections.ring_volume import ring_volume
from live_analysis.reconstruction.streaming_volume import StreamingVolume

NUM_COLUMNS, NUM_PROJECTIONS, NUM_ROWS, PIXEL_UM = 128, 180, 2, 10.0
AXIS_COLUMN = 64.2
BEGIN_DEG = 10.0
ANGLES_DEG = BEGIN_DEG + np.arange(NUM_PROJECTIONS) * 180.0 / NUM_PROJECTIONS
NOISE = 0.01
RNG = np.random.default_rng(7)

Floats = NDArray[np.float32]


def projections() -> tuple[Floats, Floats]:
    """Noisy projections of a disc off the axis, and the gain errors of six columns that they hold."""
    exact = strip_integrals([Ellipse(0.1, 0.05, 0.7, 0.7, 0, 1.0)], np.radians(ANGLES_DEG), NUM_COLUMNS)
    exact *= 1.5 / exact.max()
    profile = np.zeros((NUM_ROWS, NUM_COLUMNS), np.float32)
    for row in profile:
        row[RNG.choice(np.arange(30, 100, 8), 6, replace=False)] = RNG.choice([-0.03, -0.02, 0.02, 0.03], 6)
    noise = RNG.normal(scale=NOISE, size=(NUM_PROJECTIONS, NUM_ROWS, NUM_COLUMNS))
    return (exact[:, None, :] + noise + profile).astype(np.float32), profile


STRIPED, PROFILE = projections()


def live(striped: Floats = STRIPED, angles_deg: NDArray[np.float64] = ANGLES_DEG) -> LiveRings:
    rings = LiveRings(NUM_ROWS, NUM_COLUMNS)
    rings.add(striped, angles_deg)
    return rings


def streamed(integrals: Floats) -> Floats:
    volume = StreamingVolume(NUM_ROWS, NUM_COLUMNS, AXIS_COLUMN, PIXEL_UM, angle_step_deg=180.0 / NUM_PROJECTIONS)
    volume.add(integrals, ANGLES_DEG)
    return volume.result().values


def test_gain_errors_of_columns_are_found() -> None:
    found = live().profile(AXIS_COLUMN)
    assert np.abs(found - PROFILE)[:, 20:110].max() < 0.006  # the mean of 180 projections is good to 0.001
    assert np.sqrt(((found - PROFILE)[:, 20:110] ** 2).mean()) < 0.2 * np.sqrt((PROFILE[:, 20:110] ** 2).mean())


def test_nothing_is_corrected_before_six_of_32_directions_were_seen() -> None:
    assert not live(STRIPED[:20], ANGLES_DEG[:20]).profile(AXIS_COLUMN).any()


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(1, NUM_PROJECTIONS - 1), max_size=4))
def test_order_and_portions_do_not_matter(seed: int, cuts: list[int]) -> None:
    order = np.random.default_rng(seed).permutation(NUM_PROJECTIONS)
    rings = LiveRings(NUM_ROWS, NUM_COLUMNS)
    for part in np.split(order, sorted(cuts)):
        rings.add(STRIPED[part], ANGLES_DEG[part])
    np.testing.assert_allclose(rings.profile(AXIS_COLUMN), live().profile(AXIS_COLUMN), atol=1e-5)  # sums in 32 bits


def test_a_projection_taken_out_again_leaves_no_trace() -> None:
    rings = live()
    damaged = STRIPED[:1] + 5
    rings.add(damaged, ANGLES_DEG[:1])
    rings.retract(damaged, ANGLES_DEG[:1])
    assert rings.num_projections == NUM_PROJECTIONS
    np.testing.assert_allclose(rings.profile(AXIS_COLUMN), live().profile(AXIS_COLUMN), atol=1e-5)


def test_a_volume_without_its_rings_is_that_of_corrected_projections() -> None:
    profile = live().profile(AXIS_COLUMN)
    rings = ring_volume(profile, AXIS_COLUMN, PIXEL_UM, begin_deg=BEGIN_DEG)
    uncorrected, corrected = streamed(STRIPED), streamed(STRIPED - profile)
    seen = np.isfinite(uncorrected)
    np.testing.assert_array_equal(np.isfinite(rings), seen)
    left, removed = (uncorrected - rings - corrected)[seen], (uncorrected - corrected)[seen]
    # Single columns are at the limit of what is sampled: two interpolations of them differ by a sixth.
    assert left.std() < removed.std() / 5


@pytest.mark.parametrize(("begin_deg", "range_deg"), [(0.0, 180.0), (-35.0, 90.0), (100.0, 360.0)])
def test_a_ring_of_a_part_of_the_turn_is_the_weighted_mean_of_its_parts(begin_deg: float, range_deg: float) -> None:
    whole = ring_volume(PROFILE, AXIS_COLUMN, PIXEL_UM, begin_deg=begin_deg, range_deg=range_deg)
    first = ring_volume(PROFILE, AXIS_COLUMN, PIXEL_UM, begin_deg=begin_deg, range_deg=range_deg / 3)
    rest = ring_volume(PROFILE, AXIS_COLUMN, PIXEL_UM, begin_deg=begin_deg + range_deg / 3, range_deg=range_deg / 1.5)
    np.testing.assert_allclose(first / 3 + rest / 1.5, whole, atol=1e-4 * np.nanmax(np.abs(whole)))


def test_the_ring_measure_falls_with_the_rings_and_ignores_an_object_off_the_axis() -> None:
    radii = {"first_radius": 4.0, "last_radius": 58.0}
    middle = ((NUM_COLUMNS - 1) / 2,) * 2
    with_rings, without = (
        ring_measure(streamed(values)[0], middle, **radii) for values in (STRIPED, STRIPED - PROFILE)
    )
    assert without < with_rings / 1.5
