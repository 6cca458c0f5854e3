"""The analysis region as a file of its own: later states are compared with it, and people may measure more in it."""

import os
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from live_analysis.region_volume import RegionVolume
from operando.model.declared_size import VOLUME, readable

NAME = "region.h5"


@dataclass(frozen=True)
class Face:
    """Height of an interface above the bottom of the view, and the part of its uncertainty that is chance, in um."""

    height_um: float
    chance_um: float


@dataclass(frozen=True)
class RegionState:
    """The region of one tomogram with its margin, shape (z downwards, y, x) about the rotation axis, in 1/cm.

    ``core`` selects the region itself; ``first_row`` is the detector row of the first voxels, of ``num_rows`` of the
    view, so that heights above its bottom are known. ``face`` is the interface above the cathode, None where it was not
    found. ``absolute`` says that the values are attenuation; else offset and gain of the grey values are unknown.
    """

    values_per_cm: NDArray[np.float32]
    core: tuple[slice, slice, slice]
    first_row: int
    num_rows: int
    voxel_size_um: float
    tomogram: str
    run_uid: str
    face: Face | None = None
    absolute: bool = True


def region_state(
    region: RegionVolume,
    *,
    num_rows: int,
    pixel_size_um: float,
    tomogram: str,
    run_uid: str,
    face: Face | None,
    absolute: bool,
) -> RegionState:
    """Join a region that was just reconstructed to what a file keeps of it."""
    return RegionState(
        region.values_per_cm, region.core, region.rows.start, num_rows, pixel_size_um, tomogram, run_uid, face, absolute
    )


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
        dataset.attrs["grey_values_absolute"] = state.absolute
        if state.face is not None:
            dataset.attrs["face_height_um"] = state.face.height_um
            dataset.attrs["face_chance_um"] = state.face.chance_um
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
            np.asarray(readable(dataset, VOLUME)[...], np.float32),
            (z, y, x),
            int(dataset.attrs["first_row"]),
            int(dataset.attrs["num_rows"]),
            float(dataset.attrs["voxel_size_um"]),
            str(dataset.attrs["tomogram"]),
            str(dataset.attrs["run_uid"]),
            _face(dataset.attrs),
            bool(dataset.attrs["grey_values_absolute"]),
        )


def region_tomogram(folder: Path) -> str:
    """Return from which tomogram the region in ``folder`` is.

    Raises
    ------
    OSError, KeyError
        If there is no such file, or it does not say.
    """
    with h5py.File(folder / NAME) as file:
        return str(file["region"].attrs["tomogram"])


def _face(attributes: h5py.AttributeManager) -> Face | None:
    if "face_height_um" not in attributes:
        return None
    return Face(float(attributes["face_height_um"]), float(attributes["face_chance_um"]))
