"""The recorded scan goes through the whole pipeline, as a run directory of darks, flats and projections."""

import threading
from pathlib import Path

import numpy as np
import pytest
import tifffile

from live_analysis.analyse import analyse
from live_analysis.results import read_measurements
from operando.model.frames import FrameKind
from simulators.hdf5_writer import Hdf5Writer
from tests.support.phantom_run import PhantomRun

SCAN = Path(__file__).parents[3] / "shared" / "data" / "savu-tomogram"


def test_the_axis_of_the_recorded_scan_is_found_and_its_slices_are_drawn(tmp_path: Path) -> None:
    if not SCAN.is_dir():
        pytest.skip(f"the recorded scan is not at {SCAN}")
    angles_deg = np.loadtxt(SCAN / "angles.txt")[10:-10]
    faked = PhantomRun(tmp_path / "run", analysis=False)
    tomogram = faked.begin("savu", 1, num_projections=91)
    files = {
        FrameKind.DARK: [SCAN / "dark_00001.tiff"],
        FrameKind.FLAT: [SCAN / "flat_00001.tiff"],
        FrameKind.PROJECTION: sorted((SCAN / "tiffs").glob("*.tiff")),
    }
    for kind, paths in files.items():
        writer = Hdf5Writer(faked.run.frames_file(1, kind), (135, 160))
        for index, path in enumerate(paths):
            counts = tifffile.imread(path).astype(np.uint16)  # recorded with the other byte order
            writer.append(counts, float(index), index + 1, float(angles_deg[index]))
        writer.close()
    tomogram.end()
    told: list[str] = []
    analyse(faked.run.path, follow=False, again=False, stop=threading.Event(), report=told.append)
    values = {entry.name: entry for entry in read_measurements(faked.run.results)}
    axis = values["rotation_axis"]
    assert axis.value == pytest.approx(85.6, abs=0.5)  # column; 85.75 by pair, 85.5 by Vo 2014, 86.0 by sharpness
    assert axis.num_frames == 91
    assert "partial" not in axis.flags
    assert faked.run.preview_picture(1, "savu").is_file()
