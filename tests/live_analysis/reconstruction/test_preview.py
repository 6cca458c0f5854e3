import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from live_analysis.reconstruction.angle_weights import ProjectionError
from live_analysis.reconstruction.hierarchy import LINEAR_STEPS
from live_analysis.reconstruction.preview import Preview, Slices
from live_analysis.reconstruction.ramp_filter import RampFilter
from live_analysis.reconstruction.streaming_volume import StreamingVolume

NUM_ROWS, NUM_COLUMNS, NUM_PROJECTIONS = 20, 48, 75
STEP_DEG = 180 / NUM_PROJECTIONS
ANGLES_DEG: NDArray[np.float64] = np.linspace(0.0, 180.0, NUM_PROJECTIONS, endpoint=False)
AXIS = 23.2
SAME = 1e-4  # of the range: 16 bits for what is kept, and sums of floats in another order


def blobs(angles_deg: NDArray[np.float64]) -> NDArray[np.float32]:
    rng = np.random.default_rng(5)
    u = np.arange(NUM_COLUMNS) - AXIS
    integrals = np.zeros((len(angles_deg), NUM_ROWS, NUM_COLUMNS))
    for row in range(NUM_ROWS):
        for _ in range(5):
            x, y, width, mass = *rng.uniform(-13, 13, 2), rng.uniform(2, 4), rng.uniform(0.2, 1)
            at = x * np.cos(np.radians(angles_deg)) + y * np.sin(np.radians(angles_deg))
            integrals[:, row] += mass * np.exp(-(((u - at[:, None]) / width) ** 2))
    return integrals.astype(np.float32)


INTEGRALS = blobs(ANGLES_DEG)


def filtered_of(integrals: NDArray[np.float32]) -> NDArray[np.float32]:
    ramp = RampFilter(NUM_ROWS, NUM_COLUMNS, 10.0, linear_steps=LINEAR_STEPS)
    buffer = ramp.new_buffer(len(integrals))
    ramp.filter(integrals, buffer, 0)
    return buffer


FILTERED = filtered_of(INTEGRALS)


def empty(num_kept: int = NUM_PROJECTIONS) -> Preview:
    return Preview(NUM_ROWS, NUM_COLUMNS, AXIS, angle_step_deg=STEP_DEG, num_kept=num_kept)


def preview_of(order: list[int], portions: list[int]) -> Preview:
    preview, begin = empty(), 0
    for num in [*portions, len(order)]:
        chosen = order[begin : begin + num]
        if chosen:
            preview.add(FILTERED[:, chosen], ANGLES_DEG[chosen])
        begin += num
    return preview


def whole() -> NDArray[np.float32]:
    volume = StreamingVolume(NUM_ROWS, NUM_COLUMNS, AXIS, 10.0, angle_step_deg=STEP_DEG)
    volume.add(INTEGRALS, ANGLES_DEG)
    return volume.result().values


WHOLE = whole()
RANGE = float(np.nanmax(WHOLE) - np.nanmin(WHOLE))
EXPECTED = preview_of(list(range(NUM_PROJECTIONS)), []).slices()


def largest(values: NDArray[np.float32]) -> float:
    """Largest number of those that are seen; a plane at the edge has none."""
    return float(np.abs(values[~np.isnan(values)]).max(initial=0.0))


def assert_same(found: Slices, expected: Slices) -> None:
    for a, b in ((found.xy, expected.xy), (found.xz, expected.xz), (found.yz, expected.yz)):
        assert np.array_equal(np.isnan(a.values), np.isnan(b.values))
        assert largest(a.values - b.values) < SAME * RANGE
        assert a.num_projections == b.num_projections
        assert a.coverage == pytest.approx(b.coverage)


def assert_in_volume(found: Slices) -> None:
    """Blobs are smooth: planes and volume, interpolated in two ways, differ by less than 1.5 % of the range."""
    pairs = (
        (found.xy.values, WHOLE[found.row]),
        (found.xz.values, WHOLE[:, found.y]),
        (found.yz.values, WHOLE[:, :, found.x]),
    )
    for plane, in_volume in pairs:
        assert np.array_equal(np.isnan(plane), np.isnan(in_volume))
        assert largest(plane - in_volume) < 0.015 * RANGE


