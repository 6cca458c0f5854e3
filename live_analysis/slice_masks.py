"""What was counted as inclusion or crack, where the three slices of a tomogram cut it."""

import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from live_analysis.region_volume import RegionVolume
from live_analysis.slices_picture import OrthogonalSlices

HIGH_ATTENUATION, CRACK = 1, 2
NAME = "masks.h5"
PLANES = ("xy", "xz", "yz")


class SliceMasks:
    """Masks of the slices ``xy``, ``xz`` and ``yz``, 0 where nothing was counted; each has the shape of its slice.

    Parameters
    ----------
    slices
        Through row ``slice_row`` of the view and through the rotation axis.
    """

    def __init__(self, slices: OrthogonalSlices, slice_row: int) -> None:
        self.planes = {name: np.zeros(getattr(slices, name).shape, np.uint8) for name in PLANES}
        self._slice_row = slice_row

    def mark(self, mask: NDArray[np.bool_], region: RegionVolume, value: int) -> None:
        """Mark voxels of a region, shape (z, y, x) of its values, whose lattice has the axis in its middle."""
        rows = region.rows
        if rows.start <= self._slice_row < rows.stop:
            _mark_middle(self.planes["xy"], mask[self._slice_row - rows.start], value)
        _mark_middle(self.planes["xz"][rows], mask[:, mask.shape[1] // 2], value)
        _mark_middle(self.planes["yz"][rows], mask[:, :, mask.shape[2] // 2], value)

    def write(self, folder: Path, *, tomogram: str, run_uid: str) -> None:
        """Write the masks into ``folder``; whoever reads meanwhile finds the old file or the new one."""
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f".{NAME}"
        with h5py.File(unfinished, "w") as file:
            for name, plane in self.planes.items():
                dataset = file.create_dataset(name, data=plane, compression="gzip")
                dataset.attrs["values"] = f"0 nothing, {HIGH_ATTENUATION} high attenuation, {CRACK} crack"
            file.attrs["tomogram"] = tomogram
            file.attrs["run_uid"] = run_uid
        os.replace(unfinished, folder / NAME)


def _mark_middle(plane: NDArray[np.uint8], mask: NDArray[np.bool_], value: int) -> None:
    """Mark a plane where a mask with the same middle says so; the larger of both is cut."""
    common = [min(sizes) for sizes in zip(plane.shape, mask.shape, strict=True)]
    _middle(plane, common)[_middle(mask, common)] = value


def _middle(array: NDArray[Any], shape: list[int]) -> NDArray[Any]:
    first = [(have - wanted) // 2 for have, wanted in zip(array.shape, shape, strict=True)]
    return array[first[0] : first[0] + shape[0], first[1] : first[1] + shape[1]]
