"""Small scans on disk whose voxels are known."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import zarr
from numpy.typing import NDArray

from benchmarks.ellipsoids import ScanOnDisk, true_row, write_scan
from live_analysis.engines.registry import engine_named
from live_analysis.final_volume.declared import Declared
from live_analysis.final_volume.hdf5_frames import Hdf5Frames
from live_analysis.final_volume.making import MadeVolume, begin_or_go_on, make_slabs
from live_analysis.final_volume.plan import VolumeSettings
from live_analysis.final_volume.raw_scan import RawScan
from live_analysis.final_volume.slab_height import peak_bytes

SMALL = ScanOnDisk(90, 20, 64, 20.0, 31.8, photons=50_000.0)
MEMORY_BYTES = peak_bytes(4, 90, 64, 2, 64, 64**2)  # for slabs of four rows
SETTINGS = VolumeSettings(axis_column=SMALL.axis_column)


def written(path: Path, scan: ScanOnDisk = SMALL) -> Path:
    """Write a scan and return its path."""
    write_scan(path, scan, seed=2, num_flats=10)
    return path


def opened(path: Path) -> RawScan:
    """Return a Data Exchange file as a scan."""
    with h5py.File(path) as file:
        exchange = file["exchange"]

        def frames(name: str) -> Hdf5Frames:
            data = exchange[name]
            return Hdf5Frames(path, data.name, tuple(range(len(data))), data.shape[1:], data.dtype)

        return RawScan(
            projections=frames("data"),
            darks=frames("data_dark"),
            flats=frames("data_white"),
            flats_after=None,
            angles_deg=exchange["theta"][()],
            scan_fractions=None,
            pixel_size_um=float(file["measurement/instrument/detection_system/objective/resolution"][()]),
            energy_kev=None,
            num_expected=None,
            source=str(path),
        )


def made(out: Path, scan: RawScan, settings: VolumeSettings = SETTINGS, **options: Any) -> MadeVolume:
    """Make a whole volume, or what is missing of one."""
    volume = begun(out, scan, settings, **options)
    for _ in make_slabs(volume, scan, engine_named("native")):
        pass
    return volume


def begun(out: Path, scan: RawScan, settings: VolumeSettings = SETTINGS, **options: Any) -> MadeVolume:
    """Return a volume that may have slabs already."""
    memory_bytes = options.pop("memory_bytes", MEMORY_BYTES)
    again = options.pop("again", False)
    declared = options.pop("declared", Declared())
    return begin_or_go_on(out, scan, settings, declared, memory_bytes=memory_bytes, again=again)


def voxels(out: Path, level: int = 0) -> NDArray[np.float32]:
    """Return a level of a volume."""
    return np.asarray(zarr.open_array(out / str(level), mode="r")[:], np.float32)


def truth(scan: ScanOnDisk, num: int) -> NDArray[np.float32]:
    """Return what the voxels must be."""
    return np.stack([true_row(scan, row, num) for row in range(scan.num_rows)])


def changed(scan: RawScan, **values: Any) -> RawScan:
    """Return a scan that differs in something."""
    return replace(scan, **values)
