"""Every reconstruction engine answers the same questions."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.engines.engine import Engine, Scan
from live_analysis.engines.registry import ENGINES, HOW_TO_INSTALL, engine_named, installed_engines
from live_analysis.reconstruction.angle_weights import ProjectionError
from tests.live_analysis.phantoms import Detector, cylinder, evenly

NUM_COLUMNS, PIXEL_UM = 96, 5.0
HALF_TURN = evenly(160, 180 / 160)
PER_CM = 2.0
GAIN = {"native": 0.002, "astra": 0.005, "tomopy": 0.01}  # measured: 5e-4, 3e-3, 5e-3; the first's bar is 5e-3
# A slab that is worked on in other groups of rows is summed in another order of floats.
ROUNDING_PER_CM = 1e-4


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    name = str(request.param)
    if name not in installed_engines():
        pytest.skip(f"{name} is not installed: {HOW_TO_INSTALL[name]}")
    return engine_named(name, num_threads=2)


def disk(
    angles_deg: NDArray[np.float64] = HALF_TURN,
    *,
    x: float = 0.0,
    y: float = 0.0,
    radius: float = 0.85 * NUM_COLUMNS / 2,
    axis_column: float = (NUM_COLUMNS - 1) / 2,
    num_rows: int = 1,
) -> Scan:
    """Scan of an upright cylinder; lengths in pixels."""
    detector = Detector(angles_deg, 1, NUM_COLUMNS, PIXEL_UM, axis_column)
    integrals = cylinder(detector, radius * PIXEL_UM, PER_CM, x * PIXEL_UM, y * PIXEL_UM).astype(np.float32)
    return Scan(np.repeat(integrals, num_rows, axis=1), angles_deg, axis_column, PIXEL_UM)


def distance(x: float = 0.0, y: float = 0.0) -> NDArray[np.float64]:
    """Distance in pixels of every point of a slice from (x, y), where the axis is the origin."""
    iy, ix = np.indices((NUM_COLUMNS, NUM_COLUMNS)) - (NUM_COLUMNS - 1) / 2
    return np.asarray(np.hypot(ix - x, iy - y), np.float64)


@pytest.mark.parametrize("radius", [0.3 * NUM_COLUMNS / 2, 0.85 * NUM_COLUMNS / 2])
def test_a_uniform_disk_has_its_attenuation_from_centre_to_rim_and_air_has_none(engine: Engine, radius: float) -> None:
    found = engine.reconstruct(disk(radius=radius))[0]
    rings = [(a * radius, b * radius) for a, b in ((0.0, 0.35), (0.35, 0.7), (0.7, 0.92))]
    means = [found[(distance() >= a) & (distance() < b)].mean() for a, b in rings]
    np.testing.assert_allclose(means, PER_CM, rtol=GAIN[engine.name])
    air = (distance() > radius + 2) & (distance() < NUM_COLUMNS / 2 - 1)
    assert abs(found[air].mean()) < GAIN[engine.name] * PER_CM


@pytest.mark.parametrize(
    ("x", "y", "axis_column"), [(20.0, 0.0, 47.5), (0.0, 20.0, 47.5), (-12.3, -17.4, 47.5), (15.0, -9.0, 41.7)]
)
def test_a_rod_is_where_the_scan_says(engine: Engine, x: float, y: float, axis_column: float) -> None:
    for turn in (HALF_TURN, evenly(200, 1.8) + 33.3):
        found = engine.reconstruct(disk(turn, x=x, y=y, radius=6.0, axis_column=axis_column))[0]
        iy, ix = np.indices(found.shape) - (NUM_COLUMNS - 1) / 2
        near = distance(x, y) < 9
        mass = found[near].sum()
        assert (ix[near] * found[near]).sum() / mass == pytest.approx(x, abs=0.05)  # pixels
        assert (iy[near] * found[near]).sum() / mass == pytest.approx(y, abs=0.05)
        assert mass == pytest.approx(PER_CM * np.pi * 36, rel=0.01)


@pytest.mark.parametrize(
    ("name", "angles_deg"),
    [
        ("a full turn", evenly(200, 1.8)),
        ("a turn and a half backwards", -evenly(260, 540 / 260)),
        ("a tenth of the frames lost", HALF_TURN[np.random.default_rng(0).random(160) > 0.1]),
        ("golden angles over many turns", evenly(160, 111.246)),
        ("half of the angles twice as dense", np.concatenate([evenly(120, 0.75), 90 + evenly(60, 1.5)])),
        ("a repeated frame and the last at 180 degrees", np.append(HALF_TURN, [0.0, 180.0])),
    ],
)
def test_grey_values_survive_any_angles(engine: Engine, name: str, angles_deg: NDArray[np.float64]) -> None:
    found = engine.reconstruct(disk(angles_deg, x=4.0, radius=36.0))[0]
    inside = distance(4.0) < 34
    assert found[inside].mean() == pytest.approx(PER_CM, rel=0.005), name
    # Where one weight for all would do harm: seen from twice as many directions on one side, a disk has a slope.
    left, right = (found[inside & (side * (np.indices(found.shape)[1] - 51.5) > 10)].mean() for side in (-1, 1))
    assert left == pytest.approx(right, rel=0.01), name


def test_points_that_not_every_direction_sees_are_nan_and_no_others(engine: Engine) -> None:
    found = engine.reconstruct(disk(axis_column=40.5, radius=30.0))
    assert found.shape == (1, NUM_COLUMNS, NUM_COLUMNS)
    assert np.array_equal(np.isnan(found[0]), distance() > 40.5)


def test_a_slab_has_the_values_of_the_whole_and_rows_keep_their_order(engine: Engine) -> None:
    scan = disk(x=5.0, radius=20.0, num_rows=19)
    grades = (1 + np.arange(19)[:, None] / 10).astype(np.float32)
    graded = replace(scan, integrals=np.asarray(scan.integrals * grades, np.float32))
    whole = engine.reconstruct(graded)
    for rows in (slice(0, 4), slice(13, 19)):
        slab = engine.reconstruct(replace(graded, integrals=graded.integrals[:, rows]))
        assert np.nanmax(np.abs(slab - whole[rows])) < ROUNDING_PER_CM
    centre = whole[:, distance(5.0) < 15].mean(axis=1)
    np.testing.assert_allclose(centre, PER_CM * (1 + np.arange(19) / 10), rtol=GAIN[engine.name])


def test_a_taper_takes_the_bright_rim_off_a_truncated_view(engine: Engine) -> None:
    truncated = disk(radius=80.0)
    tapered = replace(truncated, taper_columns=NUM_COLUMNS // 2)
    middle, rim = distance() < 20, (distance() > 38) & (distance() < 45)
    cupping = []
    for scan in (truncated, tapered):
        found = engine.reconstruct(scan)[0]
        cupping.append(found[rim].mean() / found[middle].mean() - 1)
    assert cupping[0] > 0.3
    assert abs(cupping[1]) < cupping[0] / 3


def test_what_comes_out_is_new_and_what_went_in_is_untouched(engine: Engine) -> None:
    scan = disk(num_rows=3)
    integrals, angles_deg = scan.integrals.copy(), scan.angles_deg.copy()
    scan.integrals.flags.writeable = scan.angles_deg.flags.writeable = False
    found = engine.reconstruct(scan)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    assert found.flags.writeable
    assert np.array_equal(scan.integrals, integrals)
    assert np.array_equal(scan.angles_deg, angles_deg)
    strided = replace(scan, integrals=np.asfortranarray(integrals))
    assert np.nanmax(np.abs(engine.reconstruct(strided) - found)) < ROUNDING_PER_CM


def test_the_number_of_threads_does_not_change_the_values(engine: Engine) -> None:
    scan = disk(num_rows=3)
    alone = engine_named(engine.name, num_threads=1).reconstruct(scan)
    assert np.nanmax(np.abs(alone - engine.reconstruct(scan))) < ROUNDING_PER_CM
    with pytest.raises(ProjectionError, match="threads"):
        engine_named(engine.name, num_threads=0)


def test_a_scan_that_cannot_be_reconstructed_is_refused(engine: Engine) -> None:
    good = disk(num_rows=2)
    damaged, infinite = good.integrals.copy(), HALF_TURN.copy()
    damaged[7, 1, 20], infinite[3] = np.nan, np.inf
    wrong = {
        "first: 7": replace(good, integrals=damaged),
        "angle is NaN": replace(good, angles_deg=infinite),
        "one angle for each": replace(good, angles_deg=HALF_TURN[:-1]),
        r"\(projection, row, column\)": replace(good, integrals=good.integrals[:, 0]),
        "none of them empty": replace(good, integrals=good.integrals[:, :0]),
        "at least two": Scan(good.integrals[:2], np.array([10.0, 190.0]), 47.5, PIXEL_UM),
        "within the view": replace(good, axis_column=95.5),
        "pixel size": replace(good, pixel_size_um=0.0),
        "taper": replace(good, taper_columns=-1),
        "degrees": replace(good, angles_deg=np.radians(HALF_TURN)),
    }
    for message, scan in wrong.items():
        with pytest.raises(ProjectionError, match=message):
            engine.reconstruct(scan)
