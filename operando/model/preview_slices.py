"""The preview of a tomogram that is being taken: three slices in one file, the newest ones and never half of them."""

import os
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from operando.model.declared_size import PLANE, readable
from operando.model.ordinary_file import ordinary_file

ORDERS = {"xy": "y, x", "xz": "z (downwards), x", "yz": "z (downwards), y"}


@dataclass(frozen=True)
class PreviewSlices:
    """Three slices through a volume ordered (row, y, x), and what they rest on.

    Parameters
    ----------
    tomogram, run_uid
        Name of the tomogram, and uid of its run.
    xy, xz, yz
        The volume's [row], [:, y] and [:, :, x]: attenuation, NaN where not every direction sees the point.
    row, y, x
        Voxels that the planes pass through; row 0 is the top of the view, the rotation axis is the middle of y and x.
    voxel_size_um
        None where nobody knows it; attenuation is then in 1/voxel instead of 1/cm.
    num_projections, num_announced
        Projections in the slices, and how many there will be.
    coverage
        Part of the half turn that these projections stand for: what lies along the missing directions is smeared.
    grey_values_absolute
        Whether gain and offset are known: the cell was declared, and its content fitted.
    complete
        Whether these are slices of the finished volume, to which no projection will be added.
    """

    tomogram: str
    run_uid: str
    xy: NDArray[np.float32]
    xz: NDArray[np.float32]
    yz: NDArray[np.float32]
    row: int
    y: int
    x: int
    voxel_size_um: float | None
    num_projections: int
    num_announced: int
    coverage: float
    grey_values_absolute: bool
    complete: bool

    @property
    def unit(self) -> str:
        """Unit of the values."""
        return "1/voxel" if self.voxel_size_um is None else "1/cm"

    @property
    def volume_shape(self) -> tuple[int, int, int]:
        """Rows, y and x of the volume."""
        return self.xz.shape[0], self.yz.shape[1], self.xz.shape[1]


def write_preview(path: Path, preview: PreviewSlices) -> None:
    """Put a preview in place of the one before; who reads has the old one or the new one, and nobody waits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    with h5py.File(unfinished, "w") as file:
        for name, order in ORDERS.items():
            dataset = file.create_dataset(name, data=getattr(preview, name))
            dataset.attrs["units"] = preview.unit
            dataset.attrs["order"] = f"{order}; centred on the rotation axis"
        if preview.voxel_size_um is not None:
            file.attrs["voxel_size_um"] = preview.voxel_size_um
        for name in ("tomogram", "run_uid", "row", "y", "x", "num_projections", "num_announced", "coverage"):
            file.attrs[name] = getattr(preview, name)
        file.attrs["grey_values_absolute"], file.attrs["complete"] = preview.grey_values_absolute, preview.complete
    os.replace(unfinished, path)


def read_preview(path: Path) -> PreviewSlices:
    """Read the newest preview.

    Raises
    ------
    OSError, KeyError, TypeError, ValueError
        If there is none, or it is damaged.
    """
    with h5py.File(ordinary_file(path), "r") as file:
        attributes = file.attrs
        found = PreviewSlices(
            tomogram=str(attributes["tomogram"]),
            run_uid=str(attributes["run_uid"]),
            xy=readable(file["xy"], PLANE)[:],
            xz=readable(file["xz"], PLANE)[:],
            yz=readable(file["yz"], PLANE)[:],
            row=int(attributes["row"]),
            y=int(attributes["y"]),
            x=int(attributes["x"]),
            voxel_size_um=known_voxel_um(attributes.get("voxel_size_um")),
            num_projections=int(attributes["num_projections"]),
            num_announced=int(attributes["num_announced"]),
            coverage=float(attributes["coverage"]),
            grey_values_absolute=bool(attributes["grey_values_absolute"]),
            complete=bool(attributes["complete"]),
        )
    check_planes(found.xy.shape, found.xz.shape, found.yz.shape)
    return found


def check_planes(xy: tuple[int, ...], xz: tuple[int, ...], yz: tuple[int, ...]) -> None:
    """Check the shapes of three planes, (y, x), (z, x) and (z, y).

    Raises
    ------
    ValueError
        If they are not those of one volume.
    """
    if len(xy) != 2 or len(xz) != 2 or (xz, yz) != ((xz[0], xy[1]), (xz[0], xy[0])) or 0 in (*xy, *xz):
        raise ValueError(f"planes of {xy}, {xz}, {yz} are not those of one volume")


def known_voxel_um(written: Any) -> float | None:
    """Return the voxel size that a file tells, None if it tells none.

    Raises
    ------
    TypeError, ValueError
        If it is damaged: then nobody knows what its values are either.
    """
    if written is None:
        return None
    if not 0 < float(written) < inf:
        raise ValueError(f"a voxel size of {written} µm cannot be")
    return float(written)
