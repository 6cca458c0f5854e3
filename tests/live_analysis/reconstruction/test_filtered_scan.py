import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.reconstruction.filtered_back_projection import Grid
from live_analysis.reconstruction.filtered_scan import filter_truncated, filter_untruncated
from operando.model.geometry import CellGeometry
from tests.live_analysis.phantoms import Detector, cylinder, expose, particles_in_bore

CELL = CellGeometry(bore_diameter_mm=6.0, wall_outer_diameter_mm=16.0, wall_material="PEEK")
PEEK_PER_CM = 0.322
COLUMNS = 240


def cell_scan(view_um: float, x_um: float, y_um: float) -> tuple[Detector, NDArray[np.float32]]:
    detector = Detector(np.arange(180.0), 1, COLUMNS, view_um / COLUMNS, COLUMNS / 2 + 0.8)
    content = cylinder(detector, 3000, 2.1 - PEEK_PER_CM, x_um, y_um)
    return detector, (content + cylinder(detector, 8000, PEEK_PER_CM, x_um, y_um)).astype(np.float32)


def inner(grid: Grid) -> NDArray[np.bool_]:
    return np.asarray(np.hypot(grid.x, grid.y) < 0.45 * COLUMNS)


@pytest.mark.parametrize("view_um", [3400.0, 2250.0])
@pytest.mark.parametrize(("x_um", "y_um"), [(0.0, 0.0), (300.0, 0.0), (-180.0, 240.0)])
def test_a_declared_cell_gives_flat_absolute_grey_values(view_um: float, x_um: float, y_um: float) -> None:
    detector, integrals = cell_scan(view_um, x_um, y_um)
    scan = filter_truncated(
        integrals, detector.angles_deg, detector.axis_column, detector.pixel_um, cell=CELL, wall_per_cm=PEEK_PER_CM
    )
    grid = Grid.square(COLUMNS)
    values = scan.reconstruct(grid)[0][inner(grid)]
    assert scan.grey_values_absolute
    assert np.ptp(values) / values.mean() < 0.03  # cupping at most 3 %
    assert values.mean() == pytest.approx(2.1, rel=0.02)  # gain within 2 %


def test_a_wall_declared_20_percent_too_thin_costs_a_few_percent() -> None:
    detector, integrals = cell_scan(3400.0, 0.0, 0.0)
    scan = filter_truncated(
        integrals,
        detector.angles_deg,
        detector.axis_column,
        detector.pixel_um,
        cell=CELL,
        wall_per_cm=0.8 * PEEK_PER_CM,
    )
    grid = Grid.square(COLUMNS)
    assert scan.reconstruct(grid)[0][inner(grid)].mean() == pytest.approx(2.1, rel=0.05)


def test_without_a_declared_cell_grey_values_are_said_not_to_be_absolute() -> None:
    detector, integrals = cell_scan(3400.0, 0.0, 0.0)
    scan = filter_truncated(
        integrals, detector.angles_deg, detector.axis_column, detector.pixel_um, cell=None, wall_per_cm=None
    )
    grid = Grid.square(COLUMNS)
    values = scan.reconstruct(grid)[0][inner(grid)]
    assert not scan.grey_values_absolute
    assert scan.cylinder is None
    assert np.ptp(values) / values.mean() < 0.15  # unpadded zeros would give 75 %


def test_the_matrix_between_particles_keeps_its_level_across_the_view() -> None:
    detector = Detector(np.arange(180.0), 8, COLUMNS, 9.4, COLUMNS / 2)
    integrals = np.repeat(
        cylinder(detector, 3000, 2.1 - PEEK_PER_CM, 100, 50) + cylinder(detector, 8000, PEEK_PER_CM, 100, 50), 8, axis=1
    )
    for particle in particles_in_bore(detector, 3000, 250, 22.5, seed=5):
        particle.add_to(integrals, detector)
    noisy = expose(integrals, 4e4, detector.pixel_um, 2.6, seed=6)
    scan = filter_truncated(
        noisy, detector.angles_deg, detector.axis_column, detector.pixel_um, cell=CELL, wall_per_cm=PEEK_PER_CM
    )
    grid = Grid.square(COLUMNS)
    volume, distance = scan.reconstruct(grid), np.hypot(grid.x, grid.y)
    levels = [float(np.median(volume[:, (distance >= r) & (distance < r + 27)])) for r in (0, 27, 54, 81)]
    np.testing.assert_allclose(levels, 2.1, atol=0.08)  # 1/cm: particles lift a median, streaks scatter it


def test_an_untruncated_scan_is_absolute_without_any_model_and_rows_can_be_chosen() -> None:
    detector = Detector(np.arange(180.0), 1, COLUMNS, 5.0, 119.5)
    rows = np.concatenate([cylinder(detector, 400, per_cm) for per_cm in (1.0, 3.0)], axis=1).astype(np.float32)
    scan = filter_untruncated(rows, detector.angles_deg, 119.5, 5.0)
    grid = Grid.square(21)
    assert scan.grey_values_absolute
    assert scan.reconstruct(grid, slice(1, 2)).mean() == pytest.approx(3.0, rel=0.005)
    assert scan.reconstruct(grid).shape == (2, 21, 21)
