"""A leaning and a shaking sample of spheres, projected where they really are: counts in, slices out."""

import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.corrections.axis_tilt import AxisTilt, axis_tilt
from live_analysis.corrections.broken_pixels import BrokenPixels
from live_analysis.corrections.counts_correction import CorrectionSettings, CountsCorrection, Lean
from live_analysis.reconstruction.filtered_scan import filter_scan
from live_analysis.reconstruction.lattice import Lattice

ROWS, COLUMNS, AXIS_COLUMN, MIDDLE_ROW = 48, 96, 48.3, 23.5
ANGLES = np.linspace(0, 180, 91)
PHOTONS, PIXEL_UM = 30_000.0, 10.0
PARTS = 2  # samples a pixel, either way


def spheres() -> NDArray[np.float64]:
    """Columns x, y, height above the middle, radius, in pixels."""
    rng = np.random.default_rng(4)
    radius, angle = 36 * np.sqrt(rng.uniform(0, 1, 40)), rng.uniform(0, 2 * np.pi, 40)
    heights, sizes = rng.uniform(-24, 24, 40), rng.uniform(2.5, 5, 40)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), heights, sizes], axis=1)


def integrals(
    tilt_deg: float = 0.0, jitter: NDArray[np.float64] | None = None, *, noise: bool = True
) -> NDArray[np.float32]:
    """Project spheres, whose pictures are round however they are turned; jitter (frame, 2) in columns and rows."""
    moves = np.zeros((len(ANGLES), 2)) if jitter is None else jitter
    rows = (np.arange(ROWS * PARTS) + 0.5) / PARTS - 0.5
    columns = (np.arange(COLUMNS * PARTS) + 0.5) / PARTS - 0.5
    tilt = np.radians(tilt_deg)
    frames = np.zeros((len(ANGLES), ROWS * PARTS, COLUMNS * PARTS))
    for frame, angle, (right, down) in zip(frames, np.radians(ANGLES), moves, strict=True):
        for x, y, up, size in spheres():
            across = x * np.cos(angle) + y * np.sin(angle)
            row = MIDDLE_ROW - (up * np.cos(tilt) - across * np.sin(tilt)) + down
            column = AXIS_COLUMN + across * np.cos(tilt) + up * np.sin(tilt) + right
            squared = size**2 - (rows[:, None] - row) ** 2 - (columns[None, :] - column) ** 2
            frame += 0.04 * np.sqrt(np.maximum(squared, 0))
    seen = frames.reshape(len(ANGLES), ROWS, PARTS, COLUMNS, PARTS).mean(axis=(2, 4))
    if noise:
        seen = -np.log(np.random.default_rng(1).poisson(PHOTONS * np.exp(-seen)) / PHOTONS)
    return np.asarray(seen, np.float32)


def slices(values: NDArray[np.float32], axis_column: float = AXIS_COLUMN) -> NDArray[np.float32]:
    scan = filter_scan(values, ANGLES, axis_column, PIXEL_UM)
    return scan.reconstruct(Lattice.square(64), slice(8, ROWS - 8))


def corrected(values: NDArray[np.float32], settings: CorrectionSettings) -> NDArray[np.float32]:
    """Go the whole way from counts, all rows at once."""
    good = np.zeros((ROWS, COLUMNS), bool)
    correction = CountsCorrection(np.full((ROWS, COLUMNS), 100, np.float32), BrokenPixels(good, good, good), settings)
    counts = (100 + PHOTONS * np.exp(-values)).astype(np.float32)
    beam = np.full((1, ROWS, COLUMNS), PHOTONS, np.float32)
    return correction.integrals(counts, beam, slice(0, ROWS), indices=np.arange(len(ANGLES))).values


