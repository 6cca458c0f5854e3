import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from live_analysis.reconstruction.angle_weights import ProjectionError
from live_analysis.reconstruction.preview import Preview
from live_analysis.reconstruction.streaming_volume import StreamingVolume, Watcher

NUM_ROWS, NUM_COLUMNS, NUM_PROJECTIONS = 3, 48, 75
STEP_DEG = 180 / NUM_PROJECTIONS
ANGLES_DEG: NDArray[np.float64] = np.linspace(0.0, 180.0, NUM_PROJECTIONS, endpoint=False)
CLOSE = 0.02  # of the range: what two ways to interpolate make of blobs as narrow as 1.5 pixels
SAME = 1e-4  # of the range, which is the bar; sums of floats in another order differ by some 1e-6


def blobs(angles_deg: NDArray[np.float64]) -> NDArray[np.float32]:
    """Gaussian blobs: smooth, off centre, different in each row."""
    rng = np.random.default_rng(3)
    u = np.arange(NUM_COLUMNS) - (NUM_COLUMNS - 1) / 2
    integrals = np.zeros((len(angles_deg), NUM_ROWS, NUM_COLUMNS))
    for row in range(NUM_ROWS):
        for _ in range(5):
            x, y, width, mass = *rng.uniform(-14, 14, 2), rng.uniform(1.5, 4), rng.uniform(0.2, 1)
            at = x * np.cos(np.radians(angles_deg)) + y * np.sin(np.radians(angles_deg))
            integrals[:, row] += mass * np.exp(-(((u - at[:, None]) / width) ** 2))
    return integrals.astype(np.float32)


INTEGRALS = blobs(ANGLES_DEG)


def empty(*, unordered: bool = False, watcher: Watcher | None = None) -> StreamingVolume:
    return StreamingVolume(
        NUM_ROWS,
        NUM_COLUMNS,
        (NUM_COLUMNS - 1) / 2,
        10.0,
        angle_step_deg=STEP_DEG,
        unordered=unordered,
        watcher=watcher,
    )


def volume_of(order: list[int], portions: list[int], *, unordered: bool = False) -> NDArray[np.float32]:
    volume, begin = empty(unordered=unordered), 0
    for num in portions:
        chosen = order[begin : begin + num]
        if chosen:
            volume.add(INTEGRALS[chosen], ANGLES_DEG[chosen])
        begin += num
    assert begin >= len(order)
    return volume.result().values


WHOLE = volume_of(list(range(NUM_PROJECTIONS)), [NUM_PROJECTIONS])
RANGE = float(np.nanmax(WHOLE) - np.nanmin(WHOLE))


def assert_same(found: NDArray[np.float32], expected: NDArray[np.float32] = WHOLE) -> None:
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    assert np.nanmax(np.abs(found - expected)) < SAME * RANGE


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(NUM_PROJECTIONS)), st.lists(st.integers(1, 20), max_size=12))
def test_neither_order_nor_portions_of_arrival_change_the_volume(order: list[int], portions: list[int]) -> None:
    assert_same(volume_of(list(order), [*portions, NUM_PROJECTIONS]))


DIRECT = volume_of(list(range(NUM_PROJECTIONS)), [NUM_PROJECTIONS], unordered=True)


@settings(max_examples=12, deadline=None)
@given(st.permutations(range(NUM_PROJECTIONS)), st.lists(st.integers(1, 40), max_size=6))
def test_an_unordered_volume_is_the_same_in_any_order_and_close_to_the_ordered_one(
    order: list[int], portions: list[int]
) -> None:
    assert_same(volume_of(list(order), [*portions, NUM_PROJECTIONS], unordered=True), DIRECT)
    assert np.nanmax(np.abs(DIRECT - WHOLE)) < CLOSE * RANGE


@pytest.mark.parametrize("unordered", [False, True])
def test_a_watcher_is_given_every_filtered_projection_once_and_feeds_a_preview(unordered: bool) -> None:
    preview = Preview(NUM_ROWS, NUM_COLUMNS, (NUM_COLUMNS - 1) / 2, angle_step_deg=STEP_DEG, num_kept=NUM_PROJECTIONS)
    volume = empty(unordered=unordered, watcher=preview.add)
    for begin in range(0, NUM_PROJECTIONS, 13):
        volume.add(INTEGRALS[begin : begin + 13], ANGLES_DEG[begin : begin + 13])
    slices, values = preview.slices(), volume.result().values
    assert slices.xz.num_projections == NUM_PROJECTIONS
    assert np.nanmax(np.abs(slices.xz.values - values[:, slices.y])) < CLOSE * RANGE


@settings(max_examples=25, deadline=None)
@given(st.integers(0, NUM_PROJECTIONS - 1), st.integers(1, NUM_PROJECTIONS))
def test_a_retracted_projection_leaves_what_the_others_give(index: int, come_later: int) -> None:
    others = [i for i in range(NUM_PROJECTIONS) if i != index]
    volume = StreamingVolume(
        NUM_ROWS, NUM_COLUMNS, (NUM_COLUMNS - 1) / 2, 10.0, angle_step_deg=STEP_DEG, recall=lambda i: damaged[i]
    )
    damaged = INTEGRALS.copy()
    damaged[index] += 3.0
    come_later = max(come_later, index + 1)
    volume.add(damaged[:come_later], ANGLES_DEG[:come_later])
    volume.retract(index)
    volume.add(damaged[come_later:], ANGLES_DEG[come_later:])
    assert_same(volume.result().values, volume_of(others, [NUM_PROJECTIONS]))


