"""A small run directory of a known object: copper spheres in a filled bore with a wall, projected in closed form."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from operando.model.cell_log import CellLogWriter
from operando.model.frames import FrameKind
from operando.model.json_lines import JsonLinesWriter
from operando.model.run_directory import RunDirectory
from simulators.hdf5_writer import Hdf5Writer

START_S = 1_700_000_000.0
ROWS, COLUMNS, PIXEL_UM = 64, 96, 10.0
AXIS_COLUMN = 49.25
DARK_COUNTS, BEAM_COUNTS = 100.0, 30_000.0
BORE_PER_CM, WALL_PER_CM, COPPER_PER_CM = 2.0, 0.32, 63.4  # PEEK and Cu at 35 keV
BORE_RADIUS_UM, WALL_RADIUS_UM = 300.0, 420.0
# x, y, z above the bottom of the view, radius, um: inside the region, clear of its faces and of each other.
SPHERES_UM = ((60.0, 20.0, 300.0, 50.0), (-70.0, -40.0, 260.0, 45.0), (-60.0, 80.0, 390.0, 40.0))
COPPER_UM3 = sum(4 / 3 * np.pi * radius**3 for *_, radius in SPHERES_UM)
FRAME_PERIOD_S = 0.5

EXPERIMENT = """
[experiment]
name = "phantom"
title = "Copper spheres in a small cell"
[cell]
bore_diameter = "0.6 mm"
wall_outer_diameter = "0.84 mm"
wall_material = "PEEK"
active_material = "CuS"
active_mass = "1 mg"
theoretical_capacity = "561 mAh/g"
stack_pressure = "26 MPa"
lower_voltage = "0.7 V"
upper_voltage = "3.0 V"
[limits]
min_voltage = "0.65 V"
max_voltage = "3.1 V"
max_current = "100 uA"
max_stack_pressure = "35 MPa"
max_temperature = "45 degC"
[sampling]
[beam]
energy = "35 keV"
[tomogram]
exposure = "0.5 s"
frame_period = "0.5 s"
num_darks = 3
num_flats = 4
sample_out = "12 mm"
[geometry.quick]
num_columns = 96
num_rows = 64
pixel_size = "10 um"
field_of_view = ["0.96 mm", "0.64 mm"]
num_projections = 90
photons_per_pixel = 4e4
[rehearsal]
cell = "phantom.cell.toml"
seed = 1
[[schedule]]
step = "rest"
name = "rest"
duration = "1 h"
tomograms = [{ name = "OCV", at = "end" }]
"""
ANALYSIS = """
[analysis]
high_attenuation_material = "Cu"
resolution = "10 um"
region = { width_x = "300 um", width_y = "300 um", bottom = "180 um", top = "450 um" }
grey_reference = { name = "filling", attenuation = "2 1/cm", bottom = "540 um", top = "600 um", radius = "200 um" }
"""


def projection(angle_deg: float) -> NDArray[np.float64]:
    """Return the counts of one projection, shape (row, column), without noise."""
    angle = np.radians(angle_deg)
    u_um = (np.arange(COLUMNS) - AXIS_COLUMN) * PIXEL_UM
    z_um = (ROWS - np.arange(ROWS)[:, None] - 0.5) * PIXEL_UM
    bore = 2 * np.sqrt(np.maximum(BORE_RADIUS_UM**2 - u_um**2, 0))
    wall = 2 * np.sqrt(np.maximum(WALL_RADIUS_UM**2 - u_um**2, 0)) - bore
    integral = np.broadcast_to(bore * BORE_PER_CM + wall * WALL_PER_CM, (ROWS, COLUMNS)).copy()
    for x_um, y_um, height_um, radius_um in SPHERES_UM:
        across_um = u_um - (x_um * np.cos(angle) + y_um * np.sin(angle))
        chord = 2 * np.sqrt(np.maximum(radius_um**2 - across_um**2 - (z_um - height_um) ** 2, 0))
        integral += chord * (COPPER_PER_CM - BORE_PER_CM)
    return np.asarray(DARK_COUNTS + BEAM_COUNTS * np.exp(-integral * 1e-4))


def counts(kind: FrameKind, angle_deg: float, seed: int) -> NDArray[np.uint16]:
    """Return one noisy frame."""
    if kind is FrameKind.PROJECTION:
        mean = projection(angle_deg)
    else:
        mean = np.full((ROWS, COLUMNS), DARK_COUNTS + BEAM_COUNTS * (kind is FrameKind.FLAT))
    return np.random.default_rng(seed).poisson(mean).astype(np.uint16)


@dataclass
class PhantomTomogram:
    """One tomogram that is being written; ``write`` appends frames, ``end`` writes its stop document."""

    owner: "PhantomRun"
    name: str
    attempt: int
    uid: str
    num_projections: int
    writers: dict[FrameKind, Hdf5Writer] = field(default_factory=dict)

    def write(self, kind: FrameKind, num: int, *, frame_shape: tuple[int, int] = (ROWS, COLUMNS)) -> None:
        """Append frames of one kind; projections go on at the next angle."""
        path = self.owner.run.frames_file(self.attempt, kind)
        if kind not in self.writers:
            self.writers[kind] = Hdf5Writer(path, frame_shape)
            self.owner.declare(self.uid, kind, path)
        writer = self.writers[kind]
        for index in range(writer.num_frames, writer.num_frames + num):
            angle_deg = 180.0 * index / self.num_projections if kind is FrameKind.PROJECTION else 0.0
            frame = counts(kind, angle_deg, index)[: frame_shape[0], : frame_shape[1]]
            writer.append(frame, self.owner.frame_time_s(index), index + 1, angle_deg)

    def write_all(self) -> None:
        """Write darks, flats and all projections, and close the files."""
        for kind, num in ((FrameKind.DARK, 3), (FrameKind.FLAT, 4), (FrameKind.PROJECTION, self.num_projections)):
            self.write(kind, num)
        self.close()

    def close(self) -> None:
        """Close the frames files as the HDF5 plugin does at the end of a capture."""
        for writer in self.writers.values():
            writer.close()

    def end(self, *, exit_status: str = "success", reason: str = "") -> None:
        """Write the stop document."""
        stop = {"run_start": self.uid, "exit_status": exit_status, "reason": reason}
        self.owner.document("stop", uid=f"stop of {self.uid}", **stop)


class PhantomRun:
    """A run directory as acquisition and guard write it; every row is durable when a method returns."""

    def __init__(self, folder: Path, *, analysis: bool = True) -> None:
        self.run = RunDirectory(folder)
        for path in (folder, self.run.frames, self.run.report, self.run.processes):
            path.mkdir(parents=True, exist_ok=True)
        self.run.experiment.write_text(EXPERIMENT + (ANALYSIS if analysis else ""), encoding="utf-8")
        self._documents = JsonLinesWriter(self.run.documents)
        self._num_declared = 0
        self._schedule()
        self.document("start", uid="outer", kind="experiment", name="phantom", rehearsal=True)

    def begin(self, name: str, attempt: int, *, num_projections: int = 90) -> PhantomTomogram:
        """Write the start document of a tomogram and the cell's first reading."""
        uid = f"run-of-attempt-{attempt}"
        self.document(
            "start", uid=uid, kind="tomogram", tomogram=name, attempt=attempt, outer_run="outer", step="rest", cycle=1,
            num_darks=3, num_flats=4, num_projections=num_projections, exposure_s=0.5, frame_period_s=FRAME_PERIOD_S,
            pixel_size_um=PIXEL_UM, frame_shape=[ROWS, COLUMNS], energy_kev=35.0, angle_range_deg=180.0, rehearsal=True,
        )  # fmt: skip
        for stream in (*FrameKind, "cell"):
            name_of = stream.value if isinstance(stream, FrameKind) else stream
            self.document("descriptor", uid=f"{uid} {name_of}", run_start=uid, name=name_of, data_keys={})
        self.read_cell(uid, 0.0)
        return PhantomTomogram(self, name, attempt, uid, num_projections)

    def complete(self, name: str, attempt: int) -> PhantomTomogram:
        """Write a whole tomogram."""
        tomogram = self.begin(name, attempt)
        tomogram.write_all()
        self.read_cell(tomogram.uid, 45.0)
        tomogram.end()
        return tomogram

    def end(self) -> None:
        """Write the experiment's stop document."""
        self.document("stop", uid="stop of outer", run_start="outer", exit_status="success", reason="")

    def read_cell(self, uid: str, after_s: float) -> None:
        """Write one event of the stream ``cell``; charge falls by 1 mAh in 10 h from the step's beginning on."""
        data = {
            "cell_voltage": 2.1 - after_s * 1e-6, "cell_current": -1e-4, "cell_charge": -0.5 - after_s / 36_000,
            "cell_force": 7.3, "cell_pressure": 25.8, "cell_temperature": 25.0,
            "cell_sample_time": START_S + 18_000 + after_s, "cell_potentiostat_row": 2,
        }  # fmt: skip
        self.document("event", uid=f"{uid} cell {after_s}", descriptor=f"{uid} cell", data=data)

    def declare(self, uid: str, kind: FrameKind, path: Path) -> None:
        """Write where the frames of one kind lie."""
        resource = f"{uid} {kind.value} file"
        self.document(
            "stream_resource", uid=resource, run_start=uid, uri=f"file://localhost{path}", data_key="camera_image"
        )
        self.document(
            "stream_datum", uid=f"{resource}/0", stream_resource=resource, descriptor=f"{uid} {kind.value}",
            indices={"start": 0, "stop": 1},
        )  # fmt: skip

    def frame_time_s(self, index: int) -> float:
        """Return when a frame was exposed."""
        return START_S + 18_000 + index * FRAME_PERIOD_S

    def document(self, document_name: str, **content: object) -> None:
        """Append one document."""
        self._documents.append([document_name, {"time": START_S + 18_000, **content}])

    def copy_to(self, folder: Path) -> RunDirectory:
        """Copy the folder, as somebody who brings it home does."""
        shutil.copytree(self.run.path, folder)
        return RunDirectory(folder)

    def _schedule(self) -> None:
        line = {"time": START_S, "event": "intent", "entry": "step", "name": "rest"}
        self.run.schedule.write_text(json.dumps(line) + "\n", encoding="utf-8")
        log = CellLogWriter(self.run.cell_log)
        for time_s, charge_mah in ((START_S + 1, 0.0), (START_S + 18_000, -0.5)):
            values = (time_s - START_S, 2.1, -1e-4, charge_mah, charge_mah, 1.0, 0.0)
            log.sample("potentiostat", time_s=time_s, wall_s=time_s, period_s=30.0, quality="OK", values=values)
        log.close()
