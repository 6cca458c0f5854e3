import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_analysis.reconstruction.hierarchy import (
    LEAVES_IN_SECTOR,
    add_leaf,
    add_sector,
    hierarchy,
    sum_leaf,
    zeros_of,
)
from live_analysis.reconstruction.lattice import Lattice
from live_analysis.reconstruction.ramp_filter import MARGIN_COLUMNS


@settings(max_examples=30, deadline=None)
@given(st.floats(4, 40), st.floats(0.05, 12), st.integers(-20, 20))
def test_projections_of_ones_add_up_to_ones_everywhere_in_the_circle(
    radius: float, step_deg: float, sector: int
) -> None:
    """Every sample that an interpolation asks for is there: where one were missing, the sum would not be whole."""
    bundles = hierarchy(radius, np.radians(step_deg))
    num = 2 * int(radius) + 3
    axis_column = radius + 0.3
    ones = np.ones((1, 2 * int(np.ceil(radius)) + 2 + 2 * MARGIN_COLUMNS, 16), np.float32)
    leaf_samples, samples = zeros_of(bundles.leaf_grid), zeros_of(bundles.sector_grid)
    grid, leaf = bundles.sector_grid, bundles.leaf_grid
    rows = leaf.step_t, leaf.num_s, leaf.first, leaf.stop, leaf.base
    slot, weights = np.zeros(2, np.int64), np.full(2, 0.125, np.float32)
    half_leaf = bundles.sector_rad / LEAVES_IN_SECTOR / 2
    for k, offset_rad in enumerate(bundles.leaf_offsets_rad):
        sum_leaf(leaf_samples, *rows, ones, slot, weights, np.array([-half_leaf, half_leaf]), axis_column)
        place = grid.step_t, grid.num_s, grid.first, grid.stop, grid.base
        add_leaf(samples, *place, leaf_samples, offset_rad, leaf.step_t, leaf.num_s, leaf.base, k == 0)
    volume = np.zeros((num, num, 16), np.float32)
    first_x, stop_x = Lattice.square(num).within(radius)
    add_sector(volume, first_x, stop_x, samples, bundles.direction_rad(sector), grid.step_t, grid.num_s, grid.base)
    y, x = np.indices((num, num)) - (num - 1) / 2
    distance, rounding = np.hypot(x, y), 1e-9  # a point on the rim itself may count as either
    assert volume[distance < radius - rounding] == pytest.approx(1.0, abs=1e-5)
    assert not volume[distance > radius + rounding].any()


@given(st.floats(-10, 10), st.floats(1e-3, 0.2))
def test_every_angle_has_a_place_within_half_a_leaf_of_its_direction(angle_rad: float, step_rad: float) -> None:
    bundles = hierarchy(20.0, step_rad)
    sector, leaf = bundles.place(angle_rad)
    away = angle_rad - bundles.direction_rad(sector) - bundles.leaf_offsets_rad[leaf]
    assert abs(away) <= bundles.sector_rad / LEAVES_IN_SECTOR / 2 * (1 + 1e-9) + 1e-12
