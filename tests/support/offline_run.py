"""A rehearsal without servers: the simulated cell rendered into a run directory as the camera would have left it."""

import json
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from live_analysis.run_follower import TomogramRun
from live_analysis.tomogram_analysis import TomogramAnalysis
from operando.model.experiment_file import load_experiment
from operando.model.frames import FrameKind
from operando.model.geometry import ImagingGeometry
from operando.model.measurement import Measurement
from operando.model.run_directory import RunDirectory
from simulators.cell_frames import CellFrames
from simulators.cell_parameters import CellParameters
from simulators.cell_twin import CellTwin
from simulators.detector import Detector
from simulators.hdf5_writer import Hdf5Writer
from simulators.phantom import Phantom
from simulators.projector import Projector
from simulators.truth import truth

EXPERIMENT = Path(__file__).parents[2] / "experiments" / "cus_26mpa.toml"
CELL = EXPERIMENT.with_name("cus_26mpa.cell.toml")
QUICK = ImagingGeometry(num_columns=640, num_rows=112, pixel_size_um=3.52)
START_S = 1.7e9
RUN_S = 2e6  # no state of the cell lies further from its start
SPECIFIC_CURRENT_MA_PER_G = 10.0


@dataclass(frozen=True)
class View:
    """How a tomogram is taken."""

    imaging: ImagingGeometry = QUICK
    num_projections: int = 360
    photons_per_pixel: float = 4e4
    exposure_s: float = 0.7
    num_darks: int = 20
    num_flats: int = 40


def edited(parameters: CellParameters, values: Mapping[str, float | list[float] | str]) -> CellParameters:
    """Return another cell: values by dotted name, such as ``particles.active_mass``."""
    tables = parameters.model_dump()
    for name, value in values.items():
        table = tables
        for key in name.split("."):
            table = table[key]
        table["value"] = value
    return CellParameters.model_validate(tables)


def discharge(twin: CellTwin, parameters: CellParameters, voltage_v: float) -> float:
    """Discharge a rested cell to a voltage; return the time when it is there."""
    current_a = SPECIFIC_CURRENT_MA_PER_G * parameters.particles.active_mass.value * 1e-6
    twin.constant_current(START_S, -current_a)
    reached_s = twin.next_crossing(voltage_v, rising=False, before_s=START_S + RUN_S)
    assert reached_s is not None, f"the cell never falls to {voltage_v} V"
    twin.constant_voltage(reached_s, voltage_v)
    return reached_s


class OfflineRun:
    """A run directory that gets one tomogram after the other.

    ``truths`` holds what was in the analysis region during each, by the tomogram's name.
    """

    def __init__(self, folder: Path, parameters: CellParameters, seed: int, view: View, experiment: Path = EXPERIMENT):
        self.run = RunDirectory(folder)
        self.view, self.parameters = view, parameters
        for path in (folder, self.run.frames, self.run.simulation, self.run.report, self.run.volumes):
            path.mkdir(parents=True, exist_ok=True)
        shutil.copy(experiment, self.run.experiment)
        self.experiment = load_experiment(self.run.experiment)
        self.phantom = Phantom(parameters, seed)
        self.twin = CellTwin(parameters, START_S)
        imaging = view.imaging
        self.axis_column = (imaging.num_columns - 1) / 2 + parameters.beam.axis_offset.value / imaging.pixel_size_um
        self._frames = CellFrames(
            self.twin.state,
            self.phantom,
            Projector(imaging, axis_column=self.axis_column),
            Detector(imaging, parameters.beam, photons_per_pixel=view.photons_per_pixel, seed=seed),
            nominal_exposure_s=view.exposure_s,
        )
        self._num_frames = 0
        self.tomograms: list[TomogramRun] = []
        self.truths: dict[str, dict[str, Any]] = {}
        self._document("start", uid="outer", time=START_S, kind="experiment", rehearsal=True)

    def expose(self, name: str, begin_s: float) -> TomogramRun:
        """Take a tomogram that begins at ``begin_s``: its frames, documents and truth."""
        view, attempt = self.view, len(self.tomograms) + 1
        start = {
            "uid": f"tomogram {attempt}",
            "time": begin_s,
            "kind": "tomogram",
            "tomogram": name,
            "attempt": attempt,
            "num_projections": view.num_projections,
            "pixel_size_um": view.imaging.pixel_size_um,
            "angle_range_deg": 180.0,
            "energy_kev": self.parameters.beam.energy.value,
            "rehearsal": True,
        }
        angles_deg = [180.0 * index / view.num_projections for index in range(view.num_projections)]
        for kind, sample_x_mm, angles in (
            (FrameKind.DARK, 0.0, [0.0] * view.num_darks),
            (FrameKind.FLAT, 12.0, [0.0] * view.num_flats),
            (FrameKind.PROJECTION, 0.0, angles_deg),
        ):
            self._expose(self.run.frames_file(attempt, kind), begin_s, sample_x_mm, kind is not FrameKind.DARK, angles)
        stop = {"uid": f"stop {attempt}", "time": begin_s, "run_start": start["uid"], "exit_status": "success"}
        self._document("start", **start)
        self._document("stop", **stop)
        self.tomograms.append(TomogramRun(start, stop))
        analysis = self.experiment.analysis
        assert analysis is not None
        middle_s = begin_s + view.num_projections * view.exposure_s / 2
        self.truths[name] = truth(self.phantom, self.twin.state(middle_s), analysis.region.region)
        with self.run.truth.open("a") as file:
            file.write(json.dumps({"attempt": attempt, **self.truths[name]}) + "\n")
        return self.tomograms[-1]

    def measure(self, tomogram: TomogramRun) -> dict[str, Measurement]:
        """Analyse one tomogram; return its measurements by name."""
        analysis = TomogramAnalysis(self.run, self.experiment, tomogram)
        while analysis.poll():
            pass
        results = analysis.result()
        assert not results.failure, results.failure
        return {entry.name: entry for entry in results.measurements}

    def _expose(
        self, path: Path, begin_s: float, sample_x_mm: float, shutter_open: bool, angles_deg: list[float]
    ) -> None:
        writer = Hdf5Writer(path, self.view.imaging.frame_shape)
        exposure_s, first = self.view.exposure_s, self._num_frames + 1
        times = [begin_s + (index + 0.5) * exposure_s for index in range(len(angles_deg))]
        with ThreadPoolExecutor(2) as pool:  # frames keep their noise whatever the order
            frames = [
                partial(self._frames.frame, time_s, exposure_s, angle_deg, sample_x_mm, shutter_open, first + index)
                for index, (time_s, angle_deg) in enumerate(zip(times, angles_deg, strict=True))
            ]
            for index, counts in enumerate(pool.map(lambda frame: frame(), frames)):
                writer.append(counts, times[index], first + index, angles_deg[index])
        writer.close()
        self._num_frames += len(angles_deg)

    def _document(self, document_name: str, **content: object) -> None:
        with self.run.documents.open("a") as file:
            file.write(json.dumps([document_name, content]) + "\n")
