"""Damaged scans end in a sentence or in counted losses, never in other grey values."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from live_analysis.final_volume.making import MadeVolume
from live_analysis.final_volume.plan import VolumeSettings
from live_analysis.final_volume.raw_scan import VolumeError
from tests.live_analysis.final_volume.scans import SETTINGS, SMALL, begun, made, opened, voxels, written

GREY_PER_CM = 0.02  # half a per cent of the sample's 4/cm


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A good file and the mean of its volume."""
    folder = tmp_path_factory.mktemp("good")
    file = written(folder / "scan.h5")
    made(folder / "v.zarr", opened(file))
    return file, mean(folder / "v.zarr")


@pytest.fixture
def file(whole: tuple[Path, float], tmp_path: Path) -> Path:
    """A copy to damage."""
    copy = tmp_path / "scan.h5"
    copy.write_bytes(whole[0].read_bytes())
    return copy


def mean(out: Path) -> float:
    return float(np.nanmean(voxels(out)))


def replaced(file: Path, name: str, values: Any) -> None:
    with h5py.File(file, "r+") as opened_file:
        del opened_file[f"exchange/{name}"]
        opened_file[f"exchange/{name}"] = values


def values_of(file: Path, name: str) -> Any:
    with h5py.File(file) as opened_file:
        return opened_file[f"exchange/{name}"][()]


def volume_of(file: Path) -> MadeVolume:
    return made(file.with_suffix(".zarr"), opened(file))


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_projections_of_nan_or_infinity_are_left_out_and_counted(file: Path, whole: tuple[Path, float]) -> None:
    data = values_of(file, "data").astype(np.float32)
    data[7], data[8], data[40] = np.nan, np.inf, -np.inf
    replaced(file, "data", data)
    volume = volume_of(file)
    assert volume.totals()["most_projections_left_out"] == 3
    assert "projections_left_out" in volume.totals()["flags"]
    assert mean(file.with_suffix(".zarr")) == pytest.approx(whole[1], abs=GREY_PER_CM)


def test_the_axis_is_found_also_without_the_first_and_the_last_projections(file: Path) -> None:
    data = values_of(file, "data").astype(np.float32)
    data[[0, 1, 88, 89]] = np.nan
    replaced(file, "data", data)
    plan = begun(file.with_suffix(".zarr"), opened(file), VolumeSettings()).plan
    assert plan.axis.column == pytest.approx(SMALL.axis_column, abs=3 * plan.axis.uncertainty)


def test_projections_taken_with_a_closed_shutter_are_left_out_and_counted(
    file: Path, whole: tuple[Path, float]
) -> None:
    data = values_of(file, "data")
    data[30:34] = 100  # the dark
    replaced(file, "data", data)
    assert volume_of(file).totals()["most_projections_left_out"] == 4
    assert mean(file.with_suffix(".zarr")) == pytest.approx(whole[1], abs=GREY_PER_CM)


def test_saturated_projections_are_left_out_and_counted(file: Path, whole: tuple[Path, float]) -> None:
    data = values_of(file, "data")
    data[30:34] = 65_535
    replaced(file, "data", data)
    volume = volume_of(file)
    assert volume.totals()["most_projections_left_out"] == 4
    assert volume.beam.intensity.source.startswith("air in")  # the others are still followed
    assert mean(file.with_suffix(".zarr")) == pytest.approx(whole[1], abs=GREY_PER_CM)


def test_counts_of_more_than_sixteen_bits_are_not_saturated(file: Path, whole: tuple[Path, float]) -> None:
    for name in ("data", "data_white", "data_dark"):
        replaced(file, name, values_of(file, name).astype(np.uint32) * 40)
    assert not volume_of(file).plan.flags
    assert mean(file.with_suffix(".zarr")) == pytest.approx(whole[1], abs=GREY_PER_CM)


def test_a_camera_of_fewer_bits_that_is_saturated_gives_no_absolute_grey_values(file: Path) -> None:
    limit = np.quantile(values_of(file, "data_white"), 0.99).astype(np.uint16)
    for name in ("data", "data_white"):
        replaced(file, name, np.minimum(values_of(file, name), limit))
    assert {"flats_saturated", "grey_values_not_absolute"} <= set(volume_of(file).plan.flags)


def test_single_pixels_of_nan_are_repaired_and_counted(file: Path, whole: tuple[Path, float]) -> None:
    data = values_of(file, "data").astype(np.float32)
    data[5, 3, 20:23], data[5, 3, 23] = np.nan, np.inf
    data[50:53, 11, 30] = np.nan
    replaced(file, "data", data)
    volume = volume_of(file)
    assert volume.totals()["num_repaired_pixels"] == 7
    assert volume.totals()["most_projections_left_out"] == 0
    assert mean(file.with_suffix(".zarr")) == pytest.approx(whole[1], abs=GREY_PER_CM)


def test_hits_on_the_sensor_are_taken_out_and_counted(file: Path, whole: tuple[Path, float]) -> None:
    data = values_of(file, "data")
    data[[5, 25, 60], [3, 9, 15], [30, 33, 28]] = 65_000
    replaced(file, "data", data)
    volume = volume_of(file)
    assert volume.totals()["num_zingers"] == 3
    assert mean(file.with_suffix(".zarr")) == pytest.approx(whole[1], abs=GREY_PER_CM)


