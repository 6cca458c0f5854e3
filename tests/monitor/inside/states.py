"""Finished states as the analysis leaves them, small enough to be checked by eye."""

from pathlib import Path

import h5py
import numpy as np

from operando.model.run_directory import RunDirectory
from operando.monitor.reading.run_view import TomogramView

ROWS, WIDTH = 8, 20  # of the finished volume; that of the whole view has half as many


def tomogram(name: str, attempt: int, *, exit_status: str = "success", taken: bool = True) -> TomogramView:
    return TomogramView(name, attempt, 0.0, 1.0 if taken else None, exit_status if taken else "", "", 360, 360)


def write_state(run: RunDirectory, attempt: int, value: float, *, voxel_um: float = 2.0, uid: str = "u") -> Path:
    """Write slices of one value, with masks, and the volume of the whole view that grows by one from row to row."""
    folder = run.volume(attempt)
    folder.mkdir(parents=True, exist_ok=True)
    with h5py.File(folder / "slices.h5", "w") as file:
        for name, shape in {"xy": (WIDTH, WIDTH), "xz": (ROWS, WIDTH), "yz": (ROWS, WIDTH)}.items():
            file[name] = np.full(shape, value, np.float32)
            file[name].attrs.update({"units": "1/cm", "voxel_size_um": voxel_um})
        file.attrs.update({"flags": "", "run_uid": uid})
    with h5py.File(folder / "masks.h5", "w") as file:
        for name, shape in {"xy": (WIDTH, WIDTH), "xz": (ROWS, WIDTH), "yz": (ROWS, WIDTH)}.items():
            mask = np.zeros(shape, np.uint8)
            mask[2, 3], mask[4, 5] = 1, 2
            file[name] = mask
        file.attrs["run_uid"] = uid
    with h5py.File(folder / "live.h5", "w") as file:
        rows = np.arange(ROWS // 2, dtype=np.float32)[:, None, None]
        file["attenuation"] = value + rows + np.zeros((1, WIDTH // 2, WIDTH // 2), np.float32)
        file["attenuation"].attrs.update({"units": "1/cm", "voxel_size_um": 2 * voxel_um})
    return folder


def write_displacement(folder: Path, moved_um: tuple[float, float, float]) -> None:
    """Write four cuboids of 8 um about the axis, all moved alike."""
    with h5py.File(folder / "displacement.h5", "w") as file:
        file["node_um"] = np.array([[x, y, 6.0] for x in (-4.0, 4.0) for y in (-4.0, 4.0)])
        file["displacement_um"] = np.tile(moved_um, (4, 1))
        file["valid"] = np.ones(4, bool)
        file.attrs.update({"cuboid_um": 8.0, "reference": "OCV", "run_uid": "u"})
