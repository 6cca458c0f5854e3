from dataclasses import replace

import numpy as np
import pytest

from operando.monitor.inside.state_planes import PLANES, StatePlanes, difference


def state(name: str, value: float) -> StatePlanes:
    shapes = {"xy": (6, 6), "xz": (4, 6), "yz": (4, 6)}
    values = {plane: np.full(shape, value, np.float32) for plane, shape in shapes.items()}
    return StatePlanes(name, values, (2.0, 2.5, 2.5), 3.52, name)


def test_a_difference_is_what_a_state_attenuates_more_than_the_other() -> None:
    change = difference(state("D0.7V", 9.0), state("OCV", 6.5))
    assert isinstance(change, StatePlanes)
    assert all(np.all(change.values[name] == 2.5) for name in PLANES)
    assert change.told == "D0.7V minus OCV"


def test_what_was_not_seen_in_one_of_two_states_is_not_seen_in_their_difference() -> None:
    before = state("OCV", 1.0)
    before.values["xy"][0, 0] = np.nan
    change = difference(state("D0.7V", 1.0), before)
    assert isinstance(change, StatePlanes)
    assert np.isnan(change.values["xy"][0, 0])
    assert np.isfinite(change.values["xy"]).sum() == 35


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (replace(state("OCV", 1.0), voxel_size_um=7.04), "their voxels measure 3.52 and 7.04 µm"),
        (replace(state("OCV", 1.0), voxel_size_um=None), "one is in 1/cm, the other in 1/voxel"),
        (replace(state("OCV", 1.0), at=(1.0, 2.5, 2.5)), "their planes lie elsewhere"),
        (
            replace(state("OCV", 1.0), values={**state("OCV", 1.0).values, "xz": np.zeros((5, 6), np.float32)}),
            "they have 4 x 6 x 6 and 5 x 6 x 6 voxels",
        ),
    ],
)
def test_states_that_share_no_grid_are_not_subtracted_and_it_is_said_why(other: StatePlanes, words: str) -> None:
    told = difference(state("D0.7V", 1.0), other)
    assert isinstance(told, str)
    assert words in told
    assert "D0.7V and OCV" in told
