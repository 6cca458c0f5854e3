import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.engines.engine import Scan
from live_analysis.engines.native import NativeEngine
from live_analysis.reconstruction.angle_weights import ProjectionError
from live_analysis.reconstruction.integral_variance import Counting, IntegralVariances, integral_variances
from live_analysis.reconstruction.noise import VoxelNoise
from live_analysis.reconstruction.ray_variances import RayVariances
from tests.live_analysis.phantoms import Detector, cylinder, evenly

NUM_COLUMNS, AXIS_COLUMN, PIXEL_UM = 64, 30.8, 10.0
# A third of the half turn in coarse steps, and thirty degrees of it not at all.
ANGLES_DEG = np.concatenate([np.arange(0, 90, 1.2), np.arange(120, 180, 2.4)])
ROWS, RUNS = 16, 14  # every row is a repetition: 224 scans
COUNTING = Counting(photons_per_count=0.4, dark_variance=16.0, num_flats=8, num_darks=5)
DARK, BRIGHTEST = 100.0, 4000.0  # counts
SAME = 0.1  # the bar; a region's root mean square over 224 repetitions is itself good to about 1 %


def repeated_scans(binning: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Standard deviation of voxels over repetitions, and what one of the scans foretells: both of shape (y, x)."""
    rng = np.random.default_rng(5)
    detector = Detector(ANGLES_DEG, 1, NUM_COLUMNS, PIXEL_UM, AXIS_COLUMN)
    integrals = cylinder(detector, 200.0, 45.0, 40.0, -20.0) + cylinder(detector, 30.0, 250.0, 120.0, 60.0)
    across = (np.arange(NUM_COLUMNS) - 40) / 25
    beam = BRIGHTEST * np.exp(-0.5 * across**2)

    def frames(num: int, counts: NDArray[np.float64]) -> NDArray[np.uint16]:
        shape = num, ROWS, NUM_COLUMNS
        photons = rng.poisson(np.broadcast_to(counts * COUNTING.photons_per_count, shape))
        noisy = photons / COUNTING.photons_per_count + rng.normal(DARK, COUNTING.dark_variance**0.5, shape)
        return np.asarray(np.rint(noisy), np.uint16)

    noise = VoxelNoise(ANGLES_DEG, AXIS_COLUMN, PIXEL_UM, NUM_COLUMNS, binning=binning)
    found: list[NDArray[np.float32]] = []
    foretold: list[NDArray[np.float32]] = []
    for _ in range(RUNS):
        flat = frames(COUNTING.num_flats, beam).mean(axis=0).astype(np.float32)
        dark = frames(COUNTING.num_darks, np.zeros(NUM_COLUMNS)).mean(axis=0).astype(np.float32)
        counts = frames(len(ANGLES_DEG), beam * np.exp(-integrals))
        measured = -np.log((counts - dark) / (flat - dark)).astype(np.float32)
        found.append(NativeEngine().reconstruct(Scan(measured, ANGLES_DEG, AXIS_COLUMN, PIXEL_UM)))
        if len(foretold) < 2:
            foretold.append(noise.per_cm(integral_variances(counts, flat, dark, COUNTING)))
    num, side = ROWS // binning, NUM_COLUMNS // binning
    blocks = np.stack(found).reshape(RUNS * num, binning, side, binning, side, binning).mean(axis=(1, 3, 5))
    return blocks.std(axis=0, ddof=1, dtype=np.float64), np.sqrt((np.concatenate(foretold) ** 2).mean(axis=0))


@pytest.mark.parametrize("binning", [1, 2])
def test_the_noise_is_that_of_repeated_scans_in_every_region(binning: int) -> None:
    found, foretold = repeated_scans(binning)
    assert np.isnan(foretold[0, 0])
    centres = ((np.arange(len(found)) + 0.5) * binning - NUM_COLUMNS / 2) * PIXEL_UM
    y, x = np.meshgrid(centres, centres, indexing="ij")
    from_disk, from_rod, from_axis = np.hypot(x - 40, y + 20), np.hypot(x - 120, y - 60), np.hypot(x, y)
    inside = (from_axis < 290) & (from_rod > 40)
    regions = {
        "centre": from_disk < 80,
        "half way": (from_disk > 80) & (from_disk < 140) & inside,
        "rim": (from_disk > 150) & (from_disk < 200) & inside,
        "outside": (from_disk > 220) & inside,
        "rod": from_rod < 25,
        "where flats make rings": (from_axis > 10) & (from_axis < 40),
        "three columns about the axis": from_axis < 30,
    }
    for name, region in regions.items():
        ratio = np.sqrt((foretold[region] ** 2).mean() / (found[region] ** 2).mean())
        assert ratio == pytest.approx(1, abs=SAME), name
    noisiest, calmest = found[regions["rod"]].mean(), found[regions["outside"]].mean()
    assert noisiest > 1.3 * calmest  # or else one number for all would have done


@pytest.mark.parametrize(("axis_column", "num_columns"), [(20.0, 41), (19.7, 41), (19.5, 40)])
@pytest.mark.parametrize("own", [1.0, 0.0])
def test_the_noise_of_every_voxel_about_the_axis_is_that_of_repeated_scans(
    axis_column: float, num_columns: int, own: float
) -> None:
    """On a column, beside it, between two; noise that flats draw as rings alone, and with the projections' own."""
    rng = np.random.default_rng(8)
    angles_deg, num, shared = evenly(60, 3.0), 1024, 0.3
    noise = own * rng.standard_normal((60, num, num_columns)) + shared * rng.standard_normal((num, num_columns))
    scan = Scan(noise.astype(np.float32), angles_deg, axis_column, PIXEL_UM)
    found = NativeEngine().reconstruct(scan).std(axis=0, dtype=np.float64)
    variances = IntegralVariances(
        np.full((60, 1, num_columns), own**2, np.float32), np.full((1, num_columns), shared**2, np.float32)
    )
    foretold = VoxelNoise(angles_deg, axis_column, PIXEL_UM, num_columns).per_cm(variances)[0]
    place = np.arange(num_columns) - (num_columns - 1) / 2
    near = np.hypot(place[:, None], place) < 8
    # 1024 repetitions: a standard deviation is good to 2.2 %, and of 200 the worst is three times as far off
    np.testing.assert_allclose(foretold[near], found[near], rtol=SAME)
    assert np.median(foretold[near] / found[near]) == pytest.approx(1, abs=0.02)


def test_sources_that_act_on_some_projections_only_add_up_to_the_noise_of_repeated_scans() -> None:
    """Flats before and after the scan: one fades while the other comes."""
    rng = np.random.default_rng(9)
    num, after = 512, np.linspace(0, 1, 60)
    levers = np.stack([1 - after, after])
    noise = np.einsum("sk,src->krc", levers, rng.standard_normal((2, num, 41)))
    found = NativeEngine().reconstruct(Scan(noise.astype(np.float32), evenly(60, 3.0), 20.3, PIXEL_UM)).std(axis=0)
    rays = RayVariances(np.zeros((60, 1, 41), np.float32), 1, 0.0, np.ones((2, 1, 41), np.float32))
    foretold = VoxelNoise(evenly(60, 3.0), 20.3, PIXEL_UM, 41, levers=levers).of_rays(rays)[0]
    place = np.arange(41) - 20.0
    near, seen = np.hypot(place[:, None], place) < 8, np.isfinite(foretold)
    np.testing.assert_allclose(foretold[near], found[near], rtol=0.14)  # four and a half times 3.1 %
    assert (foretold[seen] ** 2).mean() == pytest.approx((found[seen] ** 2).mean(), rel=0.05)


def test_a_region_is_cut_out_of_the_whole_slice() -> None:
    rays = RayVariances(np.ones((60, 2, 41), np.float32), 1, 0.0, np.ones((1, 2, 41), np.float32))
    noise = VoxelNoise(evenly(60, 3.0), 20.3, PIXEL_UM, 41)
    part = noise.of_rays(rays, (18, 30, 3, 21))
    np.testing.assert_array_equal(part, noise.of_rays(rays)[:, 3:21, 18:30])


def test_twice_the_photons_give_the_noise_over_root_two_and_half_the_pixel_twice_the_noise() -> None:
    shared = np.zeros((1, 32), np.float32)
    once, twice = (IntegralVariances(np.full((40, 1, 32), v, np.float32), shared) for v in (0.02, 0.01))
    angles_deg = evenly(40, 4.5)
    coarse, fine = (VoxelNoise(angles_deg, 15.5, pixel_um, 32) for pixel_um in (10.0, 5.0))
    noise = coarse.per_cm(once).astype(np.float64)
    np.testing.assert_allclose(coarse.per_cm(twice) * np.float64(2**0.5), noise, rtol=1e-5)
    np.testing.assert_allclose(fine.per_cm(once).astype(np.float64), 2 * noise, rtol=1e-5)


def test_noise_of_blocks_falls_faster_than_with_the_root_of_their_voxels() -> None:
    """Voxels side by side are anticorrelated by the ramp."""
    variances = IntegralVariances(np.full((40, 8, 64), 0.02, np.float32), np.zeros((8, 64), np.float32))
    noise = [VoxelNoise(evenly(40, 4.5), 31.5, 10.0, 64, binning=num).per_cm(variances) for num in (1, 2, 4, 8)]
    single, two, four, eight = (float(np.nanmean(part)) for part in noise)
    assert two < single / 2 * 1.1
    assert four < two / 2 * 0.9
    assert eight < four / 2 * 0.85


def test_variances_that_do_not_fit_the_scan_are_refused() -> None:
    variances = IntegralVariances(np.ones((4, 2, 8), np.float32), np.ones((2, 8), np.float32))
    with pytest.raises(ProjectionError, match="with 3 projections"):
        VoxelNoise(np.arange(3.0), 3.5, 1.0, 8).per_cm(variances)
    with pytest.raises(ProjectionError, match="2 rows are fewer than the 3"):
        VoxelNoise(np.arange(4.0), 3.5, 1.0, 8, binning=3).per_cm(variances)
    with pytest.raises(ProjectionError, match="binning of 0"):
        VoxelNoise(np.arange(4.0), 3.5, 1.0, 8, binning=0)