@pytest.mark.parametrize("tilt_deg", [-1.0, 0.0, 2.0])
def test_the_lean_of_the_axis_is_measured_with_its_uncertainty(tilt_deg: float) -> None:
    values = integrals(tilt_deg)
    found = axis_tilt(lambda index: values[index], ANGLES, first_row=10)
    assert found is not None
    assert found.tilt_deg == pytest.approx(tilt_deg, abs=0.15)  # 0.15 degree moves the top by 0.06 columns
    assert abs(found.tilt_deg - tilt_deg) < 3 * found.uncertainty_deg
    assert found.row == MIDDLE_ROW + 10
    assert found.axis_column_of(found.row) == pytest.approx(AXIS_COLUMN, abs=0.15)
    assert found.axis_column_of(10) == pytest.approx(AXIS_COLUMN + MIDDLE_ROW * np.tan(np.radians(tilt_deg)), abs=0.2)
    assert found.worth_correcting(ROWS, COLUMNS) == (tilt_deg != 0)


def test_what_is_uncertain_or_small_is_not_corrected() -> None:
    assert not AxisTilt(0.8, 0.5, 48.0, 23.5).worth_correcting(100, 600)
    assert not AxisTilt(0.05, 0.001, 48.0, 23.5).worth_correcting(100, 600)
    assert AxisTilt(0.2, 0.02, 48.0, 23.5).worth_correcting(100, 600)


def test_noise_tells_no_lean() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, (91, ROWS, COLUMNS)).astype(np.float32)
    assert axis_tilt(lambda index: noise[index], ANGLES) is None
    assert axis_tilt(lambda index: noise[index], np.linspace(0, 90, 91)) is None


def test_a_tilted_sample_becomes_as_sharp_as_an_upright_one() -> None:
    upright, leaning = slices(integrals(noise=False)), integrals(2.5, noise=False)
    found = axis_tilt(lambda index: leaning[index], ANGLES)
    assert found is not None
    lean = Lean(found.tilt_deg, found.row, found.column)
    straight = slices(corrected(leaning, CorrectionSettings(lean=lean)))
    contrast = float(upright.std())
    # Left are the interpolation of spheres' edges and what the tilt was measured wrong by.
    assert np.sqrt(((straight - upright) ** 2).mean()) < 0.1 * contrast
    assert np.sqrt(((slices(leaning) - upright) ** 2).mean()) > 0.35 * contrast
    edges = [float(np.square(np.diff(volume, axis=2)).mean()) for volume in (straight, upright)]
    assert edges[0] > 0.9 * edges[1]


def test_a_slab_is_set_upright_as_the_whole() -> None:
    values = integrals(1.5)
    settings = CorrectionSettings(lean=Lean(1.5, MIDDLE_ROW, AXIS_COLUMN))
    whole = corrected(values, settings)
    good = np.zeros((ROWS, COLUMNS), bool)
    correction = CountsCorrection(np.zeros((ROWS, COLUMNS), np.float32), BrokenPixels(good, good, good), settings)
    rows = slice(20, 26)
    needed = correction.rows_needed(rows)
    assert needed == slice(20 - 16, 26 + 16), "sine of 1.5 degrees x 96 columns, the spline's memory and a neighbour"
    counts = (PHOTONS * np.exp(-values[:, needed])).astype(np.float32)
    beam = np.full((1, needed.stop - needed.start, COLUMNS), PHOTONS, np.float32)
    found = correction.integrals(counts, beam, rows, indices=np.arange(len(ANGLES))).values
    np.testing.assert_allclose(found, whole[:, rows], atol=2e-4)


def test_a_shaking_stage_is_undone_where_its_positions_are_known() -> None:
    jitter = np.random.default_rng(7).normal(0, 1.2, (len(ANGLES), 2))
    still, shaken = slices(integrals(noise=False)), integrals(jitter=jitter, noise=False)
    settings = CorrectionSettings(jitter_columns=jitter[:, 0], jitter_rows=jitter[:, 1])
    undone = slices(corrected(shaken, settings))
    contrast = float(still.std())
    assert np.sqrt(((slices(shaken) - still) ** 2).mean()) > 0.4 * contrast
    assert np.sqrt(((undone - still) ** 2).mean()) < 0.1 * contrast  # interpolation of spheres' edges
