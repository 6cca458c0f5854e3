"""Scans of a known object as other people record them, and their analysis without a beamline in between."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from live_analysis.analyse import analyse
from live_analysis.results import AnalysisRun, read_analysis_runs
from operando.model.frames import FrameKind
from simulators.hdf5_writer import Hdf5Writer
from simulators.recorded_data import RecordedScan
from simulators.recorded_frames import RecordedFrames
from tests.support.phantom_run import PhantomRun

ROWS, COLUMNS = 40, 120
DARK, BEAM = 200.0, 20_000.0
# x, y, z, radius in pixels from axis and bottom, attenuation per pixel
SPHERES = (
    (-22.0, 9.0, 12.0, 6.0, 0.03), (14.0, -21.0, 20.0, 5.0, 0.04), (5.0, 26.0, 27.0, 4.0, 0.05),
    (28.0, 6.0, 30.0, 3.0, 0.05), (-9.0, -12.0, 8.0, 4.0, 0.03), (2.0, 2.0, 20.0, 3.0, 0.06),
    (-27.0, -16.0, 24.0, 3.0, 0.05),
)  # fmt: skip
BODY_RADIUS, BODY_PER_PIXEL = 36.0, 0.008


def integral(angle_deg: float, axis_column: float) -> NDArray[np.float64]:
    """Return the attenuation integrals of one projection, shape (row, column)."""
    angle = np.radians(angle_deg)
    u = np.arange(COLUMNS) - axis_column
    z = ROWS - np.arange(ROWS)[:, None] - 0.5
    total = np.broadcast_to(2 * BODY_PER_PIXEL * np.sqrt(np.maximum(BODY_RADIUS**2 - u**2, 0)), (ROWS, COLUMNS)).copy()
    for x, y, height, radius, per_pixel in SPHERES:
        across = u - (x * np.cos(angle) + y * np.sin(angle))
        total += 2 * per_pixel * np.sqrt(np.maximum(radius**2 - across**2 - (z - height) ** 2, 0))
    return total


@dataclass
class StrangeScan:
    """Frames of a scan with the axis at ``axis_column``; change what is to be strange before it is written."""

    angles_deg: NDArray[np.float64] = field(default_factory=lambda: np.linspace(0.0, 180.0, 91))
    axis_column: float = 62.3
    seed: int = 1

    def __post_init__(self) -> None:
        """Expose the frames with photon noise."""
        rng = np.random.default_rng(self.seed)
        shape = (3, ROWS, COLUMNS)
        self.darks = rng.poisson(DARK, shape).astype(np.uint16)
        self.flats = rng.poisson(DARK + BEAM, shape).astype(np.uint16)
        means = DARK + BEAM * np.exp(-np.stack([integral(angle, self.axis_column) for angle in self.angles_deg]))
        self.projections = rng.poisson(means).astype(np.uint16)

    def write_data_exchange(self, path: Path, *, theta: Any = None, units: str | None = "deg") -> Path:
        """Write Data Exchange with the stacks as they are now."""
        with h5py.File(path, "w") as file:
            for name, values in (("data", self.projections), ("data_white", self.flats), ("data_dark", self.darks)):
                file[f"exchange/{name}"] = values
            file["exchange/theta"] = self.angles_deg if theta is None else theta
            if units is not None:
                file["exchange/theta"].attrs["units"] = units
        return path


def analysed(scan: RecordedScan, folder: Path) -> AnalysisRun:
    """Serve a recorded scan frame by frame as the simulated camera does, and analyse the run directory it makes."""
    faked = PhantomRun(folder, analysis=False)
    num = scan.projections.shape[0]
    source = RecordedFrames(scan, sample_out_mm=10.0, step_deg=1.0)
    tomogram = faked.begin("replay", 1, num_projections=num)
    for kind, count, x_mm in (
        (FrameKind.DARK, scan.darks.shape[0], 0.0), (FrameKind.FLAT, scan.flats.shape[0], 10.0),
        (FrameKind.PROJECTION, num, 0.0),
    ):  # fmt: skip
        writer = Hdf5Writer(faked.run.frames_file(1, kind), scan.frame_shape)
        for index in range(count):
            counts = source.frame(0.0, 0.1, float(index), x_mm, kind is not FrameKind.DARK, index)
            writer.append(counts, float(index), index + 1, source.frame_angle_deg(float(index)))
        writer.close()
    tomogram.end()
    faked.end()
    analyse(faked.run.path, follow=False, again=False, stop=threading.Event(), report=lambda _: None)
    return read_analysis_runs(faked.run.results)[-1]
