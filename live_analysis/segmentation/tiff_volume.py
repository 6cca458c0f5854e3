"""Volumes as TIFF: pages of one file, or a folder with a file for each slice."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageSequence, UnidentifiedImageError

from live_analysis.segmentation.volume_source import VolumeFileError, VolumeSource
from operando.model.declared_size import FRAME, DeclaredSizeError, check_size

TIFF_SUFFIXES = (".tif", ".tiff")
UM_PER_LENGTH = {"um": 1.0, "µm": 1.0, "\\u00b5m": 1.0, "micron": 1.0, "microns": 1.0, "mm": 1e3, "nm": 1e-3}
NO_CODEC = "its compression cannot be read without the package imagecodecs: install that, or save the file uncompressed"


def open_tiff(path: Path) -> VolumeSource:
    """Return the largest series of pages of a file.

    Raises
    ------
    VolumeFileError
        If it is no TIFF, holds a single image, colours, or more axes than three.
    """
    try:
        file = tifffile.TiffFile(path)
    except (tifffile.TiffFileError, ValueError) as error:
        raise VolumeFileError(f"{path}: is no TIFF ({error}).") from error
    with file:
        if not len(file.pages):
            raise VolumeFileError(f"{path}: holds no image.")
        series: Any = max(file.series, key=lambda entry: entry.size)
        axes, shape = series.get_axes(squeeze=True), series.get_shape(squeeze=True)
        spacing = _spacing_um(file)
        dtype = np.dtype(series.dtype)
        colours = axes.endswith("S")
        if len(shape) - colours != 3:
            raise VolumeFileError(
                f"{path}: holds {'an image' if len(shape) - colours == 2 else 'an array'} of shape {shape} ({axes}); "
                "a volume has three axes, z, y and x. Give a multi-page TIFF of one channel, or a folder of slices."
            )
        if not colours and series.dataoffset is not None:
            order = np.dtype(file.byteorder + dtype.char)
            array = np.memmap(path, order, "r", series.dataoffset, shape)
            return VolumeSource(path.name, shape, dtype, lambda first, stop: np.asarray(array[first:stop]), spacing)
        position = file.series.index(series)

    def read(first: int, stop: int) -> NDArray[np.generic]:
        with tifffile.TiffFile(path) as again:
            try:
                pages = [again.asarray(key=index, series=position) for index in range(first, stop)]
            except (ValueError, ImportError, KeyError, RuntimeError) as error:
                return _read_otherwise(path, first, stop, error)
        return np.stack([_grey(page, colours, path) for page in pages])

    if len(series.pages) != shape[0]:
        raise VolumeFileError(
            f"{path}: {len(series.pages)} pages hold an array of shape {shape}; give a page per slice."
        )
    return VolumeSource(path.name, shape[:3], dtype, read, spacing)


def open_tiff_folder(path: Path) -> VolumeSource:
    """Return a folder of slices, in the order of the numbers in their names.

    Raises
    ------
    VolumeFileError
        If there are less than two, or one of them differs from the first.
    """
    files = sorted((file for file in path.iterdir() if file.suffix.lower() in TIFF_SUFFIXES), key=_by_number)
    if len(files) < 2:
        raise VolumeFileError(
            f"{path}: holds {len(files)} TIFF files; a volume is a folder of at least two slices, an OME-Zarr folder, "
            "or a file. In a run directory volumes lie in volumes/NUMBER."
        )
    first_image = _slice(files[0])

    def read(first: int, stop: int) -> NDArray[np.generic]:
        images = [_slice(file) for file in files[first:stop]]
        for file, image in zip(files[first:stop], images, strict=True):
            if image.shape != first_image.shape or image.dtype != first_image.dtype:
                raise VolumeFileError(
                    f"{file}: has shape {image.shape} of {image.dtype}, {files[0].name} {first_image.shape} of "
                    f"{first_image.dtype}: slices of one volume are alike. Move what does not belong to it away."
                )
        return np.stack(images)

    num_y, num_x = first_image.shape
    return VolumeSource(path.name, (len(files), num_y, num_x), first_image.dtype, read)


def _slice(path: Path) -> NDArray[np.generic]:
    try:
        with tifffile.TiffFile(path) as file:
            check_size(str(path), file.series[0].shape, FRAME)
            image: NDArray[np.generic] = np.asarray(file.asarray())
    except tifffile.TiffFileError as error:
        raise VolumeFileError(f"{path}: is no TIFF ({error}).") from error
    except DeclaredSizeError:
        raise
    except (ValueError, ImportError, KeyError, RuntimeError) as error:
        return np.asarray(_read_otherwise(path, 0, 1, error)[0])
    colours = image.ndim == 3 and image.shape[-1] in (3, 4)
    if image.ndim != 2 and not colours:
        raise VolumeFileError(f"{path}: has shape {image.shape}; in a folder of slices every file is one image.")
    return _grey(image, colours, path)


def _grey(image: NDArray[np.generic], colours: bool, path: Path) -> NDArray[np.generic]:
    """Return the one channel of an image whose colours are all grey."""
    if not colours:
        return image
    if not all(np.array_equal(image[..., 0], image[..., index]) for index in range(1, min(image.shape[-1], 3))):
        raise VolumeFileError(f"{path}: is a colour image; save one channel, or grey values, instead.")
    return np.asarray(image[..., 0])


def _read_otherwise(path: Path, first: int, stop: int, error: Exception) -> NDArray[np.generic]:
    """Read pages with Pillow, which knows some compressions that tifffile asks another package for."""
    try:
        with Image.open(path) as pages:
            images = [
                np.asarray(page) for index, page in enumerate(ImageSequence.Iterator(pages)) if first <= index < stop
            ]
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError) as other:
        raise VolumeFileError(f"{path}: {NO_CODEC} ({error}).") from other
    if len(images) != stop - first:
        raise VolumeFileError(f"{path}: {NO_CODEC} ({error}).")
    return np.stack([_grey(image, image.ndim == 3, path) for image in images])


def _by_number(path: Path) -> list[int | str]:
    """Let slice_10 come after slice_9."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path.name)]


def _spacing_um(file: tifffile.TiffFile) -> tuple[float, float, float] | None:
    """Return what ImageJ wrote of the size of voxels."""
    about = file.imagej_metadata or {}
    um = UM_PER_LENGTH.get(str(about.get("unit", "")).lower())
    tags = file.pages[0].tags  # type: ignore[union-attr]
    if um is None or "XResolution" not in tags or "YResolution" not in tags:
        return None
    x, y = (tags[name].value for name in ("XResolution", "YResolution"))
    if not (x[0] and y[0]):
        return None
    x_um, y_um = x[1] / x[0] * um, y[1] / y[0] * um
    return float(about.get("spacing", x[1] / x[0])) * um, y_um, x_um
