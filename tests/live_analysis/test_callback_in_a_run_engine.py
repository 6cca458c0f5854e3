"""The analysis is an ordinary callback of somebody's own RunEngine."""

import math
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

from live_analysis.analyse import measure
from live_analysis.callback import LiveAnalysis
from live_analysis.results import TomogramResults
from live_analysis.tomogram_analysis import TomogramAnalysis
from operando.model.experiment import load_experiment
from operando.model.frames import IMAGES, FrameKind
from operando.model.run_directory import RunDirectory
from tests.support.phantom_run import AXIS_COLUMN, COLUMNS, ROWS, PhantomRun

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


def own_plan(written: PhantomRun) -> Any:
    yield from bps.open_run({"pixel_size_um": 10.0, "energy_kev": 35.0, "sample": "mine"})
    for kind, num in ((FrameKind.DARK, 3), (FrameKind.FLAT, 4), (FrameKind.PROJECTION, 90)):
        frames = WrittenFrames(kind, written.run.frames_file(1, kind), num)
        yield from bps.declare_stream(frames, name=kind.value, collect=True)
        yield from bps.collect(frames, name=kind.value)
    yield from bps.close_run()


def test_a_scan_of_ones_own_run_engine_is_measured(written: PhantomRun, tmp_path: Path) -> None:
    run, experiment = RunDirectory(tmp_path / "results"), load_experiment(written.run.experiment)
    finished: list[TomogramResults] = []
    analysis = LiveAnalysis(
        lambda tomogram: measure(TomogramAnalysis(run, experiment, tomogram), run, experiment, tomogram),
        finished.append,
    )
    run_engine = RunEngine(call_returns_result=False)
    run_engine.subscribe(analysis)
    run_engine(bp.count([det]))  # a run of another kind is left alone
    (uid,) = run_engine(own_plan(written))
    assert analysis.close(TIMEOUT_S)
    (results,) = finished
    assert results.raw_run == uid
    assert results.failure == ""
    values = {entry.name: entry for entry in results.measurements}
    assert values["rotation_axis"].value == pytest.approx(AXIS_COLUMN, abs=0.5)
    assert "high_attenuation_volume" in values
    assert all(math.isfinite(entry.time) for entry in results.measurements)
    assert len(list(run.report.glob("*.png"))) == 1
