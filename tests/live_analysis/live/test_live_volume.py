"""A live volume against what was projected, whatever was assumed when it was begun."""

import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.corrections.ring_volume import ring_volume
from live_analysis.live.live_volume import Assumptions, FinishedVolume, LiveVolume
from live_analysis.reconstruction.angle_weights import ProjectionError
from live_analysis.reconstruction.lattice import Lattice
from operando.model.geometry import CellGeometry
from tests.live_analysis.phantoms import Detector, cylinder, expose, particles_in_bore

CELL = CellGeometry(bore_diameter_mm=6.0, wall_outer_diameter_mm=16.0, wall_material="PEEK")
PEEK_PER_CM, CONTENT_PER_CM = 0.322, 2.1
COLUMNS, ROWS, PIXEL_UM = 160, 6, 14.0
AXIS_COLUMN = 81.6
BORE_UM = (120.0, -60.0)


def particles(num_projections: int) -> tuple[Detector, NDArray[np.float32]]:
    detector = Detector(np.linspace(0, 180, num_projections, endpoint=False), ROWS, COLUMNS, PIXEL_UM, AXIS_COLUMN)
    content = cylinder(detector, 3000, CONTENT_PER_CM - PEEK_PER_CM, *BORE_UM)
    integrals = np.repeat(content + cylinder(detector, 8000, PEEK_PER_CM, *BORE_UM), ROWS, axis=1)
    for particle in particles_in_bore(detector, 3000, 200, 22.5, seed=5):
        particle.add_to(integrals, detector)
    return detector, expose(integrals, 4e4, PIXEL_UM, 2.6, seed=6)


def live(
    detector: Detector, integrals: NDArray[np.float32], assumptions: Assumptions, batch: int = 7
) -> FinishedVolume:
    volume = LiveVolume(
        ROWS, COLUMNS, PIXEL_UM, angle_step_deg=1.0, assumptions=assumptions, cell=CELL, wall_per_cm=PEEK_PER_CM
    )
    for begin in range(0, len(integrals), batch):
        volume.add(integrals[begin : begin + batch], detector.angles_deg[begin : begin + batch])
    return volume.finish()


def matrix(finished: FinishedVolume) -> NDArray[np.float32]:
    return inside(finished.values_per_cm)


def inside(values_per_cm: NDArray[np.float32]) -> NDArray[np.float32]:
    square = Lattice.square(COLUMNS)
    return np.asarray(values_per_cm[:, np.hypot(square.x, square.y) < 0.42 * COLUMNS])


@pytest.mark.parametrize("batch", [1, 7, 180])
def test_what_the_tomogram_before_has_told_spares_a_second_pass_and_changes_little(batch: int) -> None:
    detector, integrals = particles(180)
    first = live(detector, integrals, Assumptions(axis_column=AXIS_COLUMN - 3, bore_centre_um=(0.0, 0.0)))
    second = live(detector, integrals, first.learned, batch)
    assert (first.made_again, second.made_again) == (True, False)
    assert first.axis_column == pytest.approx(AXIS_COLUMN, abs=0.3)  # columns
    np.testing.assert_allclose(first.learned.bore_centre_um, BORE_UM, atol=60.0)  # um, 1 % of the bore
    # The first assumption of the content comes from few projections: what it misses is below the noise of a voxel.
    noise_per_cm = float(np.std(np.diff(matrix(first), axis=1))) / np.sqrt(2)
    assert float(np.sqrt(np.mean((matrix(first) - matrix(second)) ** 2))) < 0.05 * noise_per_cm
    assert float(np.median(matrix(second))) == pytest.approx(CONTENT_PER_CM, rel=0.03)  # particles lift a median
    assert second.grey_values_absolute
    assert second.coverage == pytest.approx(1.0)


def test_fewer_projections_than_the_content_is_told_from_are_a_volume_too() -> None:
    detector, integrals = particles(180)
    few = slice(0, 180, 15)
    finished = live(
        Detector(detector.angles_deg[few], ROWS, COLUMNS, PIXEL_UM, AXIS_COLUMN), integrals[few], Assumptions()
    )
    assert finished.num_projections == 12
    assert np.isfinite(matrix(finished)).all()


def test_projections_that_do_not_tell_the_axis_keep_the_assumed_one() -> None:
    detector, integrals = particles(180)
    third = Detector(detector.angles_deg[:60], ROWS, COLUMNS, PIXEL_UM, AXIS_COLUMN)
    finished = live(third, integrals[:60], Assumptions(AXIS_COLUMN, BORE_UM))
    assert finished.axis is None
    assert finished.axis_column == AXIS_COLUMN
    assert finished.coverage == pytest.approx(1 / 3, abs=0.02)


def test_the_axis_is_found_although_nothing_turns_in_the_middle_rows() -> None:
    detector, integrals = particles(90)
    still = np.repeat(integrals.mean(axis=(0, 1), keepdims=True), 30, axis=1)
    plain = still + np.random.default_rng(7).normal(0, 0.01, (90, 30, COLUMNS)).astype(np.float32)
    volume = LiveVolume(36, COLUMNS, PIXEL_UM, angle_step_deg=2.0, assumptions=Assumptions())
    volume.add(np.concatenate([plain, integrals], axis=1), detector.angles_deg)
    # Found by sharpness, whose standard deviation is half a column; among still rows it was 28 columns off.
    assert volume.finish().axis_column == pytest.approx(AXIS_COLUMN, abs=1.0)


def test_without_a_declared_cell_grey_values_are_not_called_absolute() -> None:
    detector, integrals = particles(180)
    volume = LiveVolume(ROWS, COLUMNS, PIXEL_UM, angle_step_deg=1.0, assumptions=Assumptions(AXIS_COLUMN))
    volume.add(integrals, detector.angles_deg)
    assert not volume.finish().grey_values_absolute


def test_without_projections_there_is_no_volume() -> None:
    with pytest.raises(ProjectionError, match="no projection"):
        LiveVolume(ROWS, COLUMNS, PIXEL_UM, angle_step_deg=1.0, assumptions=Assumptions()).finish()


def test_gain_errors_of_detector_columns_leave_no_rings() -> None:
    detector, integrals = particles(180)
    stripes = np.zeros((ROWS, COLUMNS), np.float32)
    stripes[:, 20:140:15] = np.resize([0.02, -0.03, 0.03], 8)
    known = Assumptions(axis_column=AXIS_COLUMN, bore_centre_um=BORE_UM)
    clean, striped = live(detector, integrals, known), live(detector, integrals + stripes, known)
    rings_per_cm = inside(ring_volume(stripes, AXIS_COLUMN, PIXEL_UM))
    assert float(np.std(matrix(striped) - matrix(clean))) < float(np.std(rings_per_cm)) / 2
