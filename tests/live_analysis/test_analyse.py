"""A run directory becomes measurements, live or afterwards, whatever is missing, damaged or killed."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from PySide6 import QtGui

from live_analysis.analyse import AnalysisRunningError, analyse, only_one_analysis
from live_analysis.results import read_analysis_runs, read_measurements
from operando.model.frames import FrameKind
from operando.model.measurement import Measurement
from operando.model.preview_slices import read_preview
from tests.support.phantom_run import AXIS_COLUMN, BORE_PER_CM, COPPER_UM3, PhantomRun

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 60.0
FOLLOWER = """
import pathlib, sys, threading
from live_analysis.analyse import analyse

def publish(results, now):
    if results is not None:
        print("measured", results.tomogram, flush=True)
    print(now.state, now.tomogram, now.num_projections, now.num_waiting, flush=True)

def report(sentence):
    print("said", sentence, flush=True)

analyse(pathlib.Path(sys.argv[1]), follow=True, again=False, stop=threading.Event(), report=report, publish=publish)
"""


def measure(directory: Path, *, follow: bool = False, again: bool = False) -> list[str]:
    """Analyse a run; return the sentences for people."""
    told: list[str] = []
    analyse(directory, follow=follow, again=again, stop=threading.Event(), report=told.append)
    return told


def measured(faked: PhantomRun, tomogram: str = "OCV") -> dict[str, Measurement]:
    found = [entry for entry in read_measurements(faked.run.results) if entry.tomogram == tomogram]
    assert len({entry.name for entry in found}) == len(found), "a value is there twice"
    return {entry.name: entry for entry in found}


def live_slice_beside_the_measured_one(faked: PhantomRun) -> float:
    """Correlation of the upright slices through the axis: of the live volume, complete before the tomogram ended."""
    with h5py.File(faked.run.volume(1) / "live.h5") as file, h5py.File(faked.run.volume(1) / "slices.h5") as slices:
        volume, measured = file["attenuation"], slices["xz"][:]
        middle = volume.shape[1] // 2
        live = (volume[:, middle - 1] + volume[:, middle]) / 2
        assert volume.attrs["units"] == "1/cm"
        assert file.attrs["num_projections"] == 90
    seen = np.isfinite(measured).any(axis=1)
    inside = np.isfinite(live) & np.isfinite(measured[seen])
    return float(np.corrcoef(live[inside], measured[seen][inside])[0, 1])


@pytest.fixture
def faked(tmp_path: Path) -> PhantomRun:
    return PhantomRun(tmp_path / "run")


def test_a_tomogram_gives_every_value_that_was_put_into_it(faked: PhantomRun) -> None:
    faked.complete("OCV", 1)
    faked.end()
    measure(faked.run.path)
    values = measured(faked)
    copper = values["high_attenuation_volume"]
    # Spheres of 8 to 10 voxels; 15 % is what the volume has to reach near the resolution.
    assert copper.value == pytest.approx(COPPER_UM3, rel=0.15)
    assert copper.unit == "um3"
    assert copper.num_frames == 90
    assert copper.details["num_components"] == 3
    assert values["rotation_axis"].value == pytest.approx(AXIS_COLUMN, abs=0.5)
    assert values["matrix_attenuation"].value == pytest.approx(2.0, abs=0.1)  # 1/cm, anchored to the same filling
    assert values["grey_scale_gain"].value == pytest.approx(1.0, abs=0.03)
    assert values["voltage"].value == pytest.approx(2.1, abs=1e-4)
    assert values["charge"].value == pytest.approx(-0.5, abs=1e-6)
    assert values["capacity"].value == pytest.approx(500.0, abs=0.1)  # 0.5 mAh since the step began, over 1 mg
    assert values["stack_pressure"].unit == "MPa"
    assert all(entry.run_uid == "run-of-attempt-1" and entry.uncertainty >= 0 for entry in values.values())


def test_picture_and_volume_are_left_for_people(faked: PhantomRun) -> None:
    faked.complete("OCV", 1)
    faked.end()
    measure(faked.run.path)
    picture = QtGui.QImage(str(faked.run.preview_picture(1, "OCV")))
    assert picture.width() > 300
    with h5py.File(faked.run.volume(1) / "region.h5") as file:
        region = file["region"]
        core = region.attrs["core"]
        assert list(core[1::2] - core[::2]) == [27, 30, 30]  # 270 x 300 x 300 um in voxels of 10 um
        assert (np.array(region.shape) >= (27, 30 + 8, 30 + 8)).all()  # and 40 um on each side as far as it is seen
        assert region.dtype == np.float32
        assert region.attrs["units"] == "1/cm"
        assert region.attrs["voxel_size_um"] == 10.0
        assert np.nanmax(region) > 40  # copper has 63.4 /cm


@pytest.fixture
def follower(faked: PhantomRun) -> Iterator[subprocess.Popen[str]]:
    """Analysis of the run while it grows; it tells what it publishes, line by line."""
    process = subprocess.Popen(
        [sys.executable, "-c", FOLLOWER, str(faked.run.path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


def wait_for_preview(faked: PhantomRun, num_projections: int) -> None:
    deadline_s, pause = time.monotonic() + TIMEOUT_S, threading.Event()
    while read_preview(faked.run.preview(1)).num_projections != num_projections:
        assert time.monotonic() < deadline_s
        pause.wait(0.05)


@pytest.mark.timeout(300)
def test_a_run_that_grows_is_measured_while_it_grows_and_the_analysis_ends_with_it(
    faked: PhantomRun, follower: subprocess.Popen[str]
) -> None:
    process = follower
    assert process.stdout is not None
    told = iter(process.stdout)
    tomogram = faked.begin("OCV", 1)
    tomogram.write(FrameKind.DARK, 3)
    tomogram.write(FrameKind.FLAT, 4)
    for num in (1, 40, 49):
        tomogram.write(FrameKind.PROJECTION, num)
        if tomogram.writers[FrameKind.PROJECTION].num_frames == tomogram.num_projections:
            assert any(line.startswith("said OCV: live volume of 96 x 96 x ") for line in told)
        expected = f"RECEIVING OCV {tomogram.writers[FrameKind.PROJECTION].num_frames} 1\n"
        assert any(line == expected for line in told), expected
        if num == 40:
            wait_for_preview(faked, 41)  # it is replaced after the line, or before
            assert read_preview(faked.run.preview(1)).coverage == pytest.approx(41 / 90)
    assert read_preview(faked.run.preview(1)).complete
    (quick,) = read_measurements(faked.run.results)
    assert (quick.name, quick.flags[-1], quick.num_frames) == ("high_attenuation_volume", "quick", 90)
    tomogram.close()
    faked.read_cell(tomogram.uid, 45.0)
    tomogram.end()
    assert any(line.startswith("measured OCV") for line in told)
    volume = measured(faked)["high_attenuation_volume"]
    assert volume.num_frames == 90
    assert volume.replaces is not None
    assert "quick" not in volume.flags
    assert live_slice_beside_the_measured_one(faked) > 0.99
    assert process.poll() is None
    faked.end()
    assert process.communicate(timeout=TIMEOUT_S)[0].splitlines()[-1] == "ENDED  0 0"
    assert process.returncode == 0


def test_analysed_afterwards_gives_the_same_as_live(faked: PhantomRun, tmp_path: Path) -> None:
    faked.complete("OCV", 1)
    faked.end()
    copy = faked.copy_to(tmp_path / "copy")
    measure(faked.run.path, follow=True)
    measure(copy.path)
    live = [replace(entry, replaces=None) for entry in read_measurements(faked.run.results)]
    assert live == read_measurements(copy.results)


def test_a_restart_measures_only_what_is_new(faked: PhantomRun) -> None:
    faked.complete("OCV", 1)
    assert len(measure(faked.run.path)) == 1
    before = read_measurements(faked.run.results)
    assert measure(faked.run.path) == []
    assert read_measurements(faked.run.results) == before
    faked.complete("D1.7V", 2)
    assert len(measure(faked.run.path)) == 1
    assert {entry.tomogram for entry in read_measurements(faked.run.results)} == {"OCV", "D1.7V"}


def test_again_names_what_it_replaces(faked: PhantomRun) -> None:
    faked.complete("OCV", 1)
    measure(faked.run.path)
    first = read_analysis_runs(faked.run.results)[0].events
    measure(faked.run.path, again=True)
    assert {entry.replaces for entry in measured(faked).values()} == set(first)
    measure(faked.run.path, again=True)
    assert len(measured(faked)) == len(first)


def test_an_analysis_killed_while_it_wrote_measures_that_tomogram_again(faked: PhantomRun) -> None:
    faked.complete("OCV", 1)
    measure(faked.run.path)
    whole = faked.run.results.read_bytes()
    faked.run.results.write_bytes(whole[: len(whole) // 2])
    measure(faked.run.path)
    assert "high_attenuation_volume" in measured(faked)


def test_a_partial_tomogram_is_measured_and_flagged_with_its_count(faked: PhantomRun) -> None:
    tomogram = faked.begin("OCV", 1)
    tomogram.write(FrameKind.DARK, 3)
    tomogram.write(FrameKind.FLAT, 4)
    tomogram.write(FrameKind.PROJECTION, 70)
    tomogram.close()
    tomogram.end(exit_status="fail", reason="beam lost")
    measure(faked.run.path)
    copper = measured(faked)["high_attenuation_volume"]
    assert "partial" in copper.flags
    assert copper.num_frames == 70


def test_a_tomogram_of_a_killed_acquisition_is_measured_as_it_is_and_again_once_its_run_is_closed(
    faked: PhantomRun,
) -> None:
    tomogram = faked.begin("OCV", 1)
    tomogram.write_all()
    measure(faked.run.path)
    assert "run_not_closed" in measured(faked)["high_attenuation_volume"].flags
    tomogram.end(exit_status="abort", reason="closed by recovery")
    assert len(measure(faked.run.path)) == 1
    assert "run_not_closed" not in measured(faked)["high_attenuation_volume"].flags
    assert measure(faked.run.path) == []


@pytest.mark.parametrize(
    ("absent", "sentence"),
    [
        (FrameKind.FLAT, "no flat frames"),
        (FrameKind.DARK, "no dark frames"),
        (FrameKind.PROJECTION, "holds no projection"),
    ],
)
def test_missing_frames_fail_with_a_sentence_and_the_cell_is_measured(
    faked: PhantomRun, absent: FrameKind, sentence: str
) -> None:
    tomogram = faked.begin("OCV", 1)
    for kind, num in ((FrameKind.DARK, 3), (FrameKind.FLAT, 4), (FrameKind.PROJECTION, 90)):
        if kind is not absent:
            tomogram.write(kind, num)
    tomogram.close()
    tomogram.end(exit_status="fail", reason="camera")
    (told,) = measure(faked.run.path)
    assert sentence in told
    assert set(measured(faked)) >= {"voltage", "stack_pressure", "capacity"}
    assert "high_attenuation_volume" not in measured(faked)
    (analysis,) = read_analysis_runs(faked.run.results)
    assert sentence in analysis.failures[0]


def test_flats_of_another_shape_fail_with_both_shapes(faked: PhantomRun) -> None:
    tomogram = faked.begin("OCV", 1)
    tomogram.write(FrameKind.DARK, 3)
    tomogram.write(FrameKind.FLAT, 4, frame_shape=(64, 90))
    tomogram.write(FrameKind.PROJECTION, 90)
    tomogram.close()
    tomogram.end()
    (told,) = measure(faked.run.path)
    assert "(64, 96)" in told
    assert "(64, 90)" in told


def test_one_unusable_tomogram_keeps_none_of_the_others_from_being_measured(faked: PhantomRun) -> None:
    faked.document("start", uid="no pixel size", kind="tomogram", tomogram="X", attempt=8, num_projections=90)
    faked.document("stop", uid="its stop", run_start="no pixel size", exit_status="success")
    damaged = faked.complete("D1.7V", 2)
    faked.run.frames_file(2, FrameKind.PROJECTION).write_bytes(b"overwritten" * 500)
    faked.complete("OCV", 3)
    faked.end()
    told = [line for line in measure(faked.run.path, follow=True) if "live volume" not in line]
    assert len(told) == 3
    assert "could not be analysed" in told[0]
    assert "holds no projection" in told[1]
    assert damaged.name in told[1]
    assert "high_attenuation_volume" in measured(faked)


def test_damaged_documents_are_told_and_the_rest_is_measured(faked: PhantomRun) -> None:
    faked.complete("OCV", 1)
    with faked.run.documents.open("ab") as file:
        file.write(b'\x00\x00\n["start", {"uid"\n["stop", {"run_st')
    told = measure(faked.run.path)
    assert "2 damaged lines" in told[0]
    assert "high_attenuation_volume" in measured(faked)


def test_without_a_region_there_are_slices_and_an_axis(tmp_path: Path) -> None:
    faked = PhantomRun(tmp_path / "run", analysis=False)
    faked.complete("scan", 1)
    measure(faked.run.path)
    values = measured(faked, "scan")
    assert values["rotation_axis"].value == pytest.approx(AXIS_COLUMN, abs=0.5)
    assert "grey_values_not_absolute" not in values["rotation_axis"].flags  # the whole cell is in the view
    with h5py.File(faked.run.volume(1) / "slices.h5") as file:
        assert np.median(file["xy"][43:53, 26:36]) == pytest.approx(BORE_PER_CM, rel=0.05)  # clear of the spheres
    assert "high_attenuation_volume" not in values
    assert faked.run.preview_picture(1, "scan").stat().st_size > 1000


def test_two_analyses_of_one_run_at_once_are_refused(faked: PhantomRun) -> None:
    with (
        only_one_analysis(faked.run),
        pytest.raises(AnalysisRunningError, match="another process"),
        only_one_analysis(faked.run),
    ):
        pass


def test_the_analysis_opens_nothing_of_the_simulation(faked: PhantomRun, tmp_path: Path) -> None:
    faked.complete("OCV", 1)
    faked.end()
    faked.run.simulation.mkdir()
    faked.run.truth.write_text(json.dumps({"attempt": 1, "high_attenuation_volume_um3": 1.0}) + "\n")
    script = f"""
import sys, threading, pathlib, h5py
opened = []
# HDF5 opens files without telling Python's audit.
h5py.File.__init__ = lambda self, name, *rest, _init=h5py.File.__init__, **options: (
    opened.append(str(name)), _init(self, name, *rest, **options))[1]
sys.addaudithook(lambda name, arguments: opened.append(str(arguments[0]))
                 if name in ("open", "os.listdir", "os.scandir", "sqlite3.connect") else None)
from live_analysis.analyse import analyse
analyse(pathlib.Path({str(faked.run.path)!r}), follow=True, again=False, stop=threading.Event(), report=print)
pathlib.Path({str(tmp_path / "opened")!r}).write_text("\\n".join(opened))
print(*(name for name in sys.modules if name.split(".")[0] == "simulators"))
"""
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    opened = (tmp_path / "opened").read_text().splitlines()
    for seen in ("documents.jsonl", "cell.sqlite", "0001_projection.h5"):
        assert any(seen in path for path in opened), f"{seen} was opened, but this test did not see it"
    assert not [path for path in opened if "simulation" in path or "truth" in path]
    assert "simulators" not in result.stdout
