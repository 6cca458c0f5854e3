import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.rotation_axis import RotationAxisError, find_rotation_axis
from tests.live_analysis.phantoms import Detector, cylinder, expose, particles_in_bore

PIXEL_UM = 7.0
END_INCLUDED, END_LEFT_OUT = np.linspace(0, 180, 181), np.arange(180.0)


def truncated_cell(angles_deg: NDArray[np.float64], axis_column: float, *, num_particles: int) -> NDArray[np.float32]:
    """A 6 mm bore off the axis by 0.2 mm in a 2.24 mm view, with particles and photon noise."""
    detector = Detector(angles_deg, 8, 320, PIXEL_UM, axis_column)
    content = cylinder(detector, 3000, 2.1 - 0.32, 200, -50) + cylinder(detector, 8000, 0.32, 200, -50)
    integrals = np.repeat(content, detector.num_rows, axis=1)
    for particle in particles_in_bore(detector, 3000, num_particles, 22.5, seed=3):
        particle.add_to(integrals, detector)
    return expose(integrals, 4e4, PIXEL_UM, 5.0, seed=4)


@pytest.mark.parametrize("axis_column", [150.0, 163.3])
@pytest.mark.parametrize(("angles_deg", "method"), [(END_INCLUDED, "opposite"), (END_LEFT_OUT, "sharpness")])
def test_the_axis_of_a_truncated_cell_is_found(
    angles_deg: NDArray[np.float64], method: str, axis_column: float
) -> None:
    found = find_rotation_axis(truncated_cell(angles_deg, axis_column, num_particles=200), angles_deg)
    assert found.column == pytest.approx(axis_column, abs=0.3)  # half a column blurs edges visibly
    assert abs(found.column - axis_column) < 3 * found.uncertainty
    assert found.confidence > 0.7
    assert method in found.method


@pytest.mark.parametrize("angles_deg", [END_INCLUDED, END_LEFT_OUT])
def test_rows_without_structure_give_low_confidence(angles_deg: NDArray[np.float64]) -> None:
    try:
        found = find_rotation_axis(truncated_cell(angles_deg, 159.5, num_particles=0), angles_deg)
    except RotationAxisError:
        return  # noise may also be most alike at the edge, where it is refused
    assert found.confidence < 0.3


@pytest.mark.parametrize("angles_deg", [END_INCLUDED, END_LEFT_OUT])
def test_an_axis_at_the_edge_of_the_search_window_is_refused(angles_deg: NDArray[np.float64]) -> None:
    integrals = truncated_cell(angles_deg, 172.0, num_particles=200)
    with pytest.raises(RotationAxisError, match="edge of the search window"):
        find_rotation_axis(integrals, angles_deg, search_columns=12.5)


def test_a_quarter_turn_is_refused() -> None:
    with pytest.raises(RotationAxisError, match="Wait for more projections"):
        find_rotation_axis(np.zeros((90, 4, 64), np.float32), np.arange(90.0))


def test_a_window_without_overlap_is_refused() -> None:
    with pytest.raises(RotationAxisError, match="overlap"):
        find_rotation_axis(np.zeros((180, 4, 64), np.float32), END_LEFT_OUT, search_columns=40)


@pytest.mark.parametrize("angles_deg", [np.arange(180.0), np.linspace(0.0, 180.0, 181)], ids=["near", "exact"])
def test_the_axis_of_a_wide_view_with_few_details_is_found(angles_deg: np.ndarray) -> None:
    num_rows, num_columns, axis_column = 6, 1024, 518.8
    rng = np.random.default_rng(1)
    u = np.arange(num_columns) - axis_column
    x, y = rng.uniform(-300, 300, (2, 15))
    radius, row = rng.uniform(4, 10, 15), rng.integers(0, num_rows, 15)
    integrals = np.full((len(angles_deg), num_rows, num_columns), 0.0, np.float32)
    integrals += 1.6 * np.sqrt(np.maximum(460.0**2 - u**2, 0)) / 920
    for angle, frame in zip(np.radians(angles_deg), integrals, strict=True):
        across = u - (x * np.cos(angle) + y * np.sin(angle))[:, None]
        np.add.at(frame, row, 0.04 * np.sqrt(np.maximum(radius[:, None] ** 2 - across**2, 0)))
    integrals += rng.normal(0, 0.003, integrals.shape[1:])  # noise of the flat, which does not turn
    integrals += rng.normal(0, 0.006, integrals.shape)
    found = find_rotation_axis(integrals.astype(np.float32), angles_deg)
    assert found.column == pytest.approx(axis_column, abs=0.5)  # half a column moves an edge by half a voxel
    assert found.confidence > 0.6
