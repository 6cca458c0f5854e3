"""Volumes of others whose slices or chunks no memory holds end in a sentence before any of them is read."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr

from live_analysis.segmentation.volume_files import open_volume
from live_analysis.segmentation.volume_source import VolumeFileError
from tests.support.declared_files import WIDE, declare, declared_tiff, is_refusal


def hdf5(folder: Path) -> Path:
    return declare(folder / "volume.h5", {"volume": WIDE})


def npy(folder: Path) -> Path:
    path = folder / "volume.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (2, 2**15, 2**15)})
        file.truncate(file.tell() + 2**31)
    return path


def zarr_of_slices(folder: Path) -> Path:
    zarr.create_array(folder / "volume.zarr", shape=WIDE, dtype="f4", chunks=(1, 64, 64), zarr_format=2)
    (folder / "volume.zarr" / ".zattrs").unlink()
    return folder / "volume.zarr"


def zarr_of_chunks(folder: Path) -> Path:
    zarr.create_array(folder / "volume.zarr", shape=(9, 9, 9), dtype="f4", chunks=WIDE, zarr_format=2)
    (folder / "volume.zarr" / ".zattrs").unlink()
    return folder / "volume.zarr"


def tiff(folder: Path) -> Path:
    return declared_tiff(folder / "volume.tif")


def tiff_folder(folder: Path) -> Path:
    (folder / "slices").mkdir()
    for name in ("1.tif", "2.tif"):
        declared_tiff(folder / "slices" / name)
    return folder / "slices"


@pytest.mark.parametrize("make", [hdf5, npy, zarr_of_slices, zarr_of_chunks, tiff, tiff_folder])
def test_a_slice_that_cannot_be_is_refused(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    with pytest.raises(VolumeFileError) as caught:
        open_volume(make(tmp_path))
    assert is_refusal(str(caught.value)), str(caught.value)
