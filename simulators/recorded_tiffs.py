"""Reading a scan recorded as a folder of TIFF files: projections, ``dark*``, ``flat*`` and a text file of angles."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from simulators.recorded_angles import angles_beside
from simulators.recorded_data import AngleUnit, RecordedScan, RecordedScanError

PROJECTION_FOLDERS = ("tiffs", "projections")


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
            frame: NDArray[Any] = tifffile.imread(path, key=page)
        except Exception as error:  # a damaged TIFF raises whatever its decoder happens to meet
            raise _damaged(path, error) from error
        return frame


def load_tiff_folder(folder: Path, *, angle_unit: AngleUnit | None = None) -> RecordedScan:
    """Read the headers of a folder with TIFFs.

    Projections lie in ``tiffs/`` or ``projections/`` or beside the darks and flats; files are taken in the order of the
    numbers in their names.

    Raises
    ------
    RecordedScanError
        If files are missing, damaged, of unequal size, or if the angles do not belong to the projections.
    """
    images = [path for path in _images(folder) if not _is(path, "dark") and not _is(path, "flat")]
    inner = next((folder / name for name in PROJECTION_FOLDERS if _images(folder / name)), None)
    if inner is not None:
        images = [path for path in _images(inner) if not _is(path, "dark") and not _is(path, "flat")]
    references = _images(folder) + (_images(inner) if inner is not None else [])
    darks = [path for path in references if _is(path, "dark")]
    flats = [path for path in references if _is(path, "flat")]
    for kind, paths, wanted in (
        ("projections", images, "tiffs/*.tif"),
        ("darks", darks, "dark*.tif"),
        ("flats", flats, "flat*.tif"),
    ):
        if not paths:
            raise RecordedScanError(f"{folder}: there are no {kind}. Put them there as {wanted} (or .tiff).")
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


def _images(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if path.suffix.lower() in (".tif", ".tiff") and path.is_file()]
    return sorted(found, key=lambda path: [int(part) if part.isdigit() else part for part in _parts(path)])


def _parts(path: Path) -> list[str]:
    return re.split(r"(\d+)", path.name)


def _is(path: Path, kind: str) -> bool:
    return path.name.lower().startswith(kind)


def _stack(paths: list[Path]) -> TiffStack:
    pages: list[tuple[Path, int]] = []
    first: tuple[tuple[int, ...], np.dtype[Any]] | None = None
    for path in paths:
        for index, form in enumerate(_pages(path)):
            if len(form[0]) != 2:
                raise RecordedScanError(f"{path}: a page has the shape {form[0]}; only grey frames can be replayed.")
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
                forms.append((page.shape, np.dtype(page.dtype)))
    except Exception as error:  # a damaged TIFF raises whatever its decoder happens to meet
        raise _damaged(path, error) from error
    if not forms:
        raise _damaged(path, ValueError("it holds no image"))
    return forms


def _damaged(path: Path, error: Exception) -> RecordedScanError:
    return RecordedScanError(f"{path}: is damaged or no TIFF ({error}). Copy it again from where it was recorded.")
