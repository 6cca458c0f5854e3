"""Reading a scan recorded as a folder of TIFF files: projections, darks, flats and a text file of angles."""

import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from operando.model.declared_size import FRAME, DeclaredSizeError, check_size
from simulators.recorded_angles import angles_beside
from simulators.recorded_data import AngleUnit, RecordedScan, RecordedScanError

PROJECTION_FOLDERS = ("tiffs", "projections")
logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # what is wrong with a file is said once, in our sentence
# What the words in names of files and folders begin with, or are: an open beam (ob) and a dark current (dc) are
# neutron imaging's, a dark image (di) and flat field (ff) are common, a white is that of Data Exchange.
DARK_STEMS, DARK_WORDS = ("dark",), ("dc", "df", "di")
FLAT_STEMS, FLAT_WORDS = ("flat", "white", "openbeam"), ("ob", "ff")


@dataclass(frozen=True)
class TiffStack:
    """Frames in TIFF files, one for each page."""

    pages: tuple[tuple[Path, int], ...]
    frame_shape: tuple[int, int]
    dtype: np.dtype[Any]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, rows, columns."""
        return len(self.pages), *self.frame_shape

    def read(self, index: int) -> NDArray[Any]:
        """Return one frame, shape (rows, columns)."""
        path, page = self.pages[index]
        try:
            frame = _decoded(path, page)
        except Exception as error:  # a damaged TIFF raises whatever its decoder happens to meet
            raise _damaged(path, error) from error
        if frame.shape != self.frame_shape:
            raise _damaged(path, ValueError(f"page {page} has the shape {frame.shape}, not {self.frame_shape}"))
        return frame


def load_tiff_folder(folder: Path, *, angle_unit: AngleUnit | None = None) -> RecordedScan:
    """Read the headers of a folder with TIFFs.

    Darks and flats are known by their names or by the names of the folders that they lie in. Projections lie in
    ``tiffs/`` or ``projections/``, beside darks and flats, or in the only other folder. Files are taken in the order of
    the numbers in their names.

    Raises
    ------
    RecordedScanError
        If files are missing, damaged, of unequal size, or if the angles do not belong to the projections.
    """
    images, darks, flats = _sorted_out(folder)
    missing = [kind for kind, paths in (("projections", images), ("darks", darks), ("flats", flats)) if not paths]
    if missing:
        found = (
            f"it holds {len(images)} TIFF files named neither as darks nor as flats" if images else "it holds no more"
        )
        raise RecordedScanError(
            f"{folder}: there are no {' and no '.join(missing)} ({found}). Name darks dark*.tif and flats flat*.tif, "
            "or put the three kinds into folders darks/, flats/ and projections/. A volume that is reconstructed "
            "already, or single radiographs, cannot be replayed."
        )
    projections = _stack(images)
    angles, note = angles_beside(folder, projections.shape[0], angle_unit)
    return RecordedScan(
        darks=_stack(darks),
        flats=_stack(flats),
        projections=projections,
        angles_deg=angles,
        pixel_size_um=None,
        energy_kev=None,
        source=f"{folder} (folder of TIFFs)",
        notes=(note,) if note else (),
    )


def _sorted_out(folder: Path) -> tuple[list[Path], list[Path], list[Path]]:
    """Return the files of projections, darks and flats.

    Raises
    ------
    RecordedScanError
        If several folders could be that of the projections.
    """
    if not folder.is_dir():
        return [], [], []
    inner = {path: images for path in sorted(folder.iterdir()) if (images := _images(path))}
    beside = _images(folder)
    darks, flats = ([path for path in beside if is_kind(path)] for is_kind in (_is_dark, _is_flat))
    projections = [path for path in beside if not _is_dark(path) and not _is_flat(path)]
    others: list[Path] = []
    for path, images in inner.items():
        if _is_dark(path):
            darks += images
        elif _is_flat(path):
            flats += images
        else:
            others.append(path)
    chosen = next((path for path in others if path.name.lower() in PROJECTION_FOLDERS), None)
    if chosen is None and not projections and others:
        if len(others) > 1:
            raise RecordedScanError(
                f"{folder}: {', '.join(path.name for path in others)} hold TIFF files; which of them are the "
                "projections? Call that folder projections/."
            )
        chosen = others[0]
    if chosen is not None:
        images = inner[chosen]
        darks += [path for path in images if _is_dark(path)]
        flats += [path for path in images if _is_flat(path)]
        projections = [path for path in images if not _is_dark(path) and not _is_flat(path)]
    return projections, darks, flats


def _images(folder: Path) -> list[Path]:
    if not (folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)):
        return []
    found = [path for path in folder.iterdir() if path.suffix.lower() in (".tif", ".tiff") and path.is_file()]
    return sorted(found, key=lambda path: [int(part) if part.isdigit() else part for part in _parts(path)])


def _parts(path: Path) -> list[str]:
    return re.split(r"(\d+)", path.name)


def _is_dark(path: Path) -> bool:
    return _has_word(path, DARK_STEMS, DARK_WORDS)


def _is_flat(path: Path) -> bool:
    return _has_word(path, FLAT_STEMS, FLAT_WORDS) and not _is_dark(path)


def _has_word(path: Path, stems: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    words = re.findall(r"[a-z]+", (path.stem if path.suffix else path.name).lower())
    return any(word.startswith(stems) or word in whole for word in words)


def _stack(paths: list[Path]) -> TiffStack:
    pages: list[tuple[Path, int]] = []
    first: tuple[tuple[int, ...], np.dtype[Any]] | None = None
    for path in paths:
        for index, form in enumerate(_pages(path)):
            if len(form[0]) != 2:
                raise RecordedScanError(f"{path}: a page has the shape {form[0]}; only grey frames can be replayed.")
            if form[1].kind not in "uif":
                raise RecordedScanError(f"{path}: page {index} holds {form[1]}; only real numbers can be replayed.")
            if first is not None and form != first:
                raise RecordedScanError(
                    f"{path}: page {index} has {form[0][0]} rows x {form[0][1]} columns of {form[1]}, those before "
                    f"it {first[0][0]} x {first[0][1]} of {first[1]}. Remove the file or record the scan again."
                )
            first = form
            pages.append((path, index))
    assert first is not None
    return TiffStack(tuple(pages), (first[0][0], first[0][1]), first[1])


def _pages(path: Path) -> list[tuple[tuple[int, ...], np.dtype[Any]]]:
    size = path.stat().st_size
    try:
        with tifffile.TiffFile(path) as file:
            forms: list[tuple[tuple[int, ...], np.dtype[Any]]] = []
            for page in file.pages:
                end = max(
                    (offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)),
                    default=0,
                )
                if end > size:
                    raise ValueError(f"its frame ends at byte {end}, the file at byte {size}")
                if page.dtype is None:
                    raise ValueError("the type of its values is unknown")
                check_size(f"{path}: page {page.index}", page.shape, FRAME)
                forms.append((page.shape, np.dtype(page.dtype)))
    except DeclaredSizeError as error:
        raise RecordedScanError(str(error)) from error
    except Exception as error:  # a damaged TIFF raises whatever its decoder happens to meet
        raise _damaged(path, error) from error
    if not forms:
        raise _damaged(path, ValueError("it holds no image"))
    return forms


def _decoded(path: Path, page: int) -> NDArray[Any]:
    with tifffile.TiffFile(path) as file:
        try:
            return np.asarray(file.pages[page].asarray())
        except ValueError as error:
            if "requires the 'imagecodecs' package" not in str(error):
                raise
    with Image.open(path) as picture:  # LZW and its like, which tifffile alone cannot decode
        picture.seek(page)
        return np.asarray(picture)


def _damaged(path: Path, error: Exception) -> RecordedScanError:
    return RecordedScanError(f"{path}: is damaged or no TIFF ({error}). Copy it again from where it was recorded.")