def test_the_volume_so_far_is_that_of_what_has_come_and_more_may_follow() -> None:
    volume = empty()
    volume.add(INTEGRALS[:40], ANGLES_DEG[:40])
    part = volume.result()
    assert part.num_projections == 40
    assert part.weights.coverage == pytest.approx(40 / 75, abs=0.03)
    volume.add(INTEGRALS[40:], ANGLES_DEG[40:])
    assert_same(volume.result().values)


def test_results_asked_for_on_the_way_do_not_pile_up_projections() -> None:
    often, rarely = empty(), empty()
    for index in range(60):
        for volume in (often, rarely):
            volume.add(INTEGRALS[index : index + 1], ANGLES_DEG[index : index + 1])
        if index > 1:
            often.result()
    rarely.result()
    assert often.num_bytes <= rarely.num_bytes
    for volume in (often, rarely):
        volume.add(INTEGRALS[60:], ANGLES_DEG[60:])
        assert_same(volume.result().values)


def test_ten_turns_accumulate_to_what_one_gives() -> None:
    angles_deg = np.concatenate([ANGLES_DEG + 180 * turn for turn in range(10)])
    integrals = np.concatenate([INTEGRALS if turn % 2 == 0 else INTEGRALS[:, :, ::-1] for turn in range(10)])
    volume = StreamingVolume(
        NUM_ROWS, NUM_COLUMNS, (NUM_COLUMNS - 1) / 2, 10.0, angle_step_deg=STEP_DEG, recall=lambda i: integrals[i]
    )
    for turn in range(10):
        chosen = slice(turn * NUM_PROJECTIONS, (turn + 1) * NUM_PROJECTIONS)
        volume.add(integrals[chosen], angles_deg[chosen])
        volume.result()
    fresh = StreamingVolume(
        NUM_ROWS, NUM_COLUMNS, (NUM_COLUMNS - 1) / 2, 10.0, angle_step_deg=STEP_DEG, recall=lambda i: integrals[i]
    )
    fresh.add(integrals, angles_deg)
    assert_same(volume.result().values, fresh.result().values)
    # The blobs lie elsewhere in the sectors of later turns: the difference is that of the interpolation.
    assert np.nanmax(np.abs(volume.result().values - WHOLE)) < 0.01 * RANGE


def test_damaged_projections_and_impossible_angles_are_refused_and_change_nothing() -> None:
    volume = empty()
    volume.add(INTEGRALS, ANGLES_DEG)
    bad = INTEGRALS[:2].copy()
    bad[1, 0, 3] = np.nan
    with pytest.raises(ProjectionError, match=r"projections \[1\].*NaN"):
        volume.add(bad, ANGLES_DEG[:2])
    with pytest.raises(ProjectionError, match="angle is NaN"):
        volume.add(INTEGRALS[:1], np.array([np.nan]))
    with pytest.raises(ProjectionError, match=r"needed is \(frame, row, column\)"):
        volume.add(INTEGRALS[:, :2], ANGLES_DEG)
    assert_same(volume.result().values)


def test_an_axis_outside_the_view_is_refused() -> None:
    with pytest.raises(ProjectionError, match="within the view"):
        StreamingVolume(1, 10, 12.0, 1.0, angle_step_deg=1.0)


@pytest.mark.parametrize("unordered", [False, True])
def test_after_ten_turns_back_and_forth_the_volume_is_that_of_one(unordered: bool) -> None:
    turn = np.arange(0.0, 360.0, 2 * STEP_DEG)
    angles_deg = np.concatenate([turn + 360 * k if k % 2 else (turn + 360 * k)[::-1] for k in range(-5, 5)])
    integrals = blobs(angles_deg)
    volumes = []
    for num in (len(angles_deg), len(turn)):
        volume = StreamingVolume(
            NUM_ROWS,
            NUM_COLUMNS,
            (NUM_COLUMNS - 1) / 2 + 0.2,  # columns of opposite projections lie at different places
            10.0,
            angle_step_deg=STEP_DEG,
            recall=lambda index: integrals[index],
            unordered=unordered,
        )
        for begin in range(0, num, 40):
            stop = min(begin + 40, num)
            volume.add(integrals[begin:stop], angles_deg[begin:stop])
        volumes.append(volume.result().values)
    assert_same(*volumes)


def test_what_cannot_be_taken_out_again_is_refused_and_leaves_the_volume_as_it_was() -> None:
    volume = empty()
    for begin in range(0, NUM_PROJECTIONS, 5):
        volume.add(INTEGRALS[begin : begin + 5], ANGLES_DEG[begin : begin + 5])
    with pytest.raises(ProjectionError, match=r"projection 30 cannot be taken out.*recall"):
        volume.retract(30)
    assert_same(volume.result().values)


@pytest.mark.parametrize("wrong", [{"num_rows": 0}, {"pixel_size_um": 0.0}, {"pixel_size_um": np.nan}])
def test_sizes_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    sizes = {"num_rows": NUM_ROWS, "pixel_size_um": 10.0} | wrong
    with pytest.raises(ProjectionError, match="rows with pixels of"):
        StreamingVolume(int(sizes["num_rows"]), 48, 23.5, sizes["pixel_size_um"], angle_step_deg=1.0)
