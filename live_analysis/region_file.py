"""The analysis region as a file of its own: later states are compared with it, and people may measure more in it."""

import os
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from live_analysis.region_volume import RegionVolume

NAME = "region.h5"


@dataclass(frozen=True)
class RegionState:
    """The region of one tomogram with its margin, shape (z downwards, y, x) about the rotation axis, in 1/cm.

    ``core`` selects the region itself; ``first_row`` is the detector row of the first voxels, of ``num_rows`` of the
    view, so that heights above its bottom are known.
    """

    values_per_cm: NDArray[np.float32]
    core: tuple[slice, slice, slice]
    first_row: int
    num_rows: int
    voxel_size_um: float
    tomogram: str
    run_uid: str

    @property
    def height_um(self) -> NDArray[np.float64]:
        """Height of the middle of each layer of voxels above the bottom of the view."""
        rows = self.first_row + np.arange(len(self.values_per_cm))
        return np.asarray((self.num_rows - rows - 0.5) * self.voxel_size_um)


def region_state(
    region: RegionVolume, *, num_rows: int, pixel_size_um: float, tomogram: str, run_uid: str
) -> RegionState:
    """Join a region that was just reconstructed to what a file keeps of it."""
    return RegionState(region.values_per_cm, region.core, region.rows.start, num_rows, pixel_size_um, tomogram, run_uid)


def write_region(folder: Path, state: RegionState) -> None:
    """Write the region into ``folder``; whoever reads meanwhile finds the old file or the new one."""
    values = state.values_per_cm
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{NAME}"
    with h5py.File(unfinished, "w") as file:
        dataset = file.create_dataset("region", data=values, chunks=(1, *values.shape[1:]))
        dataset.attrs["units"] = "1/cm"
        dataset.attrs["voxel_size_um"] = state.voxel_size_um
        dataset.attrs["order"] = "z (downwards), y, x; centred on the rotation axis; with a margin, see core"
        dataset.attrs["core"] = [edge for part in state.core for edge in (part.start, part.stop)]
        dataset.attrs["first_row"] = state.first_row
        dataset.attrs["num_rows"] = state.num_rows
        dataset.attrs["tomogram"] = state.tomogram
        dataset.attrs["run_uid"] = state.run_uid
    os.replace(unfinished, folder / NAME)


def read_region(folder: Path) -> RegionState:
    """Read what `write_region` wrote.

    Raises
    ------
    OSError, KeyError, ValueError
        If there is no such file, or it is not whole.
    """
    with h5py.File(folder / NAME) as file:
        dataset = file["region"]
        edges = [int(edge) for edge in dataset.attrs["core"]]
        if len(edges) != 6 or dataset.ndim != 3:
            raise ValueError(f"{folder / NAME}: holds no region of three dimensions with the edges of its core.")
        z, y, x = (slice(begin, end) for begin, end in zip(edges[::2], edges[1::2], strict=True))
        return RegionState(
            np.asarray(dataset[...], np.float32),
            (z, y, x),
            int(dataset.attrs["first_row"]),
            int(dataset.attrs["num_rows"]),
            float(dataset.attrs["voxel_size_um"]),
            str(dataset.attrs["tomogram"]),
            str(dataset.attrs["run_uid"]),
        )
