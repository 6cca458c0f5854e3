import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_analysis.reconstruction.lattice import Lattice


@given(st.integers(1, 30), st.integers(1, 30), st.floats(0.3, 4), st.floats(-1, 60))
def test_the_points_within_a_radius_are_those_no_further_from_the_axis(
    num_y: int, num_x: int, spacing: float, radius: float
) -> None:
    lattice = Lattice(num_y, num_x, spacing)
    first, stop = lattice.within(radius)
    x = np.arange(num_x)
    within = (x >= first[:, None]) & (x < stop[:, None])
    distance = np.hypot(lattice.x, lattice.y)
    assert within.shape == distance.shape == lattice.shape
    clear = np.abs(distance - radius) > 1e-9  # a point on the rim itself may count as either
    np.testing.assert_array_equal(within[clear], (distance <= radius)[clear])


def test_a_point_on_the_rim_of_whole_columns_is_seen() -> None:
    first, stop = Lattice(1, 21).within(9.0)
    assert (first[0], stop[0]) == (1, 20)


@pytest.mark.parametrize(("lattice", "x"), [(Lattice(1, 3), [-1, 0, 1]), (Lattice(1, 2, 4.0), [-2, 2])])
def test_the_axis_is_in_the_middle(lattice: Lattice, x: list[float]) -> None:
    assert lattice.x.tolist() == [x]
    assert lattice.y.tolist() == [[0.0]]
