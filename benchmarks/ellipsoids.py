"""A scan of ellipsoids with exact strip integrals, on disk as Data Exchange, and what its voxels must be."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled

UM_PER_CM = 1e4
DARK_COUNTS = 100.0
FRAMES_AT_ONCE = 16
SUPERSAMPLING = 4


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid of constant attenuation, 1/cm, that adds to those around it.

    Lengths are in units of half the columns; z is from the middle row, downwards, x and y from the rotation axis.
    """

    x: float
    y: float
    z: float
    half_a: float
    half_b: float
    half_c: float
    turned_rad: float
    per_cm: float


SAMPLE = (
    Ellipsoid(0.0, 0.0, 0.0, 0.85, 0.8, 1.2, 0.3, 4.0),
    Ellipsoid(0.3, -0.2, 0.01, 0.25, 0.2, 0.3, 0.0, 3.0),
    Ellipsoid(-0.35, 0.25, -0.02, 0.2, 0.12, 0.1, 1.0, -2.5),
    Ellipsoid(0.1, 0.45, 0.05, 0.06, 0.05, 0.06, 0.5, 8.0),
    Ellipsoid(-0.2, -0.4, -0.06, 0.1, 0.03, 0.05, 2.0, 8.0),
)


@dataclass(frozen=True)
class ScanOnDisk:
    """How a scan is taken: sizes, angles, the axis' column, photons in open beam."""

    num_projections: int
    num_rows: int
    num_columns: int
    pixel_size_um: float
    axis_column: float
    turn_deg: float = 180.0
    photons: float = 20_000.0
    ellipsoids: tuple[Ellipsoid, ...] = SAMPLE

    @property
    def angles_deg(self) -> NDArray[np.float64]:
        """Angle of each projection."""
        return np.arange(self.num_projections) * self.turn_deg / self.num_projections


def write_scan(path: Path, scan: ScanOnDisk, seed: int, *, num_flats: int = 20) -> None:
    """Write counts with the noise of photons as a Data Exchange file, one chunk for each frame."""
    rng = np.random.default_rng(seed)
    shape = (scan.num_rows, scan.num_columns)
    unit_cm = scan.num_columns / 2 * scan.pixel_size_um / UM_PER_CM
    table = np.array(
        [[e.x, e.y, e.z, e.half_a, e.half_b, e.half_c, e.turned_rad, e.per_cm * unit_cm] for e in scan.ellipsoids]
    )
    with h5py.File(path, "w") as file:
        exchange = file.create_group("exchange")
        data = exchange.create_dataset("data", (scan.num_projections, *shape), np.uint16, chunks=(1, *shape))
        angles_deg = scan.angles_deg
        for first in range(0, scan.num_projections, FRAMES_AT_ONCE):
            angles = angles_deg[first : first + FRAMES_AT_ONCE]
            integrals = np.zeros((len(angles), *shape), np.float32)
            _project(integrals, np.radians(angles), table, scan.axis_column)
            data[first : first + len(angles)] = _counts(np.float32(scan.photons) * np.exp(-integrals), rng)
        flats = np.full((num_flats, *shape), scan.photons, np.float32)
        exchange.create_dataset("data_white", data=_counts(flats, rng))
        exchange.create_dataset("data_dark", data=np.full((5, *shape), DARK_COUNTS, np.uint16))
        exchange["theta"] = angles_deg
        exchange["theta"].attrs["units"] = "deg"
        file["measurement/instrument/detection_system/objective/resolution"] = scan.pixel_size_um
        file["measurement/instrument/detection_system/objective/resolution"].attrs["units"] = "um"


def true_row(scan: ScanOnDisk, row: int, num: int) -> NDArray[np.float32]:
    """Return the mean attenuation, 1/cm, of the voxels of one row, shape (num, num), the axis in the middle."""
    fine = (np.arange(num * SUPERSAMPLING) + 0.5) / SUPERSAMPLING - num / 2
    points = fine / (scan.num_columns / 2)
    z = (row - (scan.num_rows - 1) / 2) / (scan.num_columns / 2)
    means = np.zeros((num, num), np.float32)
    for y in range(num):
        v = points[y * SUPERSAMPLING : (y + 1) * SUPERSAMPLING, None]
        values = np.zeros((SUPERSAMPLING, len(points)), np.float32)
        for e in scan.ellipsoids:
            dx, dy = points[None, :] - e.x, v - e.y
            a = (dx * np.cos(e.turned_rad) + dy * np.sin(e.turned_rad)) / e.half_a
            b = (dy * np.cos(e.turned_rad) - dx * np.sin(e.turned_rad)) / e.half_b
            values += np.float32(e.per_cm) * (a**2 + b**2 + ((z - e.z) / e.half_c) ** 2 <= 1)
        means[y] = values.reshape(SUPERSAMPLING, num, SUPERSAMPLING).mean(axis=(0, 2))
    return means


def _counts(photons: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint16]:
    """Count photons: at hundreds of them their noise is that of a normal distribution."""
    noise = rng.standard_normal(photons.shape, np.float32) * np.sqrt(photons)
    return np.asarray(np.clip(np.rint(photons + noise + DARK_COUNTS), 0, 65535), np.uint16)


@compiled
def _project(
    integrals: NDArray[np.float32], angles_rad: NDArray[np.float64], table: NDArray[np.float64], axis_column: float
) -> None:
    """Add exact means over each column's width."""
    num_frames, num_rows, num_columns = integrals.shape
    half = num_columns / 2
    for frame in prange(num_frames):
        cosine, sine = np.cos(angles_rad[frame]), np.sin(angles_rad[frame])
        for number in range(len(table)):
            x, y, z, half_a, half_b, half_c, turned, strength = table[number]
            across2 = (half_a * np.cos(angles_rad[frame] - turned)) ** 2
            across2 += (half_b * np.sin(angles_rad[frame] - turned)) ** 2
            middle = x * cosine + y * sine
            for row in range(num_rows):
                inside = 1 - (((row - (num_rows - 1) / 2) / half - z) / half_c) ** 2
                if inside <= 0:
                    continue
                reach = np.sqrt(across2 * inside)
                first = max(int(np.floor((middle - reach) * half + axis_column)) - 1, 0)
                stop = min(int(np.ceil((middle + reach) * half + axis_column)) + 2, num_columns)
                before = 0.0
                for column in range(first, stop + 1):
                    t = min(max(((column - 0.5 - axis_column) / half - middle) / reach, -1.0), 1.0)
                    area = half_a * half_b * inside * (t * np.sqrt(1 - t * t) + np.arcsin(t))
                    if column > first:
                        integrals[frame, row, column - 1] += np.float32(strength * (area - before) * half)
                    before = area
