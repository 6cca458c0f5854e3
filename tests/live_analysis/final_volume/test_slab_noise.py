"""The uncertainty beside the volume: against repeated scans, and as whole as the volume itself."""

import json
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.corrections.counts_correction import Lean
from live_analysis.engines.registry import engine_named
from live_analysis.final_volume.declared import Declared
from live_analysis.final_volume.hdf5_frames import Hdf5Frames
from live_analysis.final_volume.making import make_slabs
from live_analysis.final_volume.plan import VolumeSettings
from live_analysis.final_volume.raw_scan import RawScan, VolumeError
from tests.live_analysis.final_volume.scans import SETTINGS, begun, changed, made, opened, voxels, written
from tests.live_analysis.phantoms import Detector, cylinder, evenly

NOISE = replace(SETTINGS, noise=True)
NUM_COLUMNS, ROWS, SCANS, PIXEL_UM = 64, 72, 3, 20.0
PHOTONS_PER_COUNT, READ_COUNTS, BEAM_COUNTS = 0.5, 3.0, 20_000.0


@dataclass(frozen=True)
class Frames:
    """Frames in memory."""

    counts: NDArray[np.uint16]
    whole_frames: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        num, num_rows, num_columns = self.counts.shape
        return num, num_rows, num_columns

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.counts.dtype

    def rows(self, begin: int, stop: int, first_row: int, stop_row: int) -> NDArray[Any]:
        return self.counts[begin:stop, first_row:stop_row]


def counted(
    rng: np.random.Generator, axis_column: float, *, turn_deg: float, num_flats: int, num_after: int
) -> RawScan:
    """A scan whose rows are all alike."""
    angles_deg = evenly(120, turn_deg / 120)
    detector = Detector(angles_deg, 1, NUM_COLUMNS, PIXEL_UM, axis_column)
    integrals = cylinder(detector, 300.0, 8.0, 30.0, -40.0) + cylinder(detector, 60.0, 30.0, 180.0, -200.0)
    beam = BEAM_COUNTS * np.exp(-0.5 * ((np.arange(NUM_COLUMNS) - 40) / 50) ** 2)

    def frames(num: int, counts: NDArray[np.float64]) -> Frames:
        photons = rng.poisson(np.broadcast_to(counts * PHOTONS_PER_COUNT, (num, ROWS, NUM_COLUMNS)))
        noisy = photons / PHOTONS_PER_COUNT + rng.normal(100, READ_COUNTS, photons.shape)
        return Frames(np.rint(noisy).astype(np.uint16))

    return RawScan(
        projections=frames(120, beam * np.exp(-integrals)),
        darks=frames(10, 0 * beam),
        flats=frames(num_flats, beam),
        flats_after=frames(num_after, beam) if num_after else None,
        angles_deg=angles_deg,
        scan_fractions=np.linspace(0.01, 0.99, 120) if num_after else None,
        pixel_size_um=PIXEL_UM,
        energy_kev=None,
        num_expected=None,
        source="memory",
    )


@dataclass(frozen=True)
class Case:
    """How scans are taken and what is done to them."""

    axis_column: float = 31.0  # on a column: there the axis is noisiest
    turn_deg: float = 180.0
    num_flats: int = 10
    num_after: int = 0
    keep_stripes: bool = True
    phase_um: float | None = None
    lean: Lean | None = None


CASES = {
    "flats make rings": Case(num_flats=6, num_after=6),
    "stripes taken off": Case(keep_stripes=False, num_flats=40),
    "lean taken out, phase retrieved, full turn joined": Case(
        turn_deg=360.0, axis_column=20.3, lean=Lean(0.5, 80.0, 20.0), phase_um=12.0
    ),
}


def noise_of(out: Path) -> NDArray[np.float32]:
    return voxels(out / "noise")


