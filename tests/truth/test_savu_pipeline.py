"""The recorded scan goes through the whole pipeline, as a run directory of darks, flats and projections."""

import threading
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from algotom.rec.reconstruction import fbp_reconstruction
from numpy.typing import NDArray

from live_analysis.analyse import analyse
from live_analysis.results import read_measurements
from operando.model.frames import FrameKind
from simulators.hdf5_writer import Hdf5Writer
from tests.support.phantom_run import PhantomRun

SCAN = Path(__file__).parents[3] / "shared" / "data" / "savu-tomogram"
PUBLISHED_AXIS, MIDDLE_ROW, RADIUS_OF_SAMPLE = 85.6, 67, 50  # columns, row, columns


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
    # 85.75 by pair, 85.5 by Vo 2014, 86.0 by sharpness
    assert axis.value == pytest.approx(PUBLISHED_AXIS, abs=0.5)  # column
    assert axis.num_frames == 91
    assert "partial" not in axis.flags
    assert faked.run.preview_picture(1, "savu").is_file()
    with h5py.File(faked.run.volume(1) / "slices.h5") as file:
        ours = file["xy"][()][::-1]  # the y axis of algotom points the other way
    inside = np.hypot(*(np.indices(ours.shape) - (len(ours) - 1) / 2)) < RADIUS_OF_SAMPLE
    assert np.corrcoef(ours[inside], _slice_by_algotom(angles_deg)[inside])[0, 1] > 0.98


def _slice_by_algotom(angles_deg: NDArray[np.float64]) -> NDArray[np.float32]:
    """Reconstruct the middle row about the published axis: nothing in it is ours."""
    counts = np.stack([tifffile.imread(path)[MIDDLE_ROW] for path in sorted((SCAN / "tiffs").glob("*.tiff"))])
    flat, dark = (tifffile.imread(SCAN / f"{kind}_00001.tiff")[MIDDLE_ROW].astype("f8") for kind in ("flat", "dark"))
    sinogram = -np.log((counts - dark) / (flat - dark))
    found = fbp_reconstruction(
        sinogram.astype("f4"), PUBLISHED_AXIS, angles=np.radians(angles_deg), apply_log=False, gpu=False, ratio=None,
        filter_name=None, ncore=1,
    )  # fmt: skip
    return np.asarray(found, np.float32)