def test_dead_pixels_of_the_flat_are_repaired_and_counted(file: Path, whole: tuple[Path, float]) -> None:
    flats = values_of(file, "data_white")
    flats[:, 10, 12] = 0
    replaced(file, "data_white", flats)
    assert volume_of(file).totals()["num_repaired_pixels"] == SMALL.num_projections
    assert mean(file.with_suffix(".zarr")) == pytest.approx(whole[1], abs=GREY_PER_CM)


def test_blank_flats_and_darks_with_light_are_left_out_and_flagged(file: Path, whole: tuple[Path, float]) -> None:
    flats, darks = values_of(file, "data_white"), values_of(file, "data_dark")
    flats[3], darks[1] = 0, flats[0]
    replaced(file, "data_white", flats)
    replaced(file, "data_dark", darks)
    volume = volume_of(file)
    assert volume.beam.num_left_out == 2
    assert "darks_or_flats_left_out" in volume.plan.flags
    assert mean(file.with_suffix(".zarr")) == pytest.approx(whole[1], abs=GREY_PER_CM)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("data_white", lambda flats: 0 * flats, "nowhere brighter"),
        ("data_white", lambda flats: np.full_like(flats, 65_535), "overexposed"),
        ("data_white", lambda flats: flats * np.nan, "none of the 10 flats can be used"),
        ("data_white", lambda flats: flats[:, :, :-1], "flats have 20 rows x 63 columns, projections 20 x 64"),
        ("data_white", lambda flats: flats[:0], "no flats"),
        ("data_dark", lambda darks: darks + 60_000, "nowhere brighter"),
        ("data", lambda data: 0 * data, "through no row"),
        ("theta", lambda theta: theta[:-1], "90 projections but 89 angles"),
        ("theta", lambda theta: np.radians(theta), "look like radians"),
        ("theta", lambda theta: 0 * theta, "at least two"),
        ("theta", lambda theta: theta / 3, "cover 3[0-9]% of the half turn"),
        ("theta", lambda theta: np.where(theta > 20, theta, np.nan), "11 of 90 angles are not numbers"),
        ("theta", lambda theta: np.where(theta < 160, theta, 1e300), r"the angle of projection 80 is 1e\+300 deg"),
    ],
)
def test_what_cannot_be_a_scan_is_refused_with_a_sentence(file: Path, name: str, change: Any, said: str) -> None:
    replaced(file, name, change(values_of(file, name)))
    with pytest.raises(VolumeError, match=said):
        begun(file.with_suffix(".zarr"), opened(file))
    assert not file.with_suffix(".zarr").exists()


def test_repeated_angles_share_their_weight_and_are_counted(file: Path, whole: tuple[Path, float]) -> None:
    theta, data = values_of(file, "theta"), values_of(file, "data")
    replaced(file, "theta", np.concatenate([theta, theta[10:30]]))
    replaced(file, "data", np.concatenate([data, data[10:30]]))
    volume = volume_of(file)
    assert volume.plan.num_repeated_angles == 20
    assert mean(file.with_suffix(".zarr")) == pytest.approx(whole[1], abs=GREY_PER_CM)


def test_half_a_file_is_refused_with_its_name(file: Path) -> None:
    scan = opened(file)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(VolumeError, match=r"scan\.h5.*Copy the file again"):
        begun(file.with_suffix(".zarr"), scan, SETTINGS)


def test_rows_that_no_beam_comes_through_are_nan_and_counted(file: Path) -> None:
    data = values_of(file, "data")
    data[:, 14:] = 100
    replaced(file, "data", data)
    volume = volume_of(file)
    assert volume.plan.seen_rows == (0, 14)
    assert volume.totals()["num_rows_without_beam"] == 6
    found = voxels(file.with_suffix(".zarr"))
    assert np.isnan(found[14:]).all()
    assert np.isfinite(found[:14, 32, 32]).all()


def test_a_dead_row_of_the_detector_is_repaired_and_counted(file: Path, whole: tuple[Path, float]) -> None:
    flats, data = values_of(file, "data_white"), values_of(file, "data")
    flats[:, 9], data[:, 9] = 100, 100
    data[0, 5:] = 100  # and half of the first projection is dark
    replaced(file, "data_white", flats)
    replaced(file, "data", data)
    volume = volume_of(file)
    assert volume.plan.seen_rows == (0, 20)
    assert volume.totals()["num_repaired_pixels"] >= 64 * (SMALL.num_projections - 1)
    assert mean(file.with_suffix(".zarr")) == pytest.approx(whole[1], abs=GREY_PER_CM)


def test_rows_with_too_few_projections_are_nan_and_counted(file: Path) -> None:
    data = values_of(file, "data").astype(np.float32)
    data[2:21, 8:12] = np.nan  # the detector lost a module for a while ...
    data[24:44, 8:12] = np.nan
    data[46:67, 8:12] = np.nan
    replaced(file, "data", data)
    totals = volume_of(file).totals()
    assert totals["num_rows_lost"] >= 4
    assert "rows_lost" in totals["flags"]
    assert np.isnan(voxels(file.with_suffix(".zarr"))[9]).all()
