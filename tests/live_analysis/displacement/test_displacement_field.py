"""A texture moved by a known field: found again by search and fit, told in quantities, kept in a file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from live_analysis.displacement.cuboid_grid import CuboidGrid, DisplacementError, cuboid_grid
from live_analysis.displacement.displacement_field import DisplacementField, measure_displacement
from live_analysis.displacement.displacement_file import Compared, read_displacement, write_displacement
from live_analysis.displacement.displacement_quantities import displacement_quantities
from live_analysis.displacement.prepared_state import PreparedState, prepare_state

VOXEL_UM, MATRIX_PER_CM, PORE_SIGMA = 2.0, 2.0, 2.0
SHAPE = (140, 70, 70)
TOP_UM = SHAPE[0] * VOXEL_UM
NOISE_PER_CM = 0.3
STRETCH = 0.02  # of the height: from 0 at the collector to 5 um at the top


def _state(seed: int, shift_um: tuple[float, float, float] = (0, 0, 0), stretch: float = 0.0) -> np.ndarray:
    """Blobs of one fixed place each, moved by a shift (x, y, z upwards) and a stretch, with noise of its own."""
    generator = np.random.default_rng(3)
    count = 6000
    z, y, x = (generator.uniform(-5, num + 5, count) for num in SHAPE)
    height = SHAPE[0] - 0.5 - z
    z = z - stretch * height - shift_um[2] / VOXEL_UM
    y, x = y + shift_um[1] / VOXEL_UM, x + shift_um[0] / VOXEL_UM
    dots = np.zeros(SHAPE, np.float32)
    whole = np.floor(np.stack([z, y, x])).astype(int)
    part = np.stack([z, y, x]) - whole
    for corner in np.ndindex(2, 2, 2):
        places = whole + np.array(corner)[:, None]
        weight = np.prod([p if c else 1 - p for p, c in zip(part, corner, strict=True)], axis=0)
        inside = ((places >= 0) & (places < np.array(SHAPE)[:, None])).all(0)
        np.add.at(dots, tuple(places[:, inside]), weight[inside])
    pores = ndimage.gaussian_filter(dots, PORE_SIGMA) * 80
    noise = np.random.default_rng(seed).normal(0, NOISE_PER_CM, SHAPE)
    return np.asarray(MATRIX_PER_CM - pores + noise, np.float32)


@pytest.fixture(scope="module")
def grid() -> CuboidGrid:
    return cuboid_grid(SHAPE, VOXEL_UM, top_um=TOP_UM, heights_um=(15, 255), width_um=120.0, cuboid_um=40.0)


@pytest.fixture(scope="module")
def reference() -> PreparedState:
    return prepare_state(_state(1), VOXEL_UM)


@pytest.fixture(scope="module")
def stretched(reference: PreparedState, grid: CuboidGrid) -> DisplacementField:
    moved = prepare_state(_state(2, (1.0, -0.5, 0.0), STRETCH), VOXEL_UM, like=reference)
    return measure_displacement(reference, moved, grid, top_um=TOP_UM)


def test_a_stretched_electrode_is_found_in_every_cuboid_with_its_height_and_directions(
    stretched: DisplacementField,
) -> None:
    assert stretched.shape == (6, 3, 3)
    assert stretched.valid.mean() > 0.95
    heights = stretched.node_um[:, 2]
    np.testing.assert_allclose(heights[::9], np.arange(6) * 40 + 35, atol=VOXEL_UM)
    truth = np.stack([np.full(54, 1.0), np.full(54, -0.5), STRETCH * heights], axis=1)
    error = (stretched.displacement_um - truth)[stretched.valid]
    assert np.abs(error).max() < 0.3  # um, 0.15 voxel: noise is as strong as the texture
    assert (np.abs(error) < 2 * stretched.uncertainty_um[stretched.valid]).mean() >= 0.9


def test_quantities_are_counted_from_the_collector_and_without_the_shift_of_the_view(
    stretched: DisplacementField, reference: PreparedState, grid: CuboidGrid
) -> None:
    told = {one.name: one for one in displacement_quantities(stretched)}
    top = told["displacement_separator_side"]
    assert abs(top.value - STRETCH * top.details["height_um"]) < 2 * top.uncertainty
    assert top.unit == "um"
    assert "view_shifted" not in top.flags
    np.testing.assert_allclose(top.details["strains"], STRETCH, atol=0.005)  # 0.2 um in 40 um
    assert told["displacement_in_plane"].value < 0.2  # um; the common shift of 1.1 um is the view's
    assert told["displacement_in_plane"].details["shift_x_um"] == pytest.approx(1.0, abs=0.1)
    lifted = prepare_state(_state(4, (0.0, 0.0, 6.0), STRETCH), VOXEL_UM, like=reference)
    field = measure_displacement(reference, lifted, grid, top_um=TOP_UM, start=stretched)
    moved = next(displacement_quantities(field))
    assert "view_shifted" in moved.flags
    assert abs(moved.value - STRETCH * moved.details["height_um"]) < 2 * moved.uncertainty


def test_a_stage_that_turned_moves_nothing_within_the_electrode(stretched: DisplacementField) -> None:
    x, y, _ = stretched.node_um.T
    turned = np.array(stretched.displacement_um)
    turned[:, :2] += np.radians(2.0) * np.stack([-y, x], axis=1)  # 2 degrees: 1.6 um at the outermost nodes
    still, told = (
        list(displacement_quantities(replace(stretched, displacement_um=values)))[-1]
        for values in (stretched.displacement_um, turned)
    )
    assert told.details["turn_deg"] - still.details["turn_deg"] == pytest.approx(2.0, abs=0.01)
    assert told.value == pytest.approx(still.value, abs=0.01)  # um


def test_cuboids_that_a_crack_crosses_are_marked_and_the_others_are_not(
    reference: PreparedState, grid: CuboidGrid
) -> None:
    values = _state(2, stretch=STRETCH)
    cracked = np.zeros(SHAPE, np.bool_)
    row = int(SHAPE[0] - 75 / VOXEL_UM)  # in the second layer from below
    cracked[row - 2 : row + 2, :, : SHAPE[2] // 2 - 12] = True
    values[cracked] = 0
    field = measure_displacement(
        reference, prepare_state(values, VOXEL_UM, cracked, like=reference), grid, top_um=TOP_UM
    )
    valid = field.valid.reshape(field.shape)
    assert not valid[1, :, 0].any()
    assert valid[[0, 2, 3, 4, 5]].mean() > 0.9
    assert valid[1, :, 2].all()
    error = field.displacement_um[:, 2] - STRETCH * field.node_um[:, 2]
    assert np.abs(error[field.found]).max() < 0.4  # um; what is left of a crossed cuboid is still followed


def test_a_field_comes_back_from_its_file(stretched: DisplacementField, tmp_path: Path) -> None:
    compared = Compared("OCV", "uid 1", "D0.7V", "uid 2")
    write_displacement(tmp_path, stretched, compared)
    field, told = read_displacement(tmp_path)
    assert told == compared
    assert field.shape == stretched.shape
    np.testing.assert_array_equal(field.displacement_um, stretched.displacement_um)
    assert field.layers[2].mean_um == pytest.approx(stretched.layers[2].mean_um)
    assert [q.value for q in displacement_quantities(field)] == [q.value for q in displacement_quantities(stretched)]


def test_volumes_that_cannot_be_compared_are_refused_in_a_sentence(reference: PreparedState, grid: CuboidGrid) -> None:
    with pytest.raises(DisplacementError, match="same camera"):
        measure_displacement(reference, prepare_state(_state(2)[:-2], VOXEL_UM), grid, top_um=TOP_UM)
    with pytest.raises(DisplacementError, match="not one of at least"):
        cuboid_grid((20, 70, 70), VOXEL_UM, top_um=40, heights_um=(0, 40), width_um=120.0)
    with pytest.raises(DisplacementError, match="in view"):
        prepare_state(np.full(SHAPE, np.nan, np.float32), VOXEL_UM)


def test_where_nothing_can_be_followed_nothing_is_told(grid: CuboidGrid) -> None:
    generator = np.random.default_rng(5)
    first, second = (prepare_state(generator.normal(2, 1, SHAPE).astype(np.float32), VOXEL_UM) for _ in range(2))
    field = measure_displacement(first, second, grid, top_um=TOP_UM)
    assert field.valid.mean() < 0.5
    told = {one.name: one for one in displacement_quantities(field)}
    top = told.get("displacement_separator_side")
    assert top is None or abs(top.value) < 3 * top.uncertainty
    blank = prepare_state(np.full(SHAPE, 2, np.float32), VOXEL_UM)
    assert not list(displacement_quantities(measure_displacement(blank, blank, grid, top_um=TOP_UM)))
