"""Views narrower than the object, full turns, axes off the middle, and tomograms of a run."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.ellipsoids import Ellipsoid, ScanOnDisk
from live_analysis.final_volume.declared import Declared
from live_analysis.final_volume.raw_scan import VolumeError
from live_analysis.final_volume.run_scan import scan_of_run
from live_analysis.run_follower import RunFollower
from operando.model.frames import FrameKind
from operando.model.geometry import CellGeometry
from tests.live_analysis.final_volume.scans import SETTINGS, SMALL, begun, made, opened, truth, voxels, written
from tests.support.phantom_run import AXIS_COLUMN, BORE_PER_CM, COLUMNS, PhantomRun

CYLINDERS = (Ellipsoid(0.0, 0.0, 0.0, 1.5, 1.5, 50.0, 0.0, 2.0), Ellipsoid(0.3, 0.2, 0.0, 0.3, 0.3, 50.0, 0.0, 3.0))


def of_disc(values: np.ndarray, radius: float, per_cm: np.ndarray) -> float:
    """Gain within a disc about the axis."""
    num = values.shape[1]
    y, x = np.mgrid[:num, :num] - (num - 1) / 2
    inside = np.hypot(x, y) < radius
    return float(values[:, inside].mean() / per_cm[:, inside].mean())


def test_a_full_turn_gives_the_same_attenuation_as_half_of_one(tmp_path: Path) -> None:
    turn = replace(SMALL, num_projections=180, turn_deg=360.0, num_rows=8)
    made(tmp_path / "v.zarr", opened(written(tmp_path / "scan.h5", turn)))
    found, true = voxels(tmp_path / "v.zarr"), truth(turn, 64)
    seen = np.isfinite(found)
    assert found[seen].sum() == pytest.approx(true[seen].sum(), rel=0.003)  # as the half turn


@pytest.mark.parametrize("axis_column", [14.2, 64 - 1 - 14.2])
def test_a_full_turn_about_an_axis_near_the_edge_shows_all_of_a_wider_object(
    tmp_path: Path, axis_column: float
) -> None:
    # The reach is 49 columns, the object's 1.3 x 32 = 42; the nearer edge of the view cuts it at 14.
    sample = (Ellipsoid(0.0, 0.0, 0.0, 1.3, 1.2, 50.0, 0.3, 2.0), Ellipsoid(0.8, 0.2, 0.0, 0.3, 0.2, 50.0, 0.0, 3.0))
    turn = ScanOnDisk(361, 4, 64, 20.0, axis_column, 360.0, 50_000.0, sample)
    out = tmp_path / "v.zarr"
    volume = made(out, opened(written(tmp_path / "scan.h5", turn)), replace(SETTINGS, axis_column=axis_column))
    assert volume.plan.extended
    assert volume.plan.square == 99
    assert volume.plan.grey_values_absolute
    found, true = voxels(out), truth(turn, 99)
    assert of_disc(found, 47.0, true) == pytest.approx(1, abs=0.005)  # half a per cent is the bar for untruncated views
    assert of_disc(found, 13.0, true) == pytest.approx(1, abs=0.01)  # noise of few voxels: 0.4 % from seed to seed
    inside = np.isfinite(found)
    assert np.corrcoef(found[inside], true[inside])[0, 1] > 0.95


def test_such_a_turn_may_lack_a_projection_and_end_where_it_began(tmp_path: Path) -> None:
    turn = ScanOnDisk(180, 4, 64, 20.0, 14.2, 360.0, 50_000.0, (Ellipsoid(0, 0, 0, 1.3, 1.2, 50.0, 0.3, 2.0),))
    scan = opened(written(tmp_path / "scan.h5", turn))
    kept = np.arange(180) != 77
    indices = (*(int(index) for index in np.flatnonzero(kept)), 0)
    angles_deg = np.append(scan.angles_deg[kept], 360.0)  # with 0 and 180 three of one direction
    lost = replace(scan, projections=replace(scan.projections, indices=indices), angles_deg=angles_deg)  # type: ignore[type-var]
    settings = replace(SETTINGS, axis_column=14.2)
    made(tmp_path / "v.zarr", lost, settings)
    found, true = voxels(tmp_path / "v.zarr"), truth(turn, 99)
    assert of_disc(found, 40.0, true) == pytest.approx(1, abs=0.005)


def test_a_pixel_of_millimetres_is_refused(tmp_path: Path) -> None:
    scan = opened(written(tmp_path / "scan.h5"))
    with pytest.raises(VolumeError, match=r"a pixel of 20000 um is none of a tomogram.*--pixel-size"):
        made(tmp_path / "v.zarr", replace(scan, pixel_size_um=20_000.0))


def test_a_truncated_view_without_a_declared_cell_says_that_its_grey_values_are_not_absolute(tmp_path: Path) -> None:
    wide = replace(SMALL, ellipsoids=CYLINDERS, num_rows=4, pixel_size_um=5.0)
    volume = made(tmp_path / "v.zarr", opened(written(tmp_path / "scan.h5", wide)))
    assert not volume.plan.grey_values_absolute
    assert "grey_values_not_absolute" in volume.plan.flags
    assert volume.plan.taper_columns == 32


def test_a_truncated_view_with_a_declared_cell_keeps_its_grey_values(tmp_path: Path) -> None:
    # A bore of 2 x 1.5 x 32 columns x 5 um = 0.48 mm in a view of 0.32 mm; the "wall" beyond it is thin and known.
    wide = replace(SMALL, ellipsoids=CYLINDERS, num_rows=4, pixel_size_um=5.0, num_projections=180)
    volume = made(
        tmp_path / "v.zarr",
        opened(written(tmp_path / "scan.h5", wide)),
        declared=Declared(CellGeometry(0.48, 0.5, "PEEK"), wall_per_cm=1e-6),
    )
    assert volume.plan.bore is not None
    assert volume.plan.grey_values_absolute
    found, true = voxels(tmp_path / "v.zarr"), truth(wide, 64)
    assert of_disc(found, 28.0, true) == pytest.approx(1, abs=0.02)  # the bar for truncated views
    assert of_disc(found, 10.0, true) == pytest.approx(1, abs=0.02)


def test_a_tomogram_of_a_run_is_read_from_its_frames_files_whole_or_not(tmp_path: Path) -> None:
    run = PhantomRun(tmp_path / "run")
    run.complete("OCV", 1)
    killed = run.begin("D1", 2)
    for kind, num in ((FrameKind.DARK, 3), (FrameKind.FLAT, 4), (FrameKind.PROJECTION, 80)):
        killed.write(kind, num)
    follower = RunFollower(run.run.documents)
    follower.poll()
    scan = scan_of_run(run.run, follower.runs.tomograms[0])
    assert scan.run_uid == "run-of-attempt-1"
    settings = replace(SETTINGS, axis_column=AXIS_COLUMN, rows=(4, 9))
    assert made(tmp_path / "v.zarr", scan, settings).plan.flags == ()
    found = voxels(tmp_path / "v.zarr")
    middle = slice(COLUMNS // 2 - 20, COLUMNS // 2 + 20)
    assert found[:, middle, middle].mean() == pytest.approx(BORE_PER_CM, rel=0.02)  # of few photons and four flats
    in_part = scan_of_run(run.run, follower.runs.tomograms[1])
    assert in_part.projections.shape[0] == 80
    assert made(tmp_path / "p.zarr", in_part, settings).plan.flags == ("partial", "undersampled")
    assert voxels(tmp_path / "p.zarr")[:, middle, middle].mean() == pytest.approx(BORE_PER_CM, rel=0.02)


def test_a_frames_file_that_was_cut_short_is_named(tmp_path: Path) -> None:
    run = PhantomRun(tmp_path / "run")
    run.complete("OCV", 1)
    file = run.run.frames_file(1, FrameKind.PROJECTION)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    follower = RunFollower(run.run.documents)
    follower.poll()
    with pytest.raises(VolumeError, match=r"no projection frames in .*_projection\.h5 \(the file was cut short"):
        scan_of_run(run.run, follower.runs.tomograms[0])


@pytest.mark.parametrize(
    ("bore_mm", "flags"), [(0.96, set()), (1.6, {"cell_contradicted", "grey_values_not_absolute"})]
)
def test_a_declared_bore_with_which_known_content_comes_out_wrong_is_flagged(
    tmp_path: Path, bore_mm: float, flags: set[str]
) -> None:
    # A bore of 2 x 1.5 x 32 columns x 10 um = 0.96 mm in a view of 0.64 mm.
    full = replace(SMALL, ellipsoids=CYLINDERS[:1], num_rows=4, pixel_size_um=10.0)
    declared = Declared(CellGeometry(bore_mm, bore_mm + 0.02, "PEEK"), wall_per_cm=1e-6, plain_per_cm=2.0)
    scan = opened(written(tmp_path / "scan.h5", full))
    assert set(begun(tmp_path / "v.zarr", scan, declared=declared).plan.flags) == flags
