"""Stripes put into exact projections, each kind with a factor by which its rings must fall; nothing else may change."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.ellipses import Ellipse, battery_slice, disc, pixel_means, strip_integrals
from live_analysis.corrections.stripes import StripesFound, remove_stripes
from live_analysis.reconstruction.filtered_scan import filter_scan
from live_analysis.reconstruction.lattice import Lattice

NUM_COLUMNS, NUM_PROJECTIONS = 256, 360
AXIS_COLUMN = (NUM_COLUMNS - 1) / 2
ANGLES_DEG = np.arange(NUM_PROJECTIONS) * 180.0 / NUM_PROJECTIONS
LARGEST_INTEGRAL, NOISE = 2.0, 0.02  # transmission 0.14; noise of 2500 photons
UM_PER_CM = 1e4  # a pixel of 1 cm: attenuation is per pixel
SQUARE = Lattice.square(NUM_COLUMNS)
RADIUS = np.hypot(SQUARE.x, SQUARE.y)
INSIDE, CORE = RADIUS < 0.93 * NUM_COLUMNS / 2, RADIUS < 0.7 * NUM_COLUMNS / 2
OBJECTS = {
    "can of particles": battery_slice(1),
    "centred disc": disc(0.8),
    "disc off the axis by a few columns": [Ellipse(0.03, -0.02, 0.8, 0.8, 0, 1.0)],
    "centred disc in a thin wall": [*disc(0.8), *disc(0.75, -0.5)],
}
OFF_AXIS = "disc off the axis by a few columns"

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """Noisy integrals without stripes, shape (projection, column), and the true slice."""

    integrals: Floats
    truth: NDArray[np.float64]


def scene(name: str, noise: float = NOISE) -> Scene:
    exact = strip_integrals(OBJECTS[name], np.radians(ANGLES_DEG), NUM_COLUMNS)
    scale = LARGEST_INTEGRAL / exact.max()
    noisy = exact * scale + np.random.default_rng(3).normal(scale=noise, size=exact.shape)
    return Scene(noisy.astype(np.float32), pixel_means(OBJECTS[name], NUM_COLUMNS) * scale)


def cleaned(integrals: Floats) -> tuple[Floats, StripesFound]:
    slab = integrals[:, None, :].copy()
    found = remove_stripes(slab, ANGLES_DEG, AXIS_COLUMN)
    return slab[:, 0], found


def slice_of(integrals: Floats) -> Floats:
    scan = filter_scan(np.ascontiguousarray(integrals[:, None, :]), ANGLES_DEG, AXIS_COLUMN, UM_PER_CM)
    return np.asarray(scan.reconstruct(SQUARE)[0])


def rms(values: NDArray[np.floating]) -> float:
    return float(np.sqrt((values[INSIDE].astype(np.float64) ** 2).mean()))


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("noise", [0.005, NOISE])
def test_without_stripes_error_grows_by_less_than_two_percent_and_gain_by_less_than_a_thousandth(
    name: str, noise: float
) -> None:
    this = scene(name, noise)
    before = slice_of(this.integrals)
    after = slice_of(cleaned(this.integrals)[0])
    assert rms(after - this.truth) < 1.02 * rms(before - this.truth)
    assert after[CORE].mean() == pytest.approx(before[CORE].mean(), rel=1e-3)


def test_a_centred_disc_keeps_its_absolute_attenuation() -> None:
    this = scene("centred disc")
    assert slice_of(cleaned(this.integrals)[0])[CORE].mean() == pytest.approx(this.truth[CORE].mean(), rel=5e-3)


def narrow() -> NDArray[np.float64]:
    """Gain errors of 0.5 to 3 % of single columns and of two neighbours."""
    rng = np.random.default_rng(4)
    stripes = np.zeros((NUM_PROJECTIONS, NUM_COLUMNS))
    columns = np.arange(25, 232, 15)
    stripes[:, columns] = rng.uniform(0.005, 0.03, len(columns)) * rng.choice([-1, 1], len(columns))
    stripes[:, columns[::5] + 1] = stripes[:, columns[::5]]
    return stripes


def wide() -> NDArray[np.float64]:
    stripes = np.zeros((NUM_PROJECTIONS, NUM_COLUMNS))
    stripes[:, 60:68], stripes[:, 150:162], stripes[:, 204:208] = 0.02, -0.02, 0.03
    return stripes


def partial() -> NDArray[np.float64]:
    """A column whose gain changes during the scan, one that comes back, and one in the middle."""
    stripes = np.zeros((NUM_PROJECTIONS, NUM_COLUMNS))
    stripes[250:, 165], stripes[50:150, 60], stripes[100:200, 85] = -0.04, 0.05, 0.04
    return stripes


@pytest.mark.parametrize(("stripes", "factor"), [(narrow(), 2.0), (wide(), 1.5), (partial(), 1.5)])
def test_rings_of_gain_errors_fall_by_a_factor(stripes: NDArray[np.float64], factor: float) -> None:
    this = scene(OFF_AXIS)
    before = slice_of(this.integrals)
    striped = (this.integrals + stripes).astype(np.float32)
    corrected = slice_of(cleaned(striped)[0])
    assert rms(corrected - before) < rms(slice_of(striped) - before) / factor


def test_dead_and_restless_columns_are_bridged_and_counted() -> None:
    this = scene(OFF_AXIS)
    before = slice_of(this.integrals)
    damaged = this.integrals.copy()
    damaged[:, 100], damaged[:, 200:202] = 1.3, 0.7  # stuck
    damaged[:, 60] += np.random.default_rng(5).normal(scale=0.3, size=NUM_PROJECTIONS).astype(np.float32)
    corrected, found = cleaned(damaged)
    assert found.num_dead == 4
    assert rms(slice_of(corrected) - before) < rms(slice_of(damaged) - before) / 20


def test_each_kind_is_counted() -> None:
    this = scene(OFF_AXIS)
    assert cleaned((this.integrals + wide()).astype(np.float32))[1].num_wide >= 8 + 12
    assert cleaned((this.integrals + partial()).astype(np.float32))[1].num_partial >= 1


def test_the_order_of_projections_does_not_matter() -> None:
    this = scene(OFF_AXIS)
    order = np.random.default_rng(6).permutation(NUM_PROJECTIONS)
    # The noise of dead pixels is looked for between projections that follow each other: no column is dead here.
    mixed = np.ascontiguousarray((this.integrals + narrow()).astype(np.float32)[order, None, :])
    remove_stripes(mixed, ANGLES_DEG[order], AXIS_COLUMN)
    np.testing.assert_allclose(
        mixed[:, 0], cleaned((this.integrals + narrow()).astype(np.float32))[0][order], atol=1e-5
    )


def test_a_few_projections_are_left_alone() -> None:
    few = scene(OFF_AXIS).integrals[:20, None, :].copy()
    before = few.copy()
    assert remove_stripes(few, ANGLES_DEG[:20], AXIS_COLUMN) == StripesFound()
    np.testing.assert_array_equal(few, before)
