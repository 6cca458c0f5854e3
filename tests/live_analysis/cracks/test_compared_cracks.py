"""Cracks are what is missing beyond the pristine state: what was just as dark then is told, and not counted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_analysis.cracks.crack_changes import CrackChanges, crack_changes
from live_analysis.cracks.crack_volume import search_cracks
from live_analysis.cracks.placed_crack import PlacedCrack
from live_analysis.cracks.pristine_matrix import PristineMatrix
from live_analysis.cracks.rise import NOTHING_MOVED, Rise
from tests.live_analysis.cracks.crack_phantom import SHAPE, VOXEL_UM, Lens, volume_of

TOP_UM = SHAPE[0] * VOXEL_UM
LIFTED = Rise(np.array([0.0]), np.array([10.0]))  # everything by 10 um, which is no whole number of voxels
OLD = Lens(60.0, 150.0, 150.0, 125.0, 4.0)
NEW = Lens(120.0, 300.0, 290.0, 150.0, 5.0)


def pristine(lenses: list[Lens], seed: int = 3) -> PristineMatrix:
    return PristineMatrix(search_cracks(volume_of(lenses, seed=seed), VOXEL_UM).blocks, TOP_UM)


def lower(lens: Lens, down_um: float = 10.0, **changes: float) -> Lens:
    """Return where a lens was before the cell rose; z of lenses is counted downwards."""
    return Lens(lens.z_um + down_um, lens.y_um, lens.x_um, lens.radius_um, changes.get("opening_um", lens.opening_um))


def test_what_was_as_dark_before_is_told_and_not_counted_and_a_crack_that_opened_since_is() -> None:
    search = search_cracks(volume_of([OLD, NEW]), VOXEL_UM)
    assert len(search.measured().cracks) == 2  # a state by itself cannot know
    found = search.measured(pristine([lower(OLD)]), LIFTED)
    assert found.volume_um3 == pytest.approx(NEW.volume_um3, rel=0.12)  # twice the noise of so small a sum
    (crack,), (there,) = found.cracks, found.was_there
    assert crack.centre[0] * VOXEL_UM == pytest.approx(NEW.z_um, abs=VOXEL_UM)
    assert there.volume_um3 == pytest.approx(OLD.volume_um3, rel=0.12)


def test_what_belongs_to_the_detector_and_does_not_rise_with_the_cell_is_not_counted_either() -> None:
    found = search_cracks(volume_of([OLD, NEW]), VOXEL_UM).measured(pristine([OLD]), LIFTED)
    assert (len(found.cracks), len(found.was_there)) == (1, 1)


def test_nothing_but_what_was_there_is_below_detection() -> None:
    found = search_cracks(volume_of([OLD]), VOXEL_UM).measured(pristine([OLD]), NOTHING_MOVED)
    assert (found.volume_um3, found.cracks, found.flags) == (0.0, (), ("below_detection",))
    assert len(found.was_there) == 1


def test_of_a_crack_that_has_grown_only_the_growth_is_new() -> None:
    slit = lower(NEW, opening_um=1.5)
    found = search_cracks(volume_of([NEW]), VOXEL_UM).measured(pristine([slit]), LIFTED)
    assert found.volume_um3 == pytest.approx(NEW.volume_um3 - slit.volume_um3, rel=0.15)  # noise of two sums
    assert found.was_there == ()


def test_matrix_that_is_denser_where_the_crack_opened_does_not_make_it_smaller() -> None:
    denser = 0.08 * Lens(NEW.z_um, NEW.y_um, NEW.x_um, 180.0, 28.0).parts()  # fewer pores there, by 4 %
    then = search_cracks((volume_of([], seed=3) + denser).astype(np.float32), VOXEL_UM).blocks
    search = search_cracks((volume_of([NEW]) + denser).astype(np.float32), VOXEL_UM)
    assert search.measured().volume_um3 < 0.93 * NEW.volume_um3
    compared = search.measured(PristineMatrix(then, TOP_UM), NOTHING_MOVED)
    assert compared.volume_um3 == pytest.approx(NEW.volume_um3, rel=0.07)  # the noise of two sums
    assert abs(compared.volume_um3 - NEW.volume_um3) < 2 * compared.uncertainty_um3


def test_an_empty_region_of_another_state_says_nothing() -> None:
    assert not pristine([]).fits(search_cracks(volume_of([])[:, :80], VOXEL_UM).blocks, TOP_UM)


@given(st.lists(st.tuples(st.floats(1, 300), st.floats(0, 20)), max_size=6), st.floats(0, 320))
def test_what_has_risen_is_found_where_it_was(layers: list[tuple[float, float]], height_um: float) -> None:
    rises_um = np.sort([rise for _, rise in layers])  # what lies higher has risen further
    rise = Rise.through(sorted(height for height, _ in layers), list(rises_um))
    lifted_um = np.interp(height_um, rise.pristine_height_um, rise.rise_um)
    # A slope beyond double precision is a step, of which both sides are where the lower one was.
    assert rise.before_um(np.array(height_um + lifted_um)) == pytest.approx(height_um, abs=1e-6)


def crack(x_um: float, height_um: float, volume_um3: float) -> PlacedCrack:
    return PlacedCrack(x_um, 0.0, height_um + 5.0, height_um, (0.0, 0.0, 1.0), np.pi * 150.0**2, volume_um3)


def test_cracks_of_two_states_are_new_grown_shrunk_or_closed() -> None:
    before = [crack(0, 50, 1e5), crack(0, 58, 1e5), crack(400, 50, 1e5), crack(-400, 50, 1e5)]
    now = [crack(10, 51, 2e5), crack(0, 58, 5e4), crack(400, 51, 1.05e5), crack(400, 90, 1e5)]
    assert crack_changes(before, now) == CrackChanges(num_new=1, num_grown=1, num_shrunk=1, num_closed=1)
    assert crack_changes([], []) == CrackChanges(0, 0, 0, 0)


def test_cracks_that_have_become_one_count_once() -> None:
    halves = [crack(-60, 50, 1e5), crack(60, 50, 1e5)]
    assert crack_changes(halves, [crack(0, 50, 2.6e5)]) == CrackChanges(0, 1, 0, 0)
