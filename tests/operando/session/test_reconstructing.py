"""`operando reconstruct` as a person uses it: real processes, one of them killed, one interrupted."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from live_analysis.final_volume.slab_height import peak_bytes
from operando.cli import application
from operando.model.run_directory import RunDirectory
from operando.session.errors import RequestError
from tests.live_analysis.final_volume.scans import SMALL, voxels, written
from tests.support.phantom_run import BORE_PER_CM, COLUMNS, PhantomRun

MEMORY = f"{peak_bytes(2, 90, 64, 2, 64, 64**2)} byte"  # slabs of two rows
PATIENCE_S = 90.0


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("scan") / "scan.h5")


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "operando.cli", "reconstruct", *map(str, words)]


def reconstruct(*words: str | Path) -> str:
    found = CliRunner().invoke(application, ["reconstruct", *map(str, words)], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output


def ended_after_slabs(words: list[str], out: Path, num_slabs: int, number: signal.Signals) -> tuple[int, str]:
    """Start a process, send it a signal when so many slabs are done, return how it ended and what it said."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    journal, deadline_s = out / "slabs.jsonl", time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not journal.exists() or journal.read_text().count("\n") < num_slabs:
        pause.wait(0.01)
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline_s
    process.send_signal(number)
    said, _ = process.communicate(timeout=PATIENCE_S)
    return process.returncode, said


def test_a_killed_and_an_interrupted_process_are_continued_by_the_same_command(scan: Path, tmp_path: Path) -> None:
    options = ("--axis", "31.8", "--noise", "--memory", MEMORY)
    out = tmp_path / "killed.zarr"
    words = command(scan, "--out", out, *options)
    ended, _ = ended_after_slabs(words, out, 2, signal.SIGKILL)
    assert ended == -signal.SIGKILL
    before = (out / "slabs.jsonl").read_text().count("\n")
    assert 2 <= before < SMALL.num_rows / 2 - 2
    ended, said = ended_after_slabs(words, out, before + 2, signal.SIGINT)
    assert ended == 130
    assert "The same command goes on with the rest" in said
    assert f"going on: {before} slabs are on the disk" in said
    assert "left" in said
    said = reconstruct(scan, "--out", out, *options)
    assert "complete, attenuation in 1/cm" in said
    assert "photons per count" in said
    reconstruct(scan, "--out", tmp_path / "straight.zarr", *options)
    np.testing.assert_array_equal(voxels(out), voxels(tmp_path / "straight.zarr"))
    np.testing.assert_array_equal(voxels(out / "noise"), voxels(tmp_path / "straight.zarr" / "noise"))
    about = (out / ".zattrs").read_text()
    # as if it had been killed when the last slab was on the disk and nothing had said so
    (out / ".zattrs").write_text(about.replace('"complete": true', '"complete": false'))
    assert "is complete; --again makes it anew" in reconstruct(scan, "--out", out, *options)
    assert (out / ".zattrs").read_text() == about


def test_a_tomogram_of_a_run_is_reconstructed_with_what_its_experiment_says_of_the_cell(tmp_path: Path) -> None:
    run = PhantomRun(tmp_path / "run")
    run.complete("OCV", 1)
    run.complete("D1.7V", 2)
    run.end()
    with pytest.raises(RequestError, match=r"say which tomogram; there are: OCV, D1\.7V"):
        reconstruct(tmp_path / "run")
    said = reconstruct(tmp_path / "run", "D1.7V", "--rows", "4:9")
    out = RunDirectory(tmp_path / "run").volume(2) / "volume.zarr"
    assert "complete, attenuation in 1/cm" in said
    about = json.loads((out / ".zattrs").read_text())["operando"]
    assert (about["source_run_uid"], about["tomogram"], about["rehearsal"]) == ("run-of-attempt-2", "D1.7V", True)
    assert about["plan"]["bore"]["bore_diameter_mm"] == 0.6
    assert about["rotation_axis"]["method"] != "given"
    middle = slice(COLUMNS // 2 - 20, COLUMNS // 2 + 20)
    assert voxels(out)[:, middle, middle].mean() == pytest.approx(BORE_PER_CM, rel=0.02)  # few photons, four flats


def test_nxtomo_and_folders_of_tiffs_give_the_same_volume_as_the_run(tmp_path: Path) -> None:
    from live_analysis.nxtomo import write_nxtomo
    from live_analysis.run_follower import RunFollower
    from simulators.recorded_scan import load_recorded_scan

    run = PhantomRun(tmp_path / "run", analysis=False)
    run.complete("OCV", 1)
    run.end()
    follower = RunFollower(run.run.documents)
    follower.poll()
    nxtomo = write_nxtomo(run.run, follower.runs.tomograms[0], title="test")
    recorded = load_recorded_scan(nxtomo)
    folder = tmp_path / "tiffs"
    folder.mkdir()
    for name, stack in (("dark", recorded.darks), ("flat", recorded.flats), ("p", recorded.projections)):
        for index in range(stack.shape[0]):
            tifffile.imwrite(folder / f"{name}_{index:03d}.tif", stack.read(index))
    np.savetxt(folder / "angles.txt", recorded.angles_deg)
    options = ("--rows", "30:34", "--axis", "49.25")
    reconstruct(tmp_path / "run", *options)
    reconstruct(nxtomo, *options)
    reconstruct(folder, *options, "--pixel-size", "10 um", "--angle-unit", "deg")
    from_run = voxels(run.run.volume(1) / "volume.zarr")
    np.testing.assert_allclose(voxels(nxtomo.with_suffix(".zarr")), from_run, atol=1e-4)  # 1/cm
    np.testing.assert_allclose(voxels(tmp_path / "tiffs.zarr"), from_run, atol=1e-4)


def test_the_listings_of_the_page_read_a_volume_without_this_software(scan: Path, tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "final-volume.md").read_text(encoding="utf-8")
    listings = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    reconstruct(scan, "--axis", "31.8", "--noise", "--out", tmp_path / "volume.zarr")
    printed = subprocess.run(
        [sys.executable, "-c", "".join(listings)], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert printed.stdout == "(20, 64, 64) 1/cm True []\n(20, 64, 64)\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--rows", "9"), "--rows 9: is no range"),
        (("--rows", "4:99"), "rows 4:99 do not lie within the 20 rows"),
        (("--region", "1:2"), "is written X0:X1,Y0:Y1"),
        (("--region", "1:2,60:70"), "does not lie within the 64 x 64 voxels"),
        (("--axis", "70"), "does not lie within the 64 columns"),
        (("--memory", "8"), "is not a number with a unit"),
        (("--memory", "1 MB"), "Give more with --memory"),
        (("--engine", "magic"), "choose one of native"),
        (("--threads", "4000"), "--threads 4000: give 1 to"),
        (("--angle-unit", "gon"), "allowed are deg and rad"),
        (("OCV",), "is no run directory"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(
    scan: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    with pytest.raises(RequestError, match=said):
        reconstruct(scan, "--axis", "31.8", "--out", tmp_path / "v.zarr", *words)
    assert not (tmp_path / "v.zarr").exists()
