"""The analysis is an ordinary callback of somebody's own RunEngine."""

import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import pytest
from bluesky import RunEngine
from event_model import compose_stream_resource
from ophyd import DeviceStatus
from ophyd.sim import det

from live_analysis.callback import LiveAnalysis
from live_analysis.results import read_measurements
from operando.model.frames import IMAGES, FrameKind
from tests.support.phantom_run import AXIS_COLUMN, COLUMNS, COPPER_UM3, ROWS, PhantomRun

TIMEOUT_S = 60.0


class WrittenFrames:
    """A detector of bluesky whose frames lie in a file already."""

    parent = None

    def __init__(self, kind: FrameKind, path: Path, num_frames: int) -> None:
        self.name, self._kind, self._path, self._num_frames = f"camera_{kind.value}", kind, path, num_frames

    def kickoff(self) -> DeviceStatus:
        return self._finished()

    def complete(self) -> DeviceStatus:
        return self._finished()

    def _finished(self) -> DeviceStatus:
        status = DeviceStatus(self)
        status.set_finished()
        return status

    def describe_collect(self) -> dict[str, Any]:
        key = {"source": "file", "dtype": "array", "shape": [ROWS, COLUMNS], "dtype_numpy": "<u2"}
        return {f"{self.name}_image": {**key, "external": "STREAM:"}}

    def get_index(self) -> int:
        return self._num_frames

    def collect_asset_docs(self, index: int | None = None) -> Iterator[tuple[str, Any]]:
        bundle = compose_stream_resource(
            mimetype="application/x-hdf5",
            uri=f"file://localhost{self._path}",
            data_key=f"{self.name}_image",
            parameters={"dataset": IMAGES, "chunk_shape": (1, ROWS, COLUMNS), "swmr": True},
        )
        yield "stream_resource", bundle.stream_resource_doc
        yield "stream_datum", bundle.compose_stream_datum({"start": 0, "stop": self._num_frames})


@pytest.fixture
def written(tmp_path: Path) -> PhantomRun:
    faked = PhantomRun(tmp_path / "elsewhere")
    faked.begin("any", 1).write_all()
    return faked


def own_plan(written: PhantomRun, *, metadata: dict[str, Any] | None = None) -> Any:
    yield from bps.open_run({"pixel_size_um": 10.0, "energy_kev": 35.0} if metadata is None else metadata)
    for kind, num in ((FrameKind.DARK, 3), (FrameKind.FLAT, 4), (FrameKind.PROJECTION, 90)):
        frames = WrittenFrames(kind, written.run.frames_file(1, kind), num)
        yield from bps.declare_stream(frames, name=kind.value, collect=True)
        yield from bps.collect(frames, name=kind.value)
    yield from bps.close_run()


def test_one_line_measures_the_scans_of_ones_own_run_engine(written: PhantomRun, tmp_path: Path) -> None:
    directory, told = tmp_path / "results", list[str]()
    run_engine = RunEngine(call_returns_result=False)
    analysis = LiveAnalysis(directory, report=told.append)
    run_engine.subscribe(analysis)
    run_engine(bp.count([det]))  # a run of another kind is left alone
    (uid,) = run_engine(own_plan(written))
    assert analysis.close(TIMEOUT_S)
    values = {entry.name: entry for entry in read_measurements(directory / "results.jsonl")}
    axis = values["rotation_axis"]
    assert axis.value == pytest.approx(AXIS_COLUMN, abs=0.5)
    assert axis.run_uid == uid
    assert axis.num_frames == 90
    assert math.isfinite(axis.time)
    assert len(list((directory / "report").glob("*.png"))) == 1
    assert len(list((directory / "tomograms").glob("*.nx"))) == 1
    assert len(told) == 1
    assert "axis at column 49." in told[0]


def test_with_an_experiment_file_it_measures_the_cell_too_and_a_second_session_adds(
    written: PhantomRun, tmp_path: Path
) -> None:
    directory = tmp_path / "results"
    for _ in range(2):
        analysis = LiveAnalysis(directory, experiment=written.run.experiment, report=lambda sentence: None)
        run_engine = RunEngine(call_returns_result=False)
        run_engine.subscribe(analysis)
        run_engine(own_plan(written))
        assert analysis.close(TIMEOUT_S)
        assert analysis.close(TIMEOUT_S)
    volumes = [
        entry for entry in read_measurements(directory / "results.jsonl") if entry.name == "high_attenuation_volume"
    ]
    assert [entry.value for entry in volumes] == pytest.approx([COPPER_UM3] * 2, rel=0.1)  # as in an operando run
    assert sorted(path.name for path in (directory / "report").iterdir()) == ["0001_1.png", "0002_1.png"]


def test_a_start_document_without_pixel_size_is_told_and_stops_nobody(written: PhantomRun, tmp_path: Path) -> None:
    told: list[str] = []
    run_engine = RunEngine(call_returns_result=False)
    analysis = LiveAnalysis(tmp_path / "results", report=told.append)
    run_engine.subscribe(analysis)
    run_engine(own_plan(written, metadata={"sample": "mine"}))
    assert analysis.close(TIMEOUT_S)
    assert len(told) == 1
    assert "pixel_size_um = None; a positive number is needed" in told[0]


def test_a_script_that_ends_after_its_plan_still_gets_its_measurements(written: PhantomRun, tmp_path: Path) -> None:
    documents = tmp_path / "documents.json"
    collected: list[Any] = []
    run_engine = RunEngine(call_returns_result=False)
    run_engine(own_plan(written), lambda name, document: collected.append([name, document]))
    documents.write_text(json.dumps(collected), encoding="utf-8")
    script = (
        "import json, pathlib, sys\n"
        "from live_analysis.callback import LiveAnalysis\n"
        "analysis = LiveAnalysis(sys.argv[2])\n"
        "for name, document in json.loads(pathlib.Path(sys.argv[1]).read_text()):\n"
        "    analysis(name, document)\n"
    )
    arguments = [sys.executable, "-c", script, str(documents), str(tmp_path / "results")]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stderr
    assert "axis at column 49." in done.stdout


def test_the_listings_of_the_page_run_as_they_stand(written: PhantomRun, tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "live-analysis.md"
    listings = re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    subscribe, read = listings[:2]  # the third reads what only a run in progress has
    plan = (
        f"import sys\nfrom pathlib import Path\nsys.path.insert(0, {str(page.parents[1])!r})\n"
        "from tests.live_analysis.test_callback import own_plan\nfrom tests.support.phantom_run import PhantomRun\n"
        f"RE(own_plan(PhantomRun(Path({str(written.run.path)!r}))))\n"
    )
    printed = ""
    for listing in (subscribe + plan, read):
        arguments = [sys.executable, "-c", listing]
        done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        assert done.returncode == 0, done.stderr
        printed = done.stdout
    assert "rotation_axis 49." in printed
