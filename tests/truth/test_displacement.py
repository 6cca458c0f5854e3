"""The displacement of the simulated cathode is found in volumes of its own shapes: particles react, pores only move."""

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.displacement.cuboid_grid import CuboidGrid, cuboid_grid
from live_analysis.displacement.displacement_field import DisplacementField, measure_displacement
from live_analysis.displacement.displacement_quantities import displacement_quantities
from live_analysis.displacement.prepared_state import PreparedState, prepare_state
from simulators.cell_parameters import load_cell
from simulators.cell_state import CellState
from simulators.cell_twin import CellTwin
from simulators.phantom import Phantom
from simulators.scene import Spheroids
from tests.support.offline_run import CELL, START_S, discharge

VOXEL_UM, WIDTH_UM, HEIGHT_UM = 3.52, 420.0, 300.0
NUM_Z, NUM_X = round(HEIGHT_UM / VOXEL_UM), round(WIDTH_UM / VOXEL_UM)
NOISE_PER_CM = 0.6
Volume = NDArray[np.float32]


@cache
def _phantom() -> Phantom:
    return Phantom(load_cell(CELL), 1)


def _pristine() -> CellState:
    return CellTwin(load_cell(CELL), START_S).state(START_S)


def _discharged() -> CellState:
    twin = CellTwin(load_cell(CELL), START_S)
    return twin.state(discharge(twin, load_cell(CELL), 0.7))


def _volume(state: CellState, seed: int) -> Volume:
    """Matrix, particles and pores with soft edges and noise; cracks and the separator are left out."""
    scene = _phantom().scene(state)
    values = np.random.default_rng(seed).normal(_phantom().matrix_per_cm, NOISE_PER_CM, (NUM_Z, NUM_X, NUM_X))
    for spheroids in (scene.particles, scene.pores):
        _add(values, spheroids)
    return np.asarray(values, np.float32)


def _add(values: NDArray[np.float64], spheroids: Spheroids) -> None:
    centres = spheroids.centre_um / VOXEL_UM
    index = np.stack([NUM_Z - 0.5 - centres[:, 2], *((NUM_X - 1) / 2 + centres[:, k] for k in (1, 0))], axis=1)
    radii = spheroids.equatorial_um / VOXEL_UM
    for centre, radius, difference in zip(index, radii, spheroids.attenuation_difference_per_cm, strict=True):
        begin = np.maximum(np.floor(centre - radius - 1), 0).astype(int)
        end = np.minimum(np.ceil(centre + radius + 2), values.shape).astype(int)
        if (end <= begin).any():
            continue
        z, y, x = (np.arange(b, e) - c for b, e, c in zip(begin, end, centre, strict=True))
        distance = np.sqrt(z[:, None, None] ** 2 + y[:, None] ** 2 + x**2)
        part = np.clip(radius - distance + 0.5, 0, 1)
        values[begin[0] : end[0], begin[1] : end[1], begin[2] : end[2]] += difference * part


@cache
def _grid() -> CuboidGrid:
    shape = NUM_Z, NUM_X, NUM_X
    return cuboid_grid(shape, VOXEL_UM, top_um=NUM_Z * VOXEL_UM, heights_um=(10, 260), width_um=400.0)


@cache
def _reference() -> PreparedState:
    return prepare_state(_volume(_pristine(), 1), VOXEL_UM)


@pytest.fixture(scope="module")
def field() -> DisplacementField:
    moved = prepare_state(_volume(_discharged(), 2), VOXEL_UM, like=_reference())
    return measure_displacement(_reference(), moved, _grid(), top_um=NUM_Z * VOXEL_UM)


def test_every_layer_and_cuboid_rises_as_the_cathode_does(field: DisplacementField) -> None:
    truth = _phantom().displacement_um(_discharged(), field.node_um[:, 2])
    layers = np.array([layer.mean_um for layer in field.layers])
    by_layer = truth.reshape(field.shape[0], -1).mean(1)
    assert by_layer[-1] > 7
    np.testing.assert_allclose(layers[:, 2], by_layer, atol=0.3)  # um: what issue 4 asks of every layer
    np.testing.assert_allclose(layers[:, :2], 0, atol=0.3)  # um: nothing moves across
    error = np.abs(field.displacement_um[:, 2] - truth)[field.valid]
    assert field.valid.mean() > 0.9
    assert np.mean(error < 0.5) > 0.99  # um, for single cuboids
    within = np.abs(field.displacement_um[:, 2] - truth) < 2 * field.uncertainty_um[:, 2]
    assert within[field.valid].mean() > 0.9


def test_seven_micrometres_are_told_next_to_the_separator_and_less_than_one_at_the_collector(
    field: DisplacementField,
) -> None:
    told = {quantity.name: quantity for quantity in displacement_quantities(field)}
    assert told["displacement_separator_side"].value == pytest.approx(7.4, abs=0.4)  # um: A-7 says 7.2
    assert 0.3 < told["displacement_collector_side"].value < 1.0
    assert told["displacement_in_plane"].value < 0.3