@settings(max_examples=12, deadline=None)
@given(st.permutations(range(NUM_PROJECTIONS)), st.lists(st.integers(1, 20), max_size=12))
def test_neither_order_nor_portions_of_arrival_change_the_planes(order: list[int], portions: list[int]) -> None:
    preview = preview_of(list(order), portions)
    preview.settle()
    assert_same(preview.slices(), EXPECTED)


@settings(max_examples=6, deadline=None)
@given(
    st.integers(0, NUM_PROJECTIONS),
    st.integers(0, NUM_ROWS - 1),
    st.integers(0, NUM_COLUMNS - 1),
    st.integers(0, NUM_COLUMNS - 1),
)
def test_planes_that_move_while_projections_come_are_those_of_the_volume(after: int, row: int, y: int, x: int) -> None:
    moved, fresh = empty(), empty()
    fresh.move(row=row, y=y, x=x)
    for begin, stop in ((0, after), (after, NUM_PROJECTIONS)):
        if stop > begin:
            for preview in (moved, fresh):
                preview.add(FILTERED, ANGLES_DEG[begin:stop], begin)
        moved.move(row=row, y=y, x=x)
    assert_same(moved.slices(), fresh.slices())
    assert_in_volume(moved.slices())


def test_early_slices_have_the_right_mean_and_say_how_little_they_rest_on() -> None:
    preview = preview_of(list(range(25)), [8, 8])
    found = preview.slices()
    assert found.xz.coverage == pytest.approx(25 / 75, abs=1e-6)
    assert found.xz.num_projections == 25
    assert np.nanmean(found.xy.values) == pytest.approx(np.nanmean(WHOLE[found.row]), rel=0.1)
    nothing = empty().slices()
    assert (nothing.xy.coverage, nothing.xy.num_projections) == (0.0, 0)


def test_a_plane_moved_when_memory_was_short_says_that_it_lacks_the_oldest() -> None:
    preview = empty(num_kept=30)
    preview.add(FILTERED, ANGLES_DEG)
    assert_same(preview.slices(), EXPECTED)
    preview.move(y=30)
    found = preview.slices()
    assert (found.xz.num_projections, found.yz.num_projections) == (30, NUM_PROJECTIONS)
    assert found.xz.coverage == pytest.approx(30 / 75)
    with pytest.raises(ProjectionError, match="no longer kept, only the latest 30"):
        preview.retract(44)


def test_duplicates_weigh_half_each_once_settled() -> None:
    twice = np.concatenate([np.arange(NUM_PROJECTIONS), np.arange(20)])
    preview = empty(num_kept=100)
    preview.add(FILTERED[:, twice], ANGLES_DEG[twice] + 360.0 * (np.arange(95) >= 75))
    preview.settle()
    found = preview.slices()
    assert found.xy.coverage == pytest.approx(1.0)
    assert largest(found.xy.values - EXPECTED.xy.values) < SAME * RANGE


def test_a_retracted_projection_leaves_what_the_others_give() -> None:
    damaged = INTEGRALS.copy()
    damaged[31] += 3.0
    preview = empty()
    preview.add(filtered_of(damaged), ANGLES_DEG)
    preview.retract(31)
    preview.settle()
    others = preview_of([i for i in range(NUM_PROJECTIONS) if i != 31], [])
    others.settle()
    assert_same(preview.slices(), others.slices())
    with pytest.raises(ProjectionError, match="projection 31 is not in the preview"):
        preview.retract(31)


def test_what_does_not_fit_is_refused_and_changes_nothing() -> None:
    preview = preview_of(list(range(NUM_PROJECTIONS)), [])
    with pytest.raises(ProjectionError, match=r"needed is \(2, '>= 3', 56, 16\)"):
        preview.add(FILTERED[:, :2], ANGLES_DEG[:3])
    with pytest.raises(ProjectionError, match="NaN or infinite"):
        preview.add(FILTERED[:, :2], np.array([1.0, np.nan]))
    with pytest.raises(ProjectionError, match="row = 20: the volume has 0 to 19"):
        preview.move(row=NUM_ROWS, y=3)
    assert_same(preview.slices(), EXPECTED)
    with pytest.raises(ProjectionError, match="within the view"):
        Preview(4, 10, 12.0, angle_step_deg=1.0, num_kept=16)
    with pytest.raises(ProjectionError, match="the step lies between 0 and 90"):
        Preview(4, 48, 24.0, angle_step_deg=np.nan, num_kept=16)
    with pytest.raises(ProjectionError, match="at least 16"):
        empty(num_kept=3)