@pytest.mark.parametrize("name", CASES)
def test_the_uncertainty_is_the_scatter_of_repeated_scans(name: str, tmp_path: Path) -> None:
    case, rng, out = CASES[name], np.random.default_rng(7), tmp_path / "v.zarr"
    settings = VolumeSettings(axis_column=case.axis_column, noise=True, keep_stripes=case.keep_stripes)
    found, foretold = [], []
    for _ in range(SCANS):
        scan = counted(
            rng, case.axis_column, turn_deg=case.turn_deg, num_flats=case.num_flats, num_after=case.num_after
        )
        volume = begun(out, scan, settings, declared=Declared(phase_length_um=case.phase_um), again=True,
                       memory_bytes=2_000_000_000)  # fmt: skip
        volume.plan = replace(volume.plan, lean=case.lean)
        for _ in make_slabs(volume, scan, engine_named("native")):
            pass
        inner = slice(4, -4)  # phase retrieval mirrors the frame at its edges, which makes these rows noisier
        found.append(voxels(out)[inner])
        foretold.append(noise_of(out)[inner])
    # Rows are not quite alike where the axis leans: 64 rows of three scans are 128 values for each voxel.
    scatter = np.stack(found).var(axis=0, ddof=1, dtype=np.float64).mean(axis=0)
    told = (np.stack(foretold).astype(np.float64) ** 2).mean(axis=(0, 1))
    num = len(told)
    place = (np.arange(num) - (num - 1) / 2) * PIXEL_UM
    from_axis = np.hypot(place[:, None], place)
    from_rod = np.hypot(place[None, :] - 180, place[:, None] + 200)
    from_disk = np.hypot(place[None, :] - 30, place[:, None] + 40)
    regions = {
        "axis": from_axis < 30,
        "about the axis": from_axis < 100,
        "rod": from_rod < 50,
        "disk": (from_disk < 260) & (from_rod > 90) & (from_axis > 100),
        "air": (from_disk > 340) & (from_axis < 560),
    }
    assert (np.isfinite(told) == np.isfinite(scatter)).all()
    for region, inside in regions.items():
        # the four voxels at the axis, half of them independent: 4.4 %; what is left to the bar is the model's
        assert np.sqrt(told[inside].mean() / scatter[inside].mean()) == pytest.approx(1, abs=0.1), region
    if name == "flats make rings":
        assert told[regions["axis"]].mean() > 3 * told[regions["disk"]].mean()  # or else one number would have done


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("scan") / "scan.h5")


def test_slabs_rows_and_regions_have_the_uncertainty_of_the_whole_volume(file: Path, tmp_path: Path) -> None:
    scan = opened(file)
    low, high = made(tmp_path / "low.zarr", scan, NOISE), made(tmp_path / "high.zarr", scan, NOISE, memory_bytes=10**10)
    assert low.plan.num_slabs > high.plan.num_slabs == 1
    whole = noise_of(tmp_path / "high.zarr")
    assert whole.shape == voxels(tmp_path / "high.zarr").shape
    assert (np.isfinite(whole) == np.isfinite(voxels(tmp_path / "high.zarr"))).all()
    np.testing.assert_allclose(noise_of(tmp_path / "low.zarr"), whole, rtol=0.005)  # rounded to 0.2 %
    made(tmp_path / "part.zarr", scan, replace(NOISE, rows=(5, 14), region=(10, 40, 20, 60)))
    np.testing.assert_allclose(noise_of(tmp_path / "part.zarr"), whole[5:14, 20:60, 10:40], rtol=0.005)


def test_a_stopped_volume_goes_on_with_its_uncertainty_and_says_what_that_is(file: Path, tmp_path: Path) -> None:
    scan, out, settings = opened(file), tmp_path / "v.zarr", replace(NOISE, num_levels=2)
    volume = begun(out, scan, settings)
    list(islice(make_slabs(volume, scan, engine_named("native")), 3))
    made(out, scan, settings)
    whole = noise_of(out)
    assert np.isfinite(whole[:, 32, 32]).all()
    (out / "noise" / "0" / "1" / "0" / "0").unlink()
    assert begun(out, scan, settings).missing() == [1]
    made(out, scan, settings)
    np.testing.assert_array_equal(noise_of(out), whole)
    with pytest.raises(VolumeError, match="noise is False and was True"):
        begun(out, scan, replace(settings, noise=False))
    about, volume_about = (json.loads((path / ".zattrs").read_text()) for path in (out / "noise", out))
    assert about["operando"]["unit"] == "1/cm"
    assert about["operando"]["quantity"] == "standard uncertainty of the attenuation"
    assert about["operando"]["camera"]["photons_per_count"] == pytest.approx(1, rel=0.05)
    assert about["operando"]["camera"]["num_flats"] == 10
    assert about["multiscales"][0]["datasets"] == volume_about["multiscales"][0]["datasets"][:1]


def test_what_is_not_known_is_refused_before_anything_is_written(file: Path, tmp_path: Path) -> None:
    scan, out = opened(file), tmp_path / "v.zarr"
    assert isinstance(scan.flats, Hdf5Frames)
    single = replace(scan.flats, indices=(0,))
    with pytest.raises(VolumeError, match=r"noise of voxels is not known.*at least two of each"):
        begun(out, changed(scan, flats=single), NOISE)
    with pytest.raises(VolumeError, match="engine astra: the noise of its voxels is not known"):
        begun(out, scan, replace(NOISE, engine="astra"))
    assert not out.exists()
    assert not made(out, changed(scan, flats=single)).plan.settings.noise
    assert not (out / "noise").exists()
