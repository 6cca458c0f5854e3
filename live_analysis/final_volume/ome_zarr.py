"""A volume as OME-Zarr 0.4: its levels, what is said of it, and slabs written so that they survive a power cut.

OME-Zarr 0.4, https://ngff.openmicroscopy.org/0.4/
"""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from live_analysis.final_volume.plan import VolumePlan
from live_analysis.final_volume.raw_scan import RawScan, VolumeError
from live_analysis.final_volume.slab_height import CHUNK_COLUMNS

NOISE = "noise"  # group of the voxels' uncertainties
# The lowest level: higher ones cost time and gain nothing on noise.
COMPRESSION = {"id": "blosc", "cname": "zstd", "clevel": 1, "shuffle": 1}


class VolumeStore:
    """The folder of one volume."""

    def __init__(self, path: Path, plan: VolumePlan) -> None:
        self.path = path
        self._plan = plan

    def create(self, scan: RawScan) -> None:
        """Make the folder with empty levels and what is known before the first slab, whole or not at all."""
        unfinished = VolumeStore(self.path.with_name(f"{self.path.name}.new"), self._plan)
        shutil.rmtree(unfinished.path, ignore_errors=True)
        unfinished.path.mkdir(parents=True)
        unfinished.create_levels()
        unfinished.describe(scan, complete=False)
        if self.path.exists():
            self.path.rmdir()  # an empty folder
        unfinished.path.replace(self.path)
        _kept(self.path.parent)

    def create_levels(self) -> None:
        """Make the arrays of all levels."""
        zarr.create_group(self.path, zarr_format=2)
        if self._plan.settings.noise:
            zarr.create_group(self.path / NOISE, zarr_format=2)
        for folder, level in self._arrays():
            zarr.create_array(
                folder,
                name=str(level),
                shape=self._shape(level),
                chunks=self._chunks(level),
                dtype=np.float32,
                zarr_format=2,
                fill_value=float("nan"),
                compressors=COMPRESSION,
                chunk_key_encoding={"name": "v2", "separator": "/"},
            )

    def describe(self, scan: RawScan, *, complete: bool, totals: dict[str, Any] | None = None) -> None:
        """Write (or write again) what is said of the volume, whole or not at all."""
        about = {
            "multiscales": [self._multiscale(scan)],
            "operando": {
                "quantity": "attenuation",
                "unit": "1/cm",
                "grey_values_absolute": self._plan.grey_values_absolute,
                "complete": complete,
                "source": scan.source,
                "source_run_uid": scan.run_uid,
                "tomogram": scan.tomogram,
                "rehearsal": scan.rehearsal,
                "energy_kev": scan.energy_kev,
                "num_projections": scan.projections.shape[0],
                "flags": list(self._plan.flags),
                "rotation_axis": asdict(self._plan.axis),
                "plan": self._plan.as_json(),
                **(totals or {}),
            },
        }
        write_whole(self.path / ".zattrs", json.dumps(about, indent=1, allow_nan=False))
        if self._plan.settings.noise:
            write_whole(self.path / NOISE / ".zattrs", json.dumps(self._about_noise(scan), indent=1, allow_nan=False))

    def write(self, index: int, levels: list[NDArray[np.float32]]) -> None:
        """Write a slab at every level."""
        for level, values in enumerate(levels):
            self._write(self.path, index, level, values)

    def write_noise(self, index: int, values: NDArray[np.float32]) -> None:
        """Write the uncertainty of a slab's voxels."""
        self._write(self.path / NOISE, index, 0, values)

    def kept(self, index: int) -> int:
        """Return the bytes of a slab's files once the disk has them."""
        folders: set[Path] = set()
        num_bytes = 0
        for file in self.files(index):
            num_bytes += _kept(file)
            folders.update(file.parents[:3])
        for folder in folders:
            _kept(folder)
        return num_bytes

    def num_bytes(self, index: int) -> int:
        """Return the bytes of a slab's files; -1 if one is missing, or if there is no such slab."""
        if index not in range(self._plan.num_slabs):
            return -1
        try:
            return sum(file.stat().st_size for file in self.files(index))
        except FileNotFoundError:
            return -1

    def files(self, index: int) -> Iterator[Path]:
        """Name the files of a slab's chunks."""
        for folder, level in self._arrays():
            (num_z, num_y, num_x), chunks = self._shape(level), self._chunks(level)
            first = (index * self._plan.slab_rows) >> level
            stop = min(first + (self._plan.slab_rows >> level), num_z)
            for z in range(first // chunks[0], -(-stop // chunks[0])):
                for y in range(-(-num_y // chunks[1])):
                    for x in range(-(-num_x // chunks[2])):
                        yield folder / str(level) / str(z) / str(y) / str(x)

    def _arrays(self) -> Iterator[tuple[Path, int]]:
        """Name group and level of every array."""
        for level in range(self._plan.num_levels):
            yield self.path, level
        if self._plan.settings.noise:
            yield self.path / NOISE, 0

    def _write(self, folder: Path, index: int, level: int, values: NDArray[np.float32]) -> None:
        # Chunks outside the view are written too: what has no file is missing.
        with zarr.config.set({"array.write_empty_chunks": True}):
            array = zarr.open_array(folder / str(level), mode="r+", zarr_format=2)
        first = (index * self._plan.slab_rows) >> level
        array[first : first + len(values)] = values

    def _about_noise(self, scan: RawScan) -> dict[str, Any]:
        finest = self._multiscale(scan)
        counting = self._plan.counting
        return {
            "multiscales": [{**finest, "name": f"{finest['name']} uncertainty", "datasets": finest["datasets"][:1]}],
            "operando": {
                "quantity": "standard uncertainty of the attenuation",
                "unit": "1/cm",
                "of": "single voxels of the finest level, if the same scan were repeated; neighbours are correlated",
                "covers": "noise of photons and camera in projections, flats and darks",
                "camera": None if counting is None else asdict(counting),
            },
        }

    def _shape(self, level: int) -> tuple[int, int, int]:
        num_z, num_y, num_x = (-(-num // 2**level) for num in self._plan.shape)
        return num_z, num_y, num_x

    def _chunks(self, level: int) -> tuple[int, int, int]:
        _, num_y, num_x = self._shape(level)
        return max(self._plan.chunk_rows >> level, 1), min(CHUNK_COLUMNS, num_y), min(CHUNK_COLUMNS, num_x)

    def _multiscale(self, scan: RawScan) -> dict[str, Any]:
        pixel_um, (first_row, _), (x0, _, y0, _) = self._plan.pixel_size_um, self._plan.rows, self._plan.region
        middle = (self._plan.square - 1) / 2
        origin_um = [first_row * pixel_um, (y0 - middle) * pixel_um, (x0 - middle) * pixel_um]
        return {
            "version": "0.4",
            "name": scan.tomogram or Path(scan.source).name,
            "axes": [{"name": name, "type": "space", "unit": "micrometer"} for name in ("z", "y", "x")],
            "datasets": [
                {
                    "path": str(level),
                    "coordinateTransformations": [
                        {"type": "scale", "scale": [pixel_um * 2**level] * 3},
                        {
                            "type": "translation",
                            "translation": [start + (2**level - 1) / 2 * pixel_um for start in origin_um],
                        },
                    ],
                }
                for level in range(self._plan.num_levels)
            ],
            "type": "mean",
        }


def read_plan(path: Path) -> dict[str, Any] | None:
    """Return the plan of a volume that was begun; None if there is nothing.

    Raises
    ------
    VolumeError
        If the folder holds something else.
    """
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return None
    try:
        plan = json.loads((path / ".zattrs").read_text(encoding="utf-8"))["operando"]["plan"]
        return dict(plan)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise VolumeError(
            f"{path}: is there already and is no volume of ours ({type(error).__name__}: {error}). "
            "Give another folder with --out."
        ) from error


def write_whole(path: Path, text: str) -> None:
    """Write a small file so that there is either the old or the new one, whatever happens."""
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _kept(path.parent)


def _kept(path: Path) -> int:
    """Return the size of a file or folder once the disk has it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
