"""Opens volumes of others and of ours: TIFF, OME-Zarr, HDF5, numpy."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import zarr
from numpy.typing import NDArray

from live_analysis.segmentation.tiff_volume import TIFF_SUFFIXES, open_tiff, open_tiff_folder
from live_analysis.segmentation.volume_source import VolumeFileError, VolumeSource, checked
from operando.model.declared_size import CHUNK, DeclaredSizeError, check_size, readable_frames

OURS = ("region", "attenuation")  # names of the volume in region.h5 and live.h5
HDF5_SUFFIXES = (".h5", ".hdf5", ".hdf", ".nxs")
UM_PER = {
    "micrometer": 1.0, "um": 1.0, "µm": 1.0, "micron": 1.0, "nanometer": 1e-3, "nm": 1e-3, "millimeter": 1e3, "mm": 1e3,
}  # fmt: skip


def open_volume(path: Path) -> VolumeSource:
    """Return the volume of a file or folder; ``FILE.h5:/NAME`` chooses a dataset.

    Raises
    ------
    VolumeFileError
        If there is none, or none that can be read.
    """
    file, _, dataset = str(path).partition(":/")
    place = Path(file) if dataset and Path(file).suffix.lower() in HDF5_SUFFIXES else path
    try:
        if not place.exists():
            raise VolumeFileError(f"{place}: there is no such file or folder.")
        if place.is_dir():
            return checked(_open_folder(place))
        suffix = place.suffix.lower()
        if suffix in TIFF_SUFFIXES:
            return checked(open_tiff(place))
        if suffix in HDF5_SUFFIXES:
            return checked(_open_hdf5(place, dataset if place != path else ""))
        if suffix == ".npy":
            return checked(_open_npy(place))
    except VolumeFileError:
        raise
    except DeclaredSizeError as error:
        raise VolumeFileError(str(error)) from error
    except (OSError, EOFError, ValueError) as error:  # what libraries say of damaged files
        raise VolumeFileError(f"{place}: cannot be read ({error}).") from error
    raise VolumeFileError(
        f"{place}: is no volume that is known here. Give a TIFF (multi-page, or a folder of slices), OME-Zarr, HDF5 "
        f"({', '.join(HDF5_SUFFIXES)}) or .npy."
    )


def _open_folder(path: Path) -> VolumeSource:
    if (path / ".zattrs").is_file() or (path / "zarr.json").is_file():
        return _open_ome_zarr(path)
    if (path / ".zarray").is_file():
        return _of_array(path.name, zarr.open_array(path, mode="r"), None)
    return open_tiff_folder(path)


def _of_array(name: str, array: Any, spacing_um: tuple[float, float, float] | None, **about: Any) -> VolumeSource:
    """Return an array on disk, of three axes longer than one, as a volume."""
    long = [index for index, length in enumerate(array.shape) if length > 1 or index >= len(array.shape) - 3]
    if len(long) != 3 or len(array.shape) < 3:
        raise VolumeFileError(
            f"{name}: has shape {tuple(array.shape)}; a volume has three axes, z, y and x. "
            "Give one channel and one time."
        )
    check_size(name, getattr(array, "chunks", ()), CHUNK)
    leading = (0,) * (len(array.shape) - 3)
    shape: tuple[int, int, int] = tuple(array.shape[-3:])

    def read(first: int, stop: int) -> NDArray[np.generic]:
        # A copy also of a mapped file: loops would be compiled once more for an array that must not be written to.
        return np.array(array[(*leading, slice(first, stop))])

    return VolumeSource(name, shape, np.dtype(array.dtype), read, spacing_um, **about)


def _open_npy(path: Path) -> VolumeSource:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise VolumeFileError(f"{path}: is no array of numbers that numpy can read.") from error
    return _of_array(path.name, array, None)


def _open_ome_zarr(path: Path) -> VolumeSource:
    try:
        group = zarr.open_group(path, mode="r")
        about = dict(group.attrs)
        scales = about.get("ome", about)["multiscales"][0]
        finest = scales["datasets"][0]
        array = group[finest["path"]]
        axes = scales.get("axes", [])
        spacing = None
        for entry in finest.get("coordinateTransformations", []):
            if entry.get("type") == "scale" and len(axes) >= 3:
                units = [axis.get("unit") for axis in axes[-3:]]
                if all(unit in UM_PER for unit in units):
                    steps = [step * UM_PER[unit] for step, unit in zip(entry["scale"][-3:], units, strict=True)]
                    spacing = (float(steps[0]), float(steps[1]), float(steps[2]))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, json.JSONDecodeError) as error:
        raise VolumeFileError(f"{path}: is no OME-Zarr volume ({type(error).__name__}: {error}).") from error
    ours = about.get("operando", {})
    remarks = () if ours.get("complete", True) else ("it is not complete: missing slabs count as outside",)
    return _of_array(path.name, array, spacing, grey_unit=str(ours.get("unit", "")), remarks=remarks)


def _open_hdf5(path: Path, dataset: str) -> VolumeSource:
    with _opened(path) as file:
        volumes = _volumes(file)
        chosen = f"/{dataset}" if dataset else next((f"/{name}" for name in OURS if f"/{name}" in volumes), "")
        if not chosen and len(volumes) == 1:
            chosen = next(iter(volumes))
        if chosen not in volumes:
            held = ", ".join(f"{name} {shape}" for name, shape in volumes.items()) or "none"
            raise VolumeFileError(
                f"{path}: {'no volume is called ' + chosen if chosen else 'it is not clear which volume is meant'}; "
                f"datasets of three axes are: {held}. Give one as {path.name}:/NAME."
            )
        found = readable_frames(file[chosen])
        shape: tuple[int, int, int] = found.shape
        dtype, size = found.dtype, found.attrs.get("voxel_size_um")
        unit = found.attrs.get("units", "")
    if size is not None and np.size(size) != 1:
        raise VolumeFileError(f"{path}:{chosen}: voxel_size_um is {size}; it must be one number, the edge of a voxel.")
    spacing = None if size is None else (float(np.reshape(size, ())),) * 3

    def read(first: int, stop: int) -> NDArray[np.generic]:
        with _opened(path) as file:
            return np.asarray(file[chosen][first:stop])

    return VolumeSource(f"{path.name}:{chosen}", shape, dtype, read, spacing, str(unit))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise VolumeFileError(f"{path}: cannot be opened as HDF5 ({error}).") from error
    with file:
        yield file


def _volumes(file: Any) -> dict[str, tuple[int, ...]]:
    """Name every dataset of three axes, with its shape."""
    found: dict[str, tuple[int, ...]] = {}

    def look(name: str, entry: Any) -> None:
        if isinstance(entry, h5py.Dataset) and entry.ndim == 3:
            found[f"/{name}"] = entry.shape

    file.visititems(look)
    return found
