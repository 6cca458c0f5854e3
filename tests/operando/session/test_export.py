"""A tomogram leaves the run as a file of other programs and comes back through replay's reader."""

import io
from pathlib import Path

import h5py
import numpy as np
import pytest
from rich.console import Console

from operando.model.frames import FrameKind
from operando.session.errors import RequestError
from operando.session.export import export_tomogram
from simulators.recorded_scan import load_recorded_scan
from tests.support.phantom_run import COLUMNS, PIXEL_UM, ROWS, PhantomRun, counts

CONSOLE = Console(file=io.StringIO())
NUM = 90


@pytest.fixture
def run(tmp_path: Path) -> Path:
    faked = PhantomRun(tmp_path / "run")
    faked.complete("OCV", 1)
    faked.complete("D1.7V", 2)
    faked.complete("OCV", 3)
    faked.end()
    return faked.run.path


def export(
    run: Path, name: str, output: Path | None = None, *, file_format: str = "dxfile", linked: bool = False
) -> int:
    return export_tomogram(run, name, CONSOLE, file_format=file_format, output=output, linked=linked)


def test_plain_h5py_reads_the_four_datasets_also_far_away_from_the_run(run: Path, tmp_path: Path) -> None:
    output = tmp_path / "elsewhere" / "ocv.h5"
    assert export(run, "OCV", output) == 0
    run.rename(tmp_path / "gone")
    with h5py.File(output) as file:
        exchange = file["exchange"]
        shapes = {name: exchange[name].shape for name in ("data", "data_white", "data_dark", "theta")}
        assert shapes == {
            "data": (NUM, ROWS, COLUMNS), "data_white": (4, ROWS, COLUMNS), "data_dark": (3, ROWS, COLUMNS),
            "theta": (NUM,),
        }  # fmt: skip
        assert exchange["theta"].attrs["units"] == "deg"
        assert np.array_equal(exchange["data"][7], counts(FrameKind.PROJECTION, 14.0, 7))


@pytest.mark.parametrize("linked", [False, True])
def test_replay_reads_what_was_exported(run: Path, linked: bool) -> None:
    export(run, "D1.7V", linked=linked)
    scan = load_recorded_scan(run / "tomograms" / "0002_D1.7V.h5")
    assert [stack.shape[0] for stack in (scan.darks, scan.flats, scan.projections)] == [3, 4, NUM]
    assert np.allclose(scan.angles_deg, np.arange(NUM) * 2.0)
    assert (scan.pixel_size_um, scan.energy_kev) == (PIXEL_UM, 35.0)
    assert np.array_equal(scan.projections.read(89), counts(FrameKind.PROJECTION, 178.0, 89))


def test_a_name_means_its_last_attempt_and_a_number_that_attempt(run: Path) -> None:
    export(run, "OCV")
    export(run, "1")
    assert sorted(path.name for path in (run / "tomograms").iterdir()) == ["0001_OCV.h5", "0003_OCV.h5"]


def test_what_cannot_be_exported_is_refused_with_what_there_is(run: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"no tomogram 'D9V'; there are: OCV, D1\.7V"):
        export(run, "D9V")
    with pytest.raises(RequestError, match="--format tiff: is not known; allowed is dxfile"):
        export(run, "OCV", file_format="tiff")
    (tmp_path / "there.h5").write_text("mine")
    with pytest.raises(RequestError, match="is there already"):
        export(run, "OCV", tmp_path / "there.h5")
    assert (tmp_path / "there.h5").read_text() == "mine"
    (run / "frames" / "0002_flat.h5").unlink()
    with pytest.raises(RequestError, match="no flat frames"):
        export(run, "D1.7V")
    (run / "frames" / "0001_flat.h5").write_bytes((run / "frames" / "0001_flat.h5").read_bytes()[:3000])
    with pytest.raises(RequestError):
        export(run, "1")
    assert not list((run / "tomograms").glob("*"))
