"""Recorded scans as other people bring them: each gives the right axis, or says that it does not know."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from live_analysis.results import AnalysisRun
from operando.model.measurement import Measurement
from simulators.recorded_data import AngleUnit, RecordedScanError
from simulators.recorded_scan import load_recorded_scan
from tests.support.strange_scan import BODY_PER_PIXEL, BODY_RADIUS, COLUMNS, DARK, StrangeScan, analysed

MIDDLE = (COLUMNS - 1) / 2
TOLERANCE_COLUMNS = 0.5  # half a column moves an edge by half a voxel
HALF_TURN_DEG = np.linspace(0.0, 180.0, 91)
JITTER_DEG = np.random.default_rng(1).uniform(-0.6, 0.6, 91)


def axis_of(run: AnalysisRun) -> Measurement:
    assert run.failures == ()
    return next(entry for entry in run.events.values() if entry.name == "rotation_axis")


def replayed(scan: StrangeScan, folder: Path) -> Measurement:
    return axis_of(analysed(load_recorded_scan(scan.write_data_exchange(folder / "scan.h5")), folder / "run"))


@pytest.mark.parametrize(
    "angles_deg",
    [
        pytest.param(HALF_TURN_DEG, id="0 to 180 inclusive"),
        pytest.param(np.arange(180.0), id="0 to 179"),
        pytest.param(-HALF_TURN_DEG, id="clockwise"),
        pytest.param(np.arange(181) * 2.0, id="whole turn"),
        pytest.param(np.arange(180) * 4.0, id="two turns"),
        pytest.param(np.arange(91) * 111.246 % 180, id="golden ratio"),
        pytest.param(HALF_TURN_DEG + JITTER_DEG, id="uneven"),
        pytest.param(np.arange(13) * 15.0, id="13 projections"),
    ],
)
def test_the_axis_is_found_whichever_way_the_stage_turned(angles_deg: np.ndarray, tmp_path: Path) -> None:
    axis = replayed(StrangeScan(angles_deg), tmp_path)
    assert axis.value == pytest.approx(62.3, abs=TOLERANCE_COLUMNS)
    assert "rotation_axis_uncertain" not in axis.flags
    assert axis.num_frames == len(angles_deg)


@pytest.mark.parametrize("offset", [-24.0, 16.0, 24.0])
@pytest.mark.parametrize("angles_deg", [HALF_TURN_DEG[:-1], np.arange(180) * 2.0], ids=["half turn", "whole turn"])
def test_an_axis_a_fifth_of_the_view_off_centre_is_found(offset: float, angles_deg: np.ndarray, tmp_path: Path) -> None:
    axis = replayed(StrangeScan(angles_deg, axis_column=MIDDLE + offset), tmp_path)
    assert axis.value == pytest.approx(MIDDLE + offset, abs=TOLERANCE_COLUMNS)


def test_zingers_and_dead_columns_do_not_move_the_axis(tmp_path: Path) -> None:
    scan = StrangeScan()
    scan.projections[np.random.default_rng(3).random(scan.projections.shape) < 2e-4] = 65_000
    for stack in (scan.projections, scan.flats, scan.darks):
        stack[:, :, [20, 57, 90]] = 200
    assert replayed(scan, tmp_path).value == pytest.approx(62.3, abs=TOLERANCE_COLUMNS)


@pytest.mark.parametrize(("dtype", "factor"), [("u1", 1 / 81), ("i4", 40.0), ("f4", 1 / 20_200), ("f8", 1.0)])
def test_counts_of_any_type_give_the_same_axis(dtype: str, factor: float, tmp_path: Path) -> None:
    scan = StrangeScan()
    for name in ("projections", "flats", "darks"):
        setattr(scan, name, (getattr(scan, name) * factor).astype(dtype))
    assert replayed(scan, tmp_path).value == pytest.approx(62.3, abs=TOLERANCE_COLUMNS)


def without_object() -> StrangeScan:
    scan = StrangeScan()
    scan.projections = scan.flats[np.arange(91) % 3]
    return scan


def stuck() -> StrangeScan:
    scan = StrangeScan()
    scan.projections[:, :, [20, 57, 90]] = scan.flats[:, :, [20, 57, 90]] = 9000
    return scan


def dimmer_flats() -> StrangeScan:
    scan = StrangeScan()
    scan.flats[:, :, 10:14] //= 2
    return scan


def single_row() -> StrangeScan:
    scan = StrangeScan()
    for name in ("projections", "flats", "darks"):
        setattr(scan, name, getattr(scan, name)[:, 20:21])
    return scan


@pytest.mark.parametrize("make", [stuck, dimmer_flats, single_row])
def test_what_does_not_turn_with_the_sample_does_not_hide_its_axis(make: object, tmp_path: Path) -> None:
    assert callable(make)
    axis = replayed(make(), tmp_path)
    assert axis.value == pytest.approx(62.3, abs=TOLERANCE_COLUMNS)
    assert "rotation_axis_uncertain" not in axis.flags


@pytest.mark.parametrize("make", [without_object, lambda: StrangeScan(HALF_TURN_DEG[:71])])
def test_an_axis_that_cannot_be_told_has_an_uncertainty_that_says_so(make: object, tmp_path: Path) -> None:
    assert callable(make)
    axis = replayed(make(), tmp_path)
    assert axis.uncertainty > 1.0
    assert abs(axis.value - 62.3) < 3 * axis.uncertainty


def beam_that_faded() -> StrangeScan:
    scan = StrangeScan()
    fading = np.linspace(1.0, 0.8, 91)[:, None, None]
    scan.projections = (DARK + (scan.projections - DARK) * fading).clip(0).astype(np.uint16)
    return scan


def truncated() -> StrangeScan:
    scan = StrangeScan()
    for name in ("projections", "flats", "darks"):
        setattr(scan, name, getattr(scan, name)[:, :, 35:90])
    return scan


@pytest.mark.parametrize(
    ("make", "are_absolute"),
    [(StrangeScan, True), (dimmer_flats, False), (beam_that_faded, False), (truncated, False)],
)
def test_grey_values_are_absolute_where_the_object_ends_in_air_that_is_transparent(
    make: object, are_absolute: bool, tmp_path: Path
) -> None:
    assert callable(make)
    assert ("grey_values_not_absolute" not in replayed(make(), tmp_path).flags) == are_absolute
    with h5py.File(tmp_path / "run" / "volumes" / "0001" / "slices.h5") as file:
        slice_per_cm, voxel_um = file["xy"][()], file["xy"].attrs["voxel_size_um"]
        assert ("grey_values_not_absolute" not in file.attrs["flags"]) == are_absolute
    y, x = np.indices(slice_per_cm.shape) - (len(slice_per_cm) - 1) / 2
    body = np.nanmedian(slice_per_cm[np.hypot(x, y) < BODY_RADIUS - 4])
    # The disc holds some of the denser spheres, which lift its median by 1 %.
    if are_absolute:
        assert body == pytest.approx(BODY_PER_PIXEL / (voxel_um * 1e-4), rel=0.02)


def write_tiffs(scan: StrangeScan, folder: Path, angles: str) -> Path:
    folder.mkdir()
    tifffile.imwrite(folder / "projections.tif", scan.projections, photometric="minisblack")  # one file of many pages
    tifffile.imwrite(folder / "flat_before.tif", scan.flats, photometric="minisblack")
    tifffile.imwrite(folder / "flat_after.tif", scan.flats, photometric="minisblack")
    tifffile.imwrite(folder / "dark.tif", scan.darks.astype("i4"), photometric="minisblack")
    (folder / "angles.txt").write_text(angles, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "angles",
    [
        "\n".join(f"{angle:.2f}" for angle in HALF_TURN_DEG),
        "angle_deg\n" + "\n".join(f"{angle:.2f}" for angle in HALF_TURN_DEG),
        "# recorded on Monday\n" + " ".join(f"{angle:.2f}" for angle in HALF_TURN_DEG),
        "number, angle\n" + "\n".join(f"{number}, {angle:.2f}" for number, angle in enumerate(HALF_TURN_DEG)),
        "\n".join(f"{angle:.2f}" for angle in [0.0, 0.0, *HALF_TURN_DEG, 180.0, 180.0]),
    ],
    ids=["plain", "heading", "one line", "counted", "stage stood still"],
)
def test_a_list_of_angles_is_understood(angles: str, tmp_path: Path) -> None:
    scan = load_recorded_scan(write_tiffs(StrangeScan(), tmp_path / "scan", angles))
    assert scan.angles_deg == pytest.approx(HALF_TURN_DEG)
    assert scan.projections.shape[0] == 91
    assert scan.flats.shape[0] == 6


@pytest.mark.parametrize(
    ("angles", "said"),
    [
        ("\n".join(f"{angle:.2f}" for angle in [*HALF_TURN_DEG, 182.0]), "92 angles for 91 projections"),
        ("\n".join(f"{angle:.2f}" for angle in [-2.0, *HALF_TURN_DEG, 182.0]), "93 angles for 91 projections"),
        ("\n".join(f"{angle} 17.5 1.0" for angle in HALF_TURN_DEG), "up to 3 numbers on a line"),
        ("\n".join(f"{number} {30 + number % 7}" for number in np.linspace(5, 9, 91)), "up to 2 numbers on a line"),
        ("\n".join(["0", *["later"] * 90]), "could not convert"),
        ("", "0 angles for 91 projections"),
    ],
    ids=["one too many", "surplus that turns", "three columns", "two columns", "words", "empty"],
)
def test_a_list_of_angles_that_could_be_misread_is_refused(angles: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(RecordedScanError, match=said):
        load_recorded_scan(write_tiffs(StrangeScan(), tmp_path / "scan", angles))


def test_few_angles_in_radians_without_a_unit_are_not_taken_for_degrees(tmp_path: Path) -> None:
    scan = StrangeScan(np.linspace(0.0, 180.0, 13))
    path = scan.write_data_exchange(tmp_path / "scan.h5", theta=np.radians(scan.angles_deg), units=None)
    with pytest.raises(RecordedScanError, match="look like radians"):
        load_recorded_scan(path)
    assert load_recorded_scan(path, angle_unit=AngleUnit.RADIANS).angles_deg == pytest.approx(scan.angles_deg)


def test_an_nxtomo_of_interleaved_kinds_among_other_entries_is_read(tmp_path: Path) -> None:
    scan = StrangeScan()
    # darks, flats, half the projections, flats, a frame marked invalid, the other half, flats
    order = [*[(2, i) for i in range(3)], *[(1, i) for i in range(3)], *[(0, i) for i in range(45)], (1, 0), (3, 45)]
    order += [*[(0, i) for i in range(45, 91)], (1, 1)]
    stacks = {0: scan.projections, 1: scan.flats, 2: scan.darks, 3: scan.projections * 0}
    path = tmp_path / "scan.nxs"
    with h5py.File(path, "w") as file:
        earlier = file.create_group("a_first_entry/sample")  # of another scan with as many frames
        earlier.parent.attrs["NX_class"], earlier.attrs["NX_class"] = "NXentry", "NXsample"
        earlier["rotation_angle"] = np.zeros(len(order))
        for name, kind in (
            ("scan", "NXentry"), ("scan/tomo", "NXsubentry"), ("scan/tomo/instrument", "NXinstrument"),
            ("scan/tomo/instrument/camera", "NXdetector"), ("scan/tomo/sample", "NXsample"),
        ):  # fmt: skip
            file.create_group(name).attrs["NX_class"] = kind
        file["scan/tomo/instrument/camera/data"] = np.stack([stacks[key][index] for key, index in order])
        file["scan/tomo/instrument/camera/image_key"] = [key for key, _ in order]
        angles_deg = [scan.angles_deg[index] if key in (0, 3) else 0.0 for key, index in order]
        file["scan/tomo/sample/rotation_angle"] = angles_deg
        file["scan/tomo/sample/rotation_angle"].attrs["units"] = "degree"
    recorded = load_recorded_scan(path)
    assert recorded.angles_deg == pytest.approx(scan.angles_deg)
    assert (recorded.flats.shape[0], recorded.darks.shape[0]) == (5, 3)
    assert any("before and after, or among" in note for note in recorded.notes)
    assert axis_of(analysed(recorded, tmp_path / "run")).value == pytest.approx(62.3, abs=TOLERANCE_COLUMNS)
