"""Volumes made slab by slab."""

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from live_analysis.engines.registry import engine_named
from live_analysis.final_volume.making import make_slabs
from live_analysis.final_volume.raw_scan import RawScan, VolumeError
from live_analysis.final_volume.slab_journal import only_writer
from tests.live_analysis.final_volume.scans import SETTINGS, SMALL, begun, changed, made, opened, truth, voxels, written


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks so small that those in the corners of a slice lie outside the view."""
    monkeypatch.setattr("live_analysis.final_volume.ome_zarr.CHUNK_COLUMNS", 8)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("scan") / "scan.h5")


@pytest.fixture
def scan(file: Path) -> RawScan:
    return opened(file)


def test_voxels_are_attenuation_in_1_per_cm(scan: RawScan, tmp_path: Path) -> None:
    volume = made(tmp_path / "v.zarr", scan)
    assert volume.plan.num_slabs > 2
    assert volume.complete
    found, true = voxels(tmp_path / "v.zarr"), truth(SMALL, 64)
    seen = np.isfinite(found)
    assert seen.mean() > 0.7  # a circle in its square
    # 0.3 %: twice what noise of 5e4 photons in 90 projections leaves of the mean of 60,000 voxels
    assert found[seen].sum() == pytest.approx(true[seen].sum(), rel=0.003)
    assert np.corrcoef(found[seen], true[seen])[0, 1] > 0.95
    assert volume.plan.grey_values_absolute


def test_height_of_slabs_changes_no_voxel(scan: RawScan, tmp_path: Path) -> None:
    low, high = made(tmp_path / "low.zarr", scan), made(tmp_path / "high.zarr", scan, memory_bytes=2_000_000_000)
    assert low.plan.num_slabs > high.plan.num_slabs == 1
    np.testing.assert_allclose(voxels(tmp_path / "low.zarr"), voxels(tmp_path / "high.zarr"), atol=1e-4)  # 1/cm, of 12


def test_rows_and_region_are_cut_out_of_the_same_volume(scan: RawScan, tmp_path: Path) -> None:
    made(tmp_path / "all.zarr", scan)
    made(tmp_path / "part.zarr", scan, replace(SETTINGS, rows=(5, 14), region=(10, 40, 20, 60)))
    whole, part = voxels(tmp_path / "all.zarr"), voxels(tmp_path / "part.zarr")
    assert part.shape == (9, 40, 30)
    # the threshold for zingers follows from the noise of the rows that are wanted; none is there
    np.testing.assert_allclose(part, whole[5:14, 20:60, 10:40], atol=1e-4)


def test_places_are_counted_from_the_rotation_axis_and_the_first_row(scan: RawScan, tmp_path: Path) -> None:
    out = tmp_path / "part.zarr"
    made(out, scan, replace(SETTINGS, rows=(4, 20), region=(10, 40, 20, 60), num_levels=2))
    about = json.loads((out / ".zattrs").read_text())
    finest, coarse = about["multiscales"][0]["datasets"]
    assert finest["coordinateTransformations"] == [
        {"type": "scale", "scale": [20.0, 20.0, 20.0]},
        {"type": "translation", "translation": [80.0, (20 - 31.5) * 20, (10 - 31.5) * 20]},
    ]
    # the middle of a voxel of two is half a voxel further on
    assert coarse["coordinateTransformations"][1]["translation"] == [90.0, (20 - 31) * 20, (10 - 31) * 20]
    assert {axis["unit"] for axis in about["multiscales"][0]["axes"]} == {"micrometer"}
    assert about["operando"]["unit"] == "1/cm"
    assert about["operando"]["complete"] is True
    assert about["operando"]["grey_values_absolute"] is True


def test_pixels_that_are_off_leave_no_rings_and_are_counted(file: Path, tmp_path: Path) -> None:
    striped = tmp_path / "scan.h5"
    striped.write_bytes(file.read_bytes())
    with h5py.File(striped, "r+") as opened_file:
        data = opened_file["exchange/data"]
        data[:, :, 20] = (data[:, :, 20] * 0.9).astype(np.uint16)
    scan = opened(striped)
    without = made(tmp_path / "without.zarr", scan)
    made(tmp_path / "with.zarr", scan, replace(SETTINGS, keep_stripes=True))
    made(tmp_path / "good.zarr", opened(file))
    good = voxels(tmp_path / "good.zarr")
    rings, left = (np.nanstd(voxels(tmp_path / name) - good) for name in ("with.zarr", "without.zarr"))
    assert left < rings / 4
    assert without.totals()["num_detector_pixels_off"] >= 18  # of the 20 in that column


def test_coarse_levels_are_those_of_the_whole_volume(scan: RawScan, tmp_path: Path) -> None:
    volume = made(tmp_path / "v.zarr", scan, replace(SETTINGS, num_levels=3))
    assert volume.plan.num_slabs > 1
    for level in (1, 2):
        fine = voxels(tmp_path / "v.zarr", level - 1)
        num_z, num_y, num_x = (num // 2 for num in fine.shape)
        eight = fine.reshape(num_z, 2, num_y, 2, num_x, 2)
        seen = np.isfinite(eight)
        with np.errstate(invalid="ignore"):
            mean = np.where(seen, eight, 0).sum(axis=(1, 3, 5)) / seen.sum(axis=(1, 3, 5))
        np.testing.assert_allclose(voxels(tmp_path / "v.zarr", level), mean, rtol=1e-4, atol=1e-5)


def test_a_stopped_volume_goes_on_and_ends_as_if_it_had_not_been(scan: RawScan, tmp_path: Path) -> None:
    made(tmp_path / "straight.zarr", scan)
    out = tmp_path / "stopped.zarr"
    volume = begun(out, scan)
    steps = list(islice(make_slabs(volume, scan, engine_named("native")), 3))
    assert [step.num_done for step in steps] == [0, 1, 2]
    assert steps[2].left_s > 0
    assert json.loads((out / ".zattrs").read_text())["operando"]["complete"] is False
    again = begun(out, scan)
    assert sorted(again.slabs) == [0, 1]
    made(out, scan)
    np.testing.assert_array_equal(voxels(out), voxels(tmp_path / "straight.zarr"))


@pytest.mark.usefixtures("small_chunks")
def test_a_slab_whose_chunk_is_missing_or_cut_short_is_made_again(scan: RawScan, tmp_path: Path) -> None:
    out = tmp_path / "v.zarr"
    made(out, scan)
    whole = voxels(out)
    outside, last = out / "0" / "0" / "0" / "0", out / "0" / "4" / "4" / "4"
    outside.unlink()
    last.write_bytes(last.read_bytes()[:100])
    with (out / "slabs.jsonl").open("a") as journal:
        for nonsense in ("[1, 2]", '"x"', '{"index": [4]}', '{"index": 4', ""):
            journal.write(nonsense + "\n")
        for index in ("7", '"0"', "[1]", "null"):  # no slab of this volume has no files
            journal.write(
                f'{{"index": {index}, "num_bytes": 0, "losses": {{}}, "num_rows_lost": 0, "stripes": {{}}}}\n'
            )
    assert begun(out, scan).missing() == [0, 4]
    made(out, scan)
    np.testing.assert_array_equal(voxels(out), whole)


def test_raw_data_that_change_on_the_way_give_no_volume(file: Path, tmp_path: Path) -> None:
    changing = tmp_path / "scan.h5"
    changing.write_bytes(file.read_bytes())
    out, scan = tmp_path / "v.zarr", opened(changing)
    steps = make_slabs(begun(out, scan), scan, engine_named("native"))
    next(steps), next(steps)
    with h5py.File(changing, "r+") as opened_file:
        opened_file["exchange/data"][:] = opened_file["exchange/data"][:][:, :, ::-1]
    with pytest.raises(VolumeError, match="changed while"):
        list(steps)
    changing.write_bytes(file.read_bytes())
    assert not begun(out, scan).slabs


def test_other_settings_or_other_raw_data_are_refused(scan: RawScan, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "v.zarr"
    begun(out, scan)
    with pytest.raises(VolumeError, match="rows is \\(2, 8\\) and was None"):
        begun(out, scan, replace(SETTINGS, rows=(2, 8)))
    with pytest.raises(VolumeError, match="other raw data"):
        begun(out, changed(scan, angles_deg=scan.angles_deg + 0.1))
    assert begun(out, scan, replace(SETTINGS, rows=(2, 8)), again=True).plan.rows == (2, 8)


def test_a_region_in_a_corner_that_not_every_direction_sees_is_refused(scan: RawScan, tmp_path: Path) -> None:
    with pytest.raises(VolumeError, match="begins 38 voxels from the rotation axis; only what lies within 31"):
        begun(tmp_path / "v.zarr", scan, replace(SETTINGS, region=(0, 5, 0, 6)))


def test_a_folder_of_something_else_is_left_alone(scan: RawScan, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("meow")
    for again in (False, True):
        with pytest.raises(VolumeError, match="no volume of ours"):
            begun(tmp_path / "photos", scan, again=again)
    assert (tmp_path / "photos" / "cat.jpg").exists()


def test_two_processes_do_not_write_one_volume(tmp_path: Path) -> None:
    with only_writer(tmp_path / "v.zarr"), pytest.raises(VolumeError, match="another process"):
        with only_writer(tmp_path / "v.zarr"):
            pass


def test_a_disk_without_room_is_refused_before_anything_is_written(
    scan: RawScan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=100_000))
    with pytest.raises(VolumeError, match=r"at least 0\.000229 GB are needed, 0\.0001 GB are free"):
        begun(tmp_path / "v.zarr", scan)
    assert not (tmp_path / "v.zarr").exists()


def test_too_little_memory_is_refused_with_what_is_needed(scan: RawScan, tmp_path: Path) -> None:
    with pytest.raises(VolumeError, match=r"needs 0\.5"):
        begun(tmp_path / "v.zarr", scan, memory_bytes=1_000_000)
