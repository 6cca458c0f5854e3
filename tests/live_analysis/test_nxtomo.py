"""A tomogram's NXtomo and Data Exchange files show the frames wherever the folder lies."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from nexusformat.nexus import nxload

from live_analysis.data_exchange import write_data_exchange
from live_analysis.frame_reader import FrameFileError
from live_analysis.nxtomo import write_nxtomo
from live_analysis.run_follower import RunFollower, TomogramRun
from operando.model.frames import FrameKind
from operando.model.run_directory import RunDirectory
from simulators.recorded_data_exchange import load_data_exchange
from tests.support.phantom_run import COLUMNS, ROWS, PhantomRun, counts

NUM_PROJECTIONS = 12
KEYS = [2] * 3 + [1] * 4 + [0] * NUM_PROJECTIONS


def followed(run: RunDirectory) -> TomogramRun:
    follower = RunFollower(run.documents)
    follower.poll()
    (tomogram,) = follower.runs.tomograms
    return tomogram


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    faked = PhantomRun(tmp_path / "run")
    tomogram = faked.begin("D1.7V", 3, num_projections=NUM_PROJECTIONS)
    tomogram.write_all()
    tomogram.end()
    return faked.run


def assert_it_shows_the_frames(path: Path) -> None:
    with h5py.File(path) as file:
        images = file["/entry/data/data"]
        assert images.shape == (len(KEYS), ROWS, COLUMNS)
        assert images.dtype == np.uint16
        assert file["/entry/definition"][()] == b"NXtomo"
        assert file["/entry/data/image_key"][:].tolist() == KEYS
        assert np.array_equal(images[0], counts(FrameKind.DARK, 0.0, 0))
        assert np.array_equal(images[6], counts(FrameKind.FLAT, 0.0, 3))
        assert np.array_equal(images[-1], counts(FrameKind.PROJECTION, 165.0, NUM_PROJECTIONS - 1))
        angles = file["/entry/sample/rotation_angle"]
        assert angles[-1] == 165.0
        assert angles.attrs["units"] == "degree"
        assert file["/entry/instrument/detector/x_pixel_size"][()] == 10.0
        assert file["/entry/beam/incident_energy"][()] == 35.0
        assert "distance" not in file["/entry/instrument/detector"]


def test_it_opens_in_plain_h5py_after_the_folder_was_moved(run: RunDirectory, tmp_path: Path) -> None:
    path = write_nxtomo(run, followed(run), title="CuS: D1.7V")
    assert path.name == "0003_D1.7V.nx"
    assert_it_shows_the_frames(path)
    moved = RunDirectory(run.path.rename(tmp_path / "at home"))
    assert_it_shows_the_frames(moved.tomogram_file(3, "D1.7V"))


def test_it_says_how_the_tomogram_ended_in_the_word_of_its_documents(run: RunDirectory) -> None:
    tomogram = followed(run)
    tomogram.outcome = {"outcome": "partial", "reason": "the beam was lost"}
    with h5py.File(write_nxtomo(run, tomogram, title="CuS: D1.7V")) as file:
        assert (file["entry"].attrs["outcome"], file["entry"].attrs["reason"]) == ("partial", "the beam was lost")


def test_it_is_small_because_the_images_stay_where_they_are(run: RunDirectory) -> None:
    path = write_nxtomo(run, followed(run), title="CuS: D1.7V")
    with h5py.File(path) as file:
        sources = file["/entry/instrument/detector/data"].virtual_sources()
    assert {source.file_name for source in sources} == {
        f"../frames/0003_{kind.value}.h5" for kind in (FrameKind.DARK, FrameKind.FLAT, FrameKind.PROJECTION)
    }
    assert path.stat().st_size < 100_000  # bytes; the images have 230,000


def test_it_opens_in_nexusformat(run: RunDirectory) -> None:
    tree = nxload(write_nxtomo(run, followed(run), title="CuS: D1.7V"))
    assert str(tree.entry.definition) == "NXtomo"
    assert tree.entry.data.nxsignal.shape == (len(KEYS), ROWS, COLUMNS)
    assert tree.entry.instrument.detector.image_key.nxdata.tolist() == KEYS
    assert tree.entry.data.nxsignal[5].nxdata.max() > 20_000


def test_frames_of_a_killed_writer_are_copied_because_a_plain_reader_cannot_open_its_file(tmp_path: Path) -> None:
    script = f"""
import os, pathlib, signal
from operando.model.frames import FrameKind
from tests.support.phantom_run import PhantomRun
tomogram = PhantomRun(pathlib.Path({str(tmp_path / "run")!r})).begin("D1.7V", 3, num_projections={NUM_PROJECTIONS})
for kind, num in ((FrameKind.DARK, 3), (FrameKind.FLAT, 4), (FrameKind.PROJECTION, {NUM_PROJECTIONS})):
    tomogram.write(kind, num)
tomogram.end(exit_status="abort")
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], check=False)
    run = RunDirectory(tmp_path / "run")
    with pytest.raises(OSError, match="already open"):
        h5py.File(run.frames_file(3, FrameKind.PROJECTION))
    path = write_nxtomo(run, followed(run), title="CuS: D1.7V")
    assert_it_shows_the_frames(path)


def test_what_the_start_document_does_not_say_is_left_out(run: RunDirectory) -> None:
    tomogram = followed(run)
    for key in ("energy_kev", "pixel_size_um", "exposure_s"):
        del tomogram.start[key]
    with h5py.File(write_nxtomo(run, tomogram, title="CuS: D1.7V")) as file:
        detector = file["/entry/instrument/detector"]
        assert "incident_energy" not in file["/entry/beam"]
        assert {"x_pixel_size", "count_time"}.isdisjoint(detector)
        assert detector["data"].shape[0] == len(KEYS)


def test_a_tomogram_without_frames_still_says_what_it_was(run: RunDirectory) -> None:
    for kind in FrameKind:
        run.frames_file(3, kind).unlink(missing_ok=True)
    with h5py.File(write_nxtomo(run, followed(run), title="CuS: D1.7V")) as file:
        assert file["/entry/title"][()] == b"CuS: D1.7V"


def test_data_exchange_is_read_by_another_reader_after_the_folder_was_moved(run: RunDirectory, tmp_path: Path) -> None:
    run.tomograms.mkdir()
    write_data_exchange(run, followed(run), run.tomograms / "D1.7V.h5", copied=False)
    moved = run.path.rename(tmp_path / "at home")
    scan = load_data_exchange(moved / "tomograms" / "D1.7V.h5")
    assert [stack.shape[0] for stack in (scan.darks, scan.flats, scan.projections)] == [3, 4, NUM_PROJECTIONS]
    assert scan.angles_deg[-1] == 165.0
    assert (scan.pixel_size_um, scan.energy_kev) == (10.0, 35.0)
    assert np.array_equal(scan.projections.read(4), counts(FrameKind.PROJECTION, 60.0, 4))


def test_data_exchange_needs_all_three_kinds(run: RunDirectory, tmp_path: Path) -> None:
    run.frames_file(3, FrameKind.FLAT).unlink()
    with pytest.raises(FrameFileError, match="no flat frames"):
        write_data_exchange(run, followed(run), tmp_path / "new.h5", copied=True)
    assert not (tmp_path / "new.h5").exists()
