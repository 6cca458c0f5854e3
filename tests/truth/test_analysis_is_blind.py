"""The analysis measures frames: what the simulation knows lies in the same folder and is never looked at."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from operando.model.geometry import ImagingGeometry
from operando.model.measurement import Measurement
from simulators.cell_parameters import load_cell
from tests.support.offline_run import CELL, OfflineRun, View, discharge

ROOT = Path(__file__).parents[2]
VIEW = View(ImagingGeometry(160, 112, 3.52), num_projections=90, num_darks=5, num_flats=10)
AUDITED = """
import sys, threading
from pathlib import Path
seen = []
def watch(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and arguments:
        seen.append(str(arguments[0]))
sys.addaudithook(watch)
import h5py
plain_open = h5py.h5f.open
def open_hdf5(name, *others, **named):  # the HDF5 library opens files beside Python
    seen.append(name.decode() if isinstance(name, bytes) else str(name))
    return plain_open(name, *others, **named)
h5py.h5f.open = open_hdf5
from live_analysis.analyse import analyse
analyse(Path(sys.argv[1]), follow=False, again=False, stop=threading.Event())
assert any(path.endswith("documents.jsonl") for path in seen), "the watch does not work"
assert any(path.endswith("0001_projection.h5") for path in seen), "the watch of HDF5 does not work"
bad = [path for path in seen if "simulation" in Path(path).parts or "truth" in Path(path).name]
print("OPENED", bad)
"""


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> OfflineRun:
    parameters = load_cell(CELL)
    run = OfflineRun(tmp_path_factory.mktemp("blind") / "run", parameters, 1, VIEW)
    run.expose("D0.7V", discharge(run.twin, parameters, 0.7))
    return run


def measured(run: OfflineRun) -> dict[str, Measurement]:
    return run.measure(run.tomograms[0])


def test_the_analysis_opens_nothing_of_the_simulation(rehearsed: OfflineRun) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AUDITED, str(rehearsed.run.path)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "high-attenuation volume" in done.stdout
    assert "OPENED []" in done.stdout


def test_another_truth_or_none_changes_no_result(rehearsed: OfflineRun) -> None:
    first = measured(rehearsed)
    assert first["high_attenuation_volume"].value > 0
    rehearsed.run.truth.write_text('{"attempt": 1, "high_attenuation_volume": 123456789.0}\n')
    falsified = measured(rehearsed)
    shutil.rmtree(rehearsed.run.simulation)
    without = measured(rehearsed)
    for name, entry in first.items():
        assert repr(falsified[name].value) == repr(entry.value) == repr(without[name].value), name
        assert repr(falsified[name].uncertainty) == repr(entry.uncertainty) == repr(without[name].uncertainty), name
