"""What the recorded HDF5 formats share: opening, reading frames on demand, and quantities with a unit attribute."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from operando.model.declared_size import FRAME, LIST, DeclaredSizeError, readable, readable_frames
from simulators.recorded_data import AngleUnit, RecordedScanError

UM = {"m": 1e6, "cm": 1e4, "mm": 1e3, "um": 1.0, "µm": 1.0, "micron": 1.0, "microns": 1.0, "nm": 1e-3}
KEV = {"ev": 1e-3, "kev": 1.0, "mev": 1e3, "j": 1 / 1.602176634e-16}  # CODATA 2018

UNSAID = ("", "\u00b0", "none", "unknown", "any", "unitless")


@dataclass(frozen=True)
class Hdf5Stack:
    """Frames of one dataset with the axes (frame, row, column); one with the axes (row, column) is one frame."""

    path: Path
    dataset: str
    indices: tuple[int, ...]
    frame_shape: tuple[int, int]
    dtype: np.dtype[Any]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, rows, columns."""
        return len(self.indices), *self.frame_shape

    def read(self, index: int) -> NDArray[Any]:
        """Return one frame, shape (rows, columns)."""
        with opened(self.path) as file:
            frames = file[self.dataset]
            frame: NDArray[Any] = frames[()] if frames.ndim == 2 else frames[self.indices[index]]
        return frame


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file to read.

    Raises
    ------
    RecordedScanError
        If it is damaged, also when that shows only while reading.
    """
    try:
        with h5py.File(path, "r") as file:
            yield file
    except DeclaredSizeError as error:
        raise RecordedScanError(str(error)) from error
    except (OSError, RuntimeError, KeyError) as error:  # h5py raises all three for broken files
        raise RecordedScanError(
            f"{path}: is damaged or still being written ({error}). Copy it again from where it was recorded."
        ) from error


def stack(path: Path, dataset: Any, indices: NDArray[np.intp] | None = None, *, may_be_one: bool = False) -> Hdf5Stack:
    """Return all frames of a dataset, or those of ``indices``; two axes are one frame where that may be.

    Raises
    ------
    RecordedScanError
        If the dataset has not three axes or does not hold numbers.
    """
    is_one = dataset.ndim == 2 and may_be_one
    if not (dataset.ndim == 3 or is_one) or dataset.dtype.kind not in "uif":
        raise RecordedScanError(
            f"{path}: {dataset.name} has the shape {dataset.shape} of {dataset.dtype}; "
            "expected numbers with the axes (frame, row, column)."
        )
    if is_one:
        readable(dataset, FRAME)
    else:
        readable_frames(dataset)
    num_rows, num_columns = dataset.shape[-2:]
    chosen = range(1 if is_one else dataset.shape[0]) if indices is None else indices
    return Hdf5Stack(
        Path(dataset.file.filename),  # an external link leads into another file than ``path``
        str(dataset.name),
        tuple(int(index) for index in chosen),
        (int(num_rows), int(num_columns)),
        np.dtype(dataset.dtype),
    )


def angles_of(dataset: Any, given: AngleUnit | None) -> tuple[NDArray[np.float64], AngleUnit | None]:
    """Return recorded angles as they are, and their unit where a person gave it or the file says it.

    Raises
    ------
    RecordedScanError
        If the dataset does not hold numbers, or has the unit of something else.
    """
    if dataset.dtype.kind not in "uif":
        raise RecordedScanError(
            f"{dataset.file.filename}: {dataset.name} holds {dataset.dtype}; expected a number for each frame."
        )
    angles = np.atleast_1d(np.asarray(readable(dataset, LIST)[()], dtype=np.float64)).ravel()
    written = unit_of(dataset)
    if given is None and written.startswith("deg"):
        given = AngleUnit.DEGREES
    elif given is None and written.startswith("rad"):
        given = AngleUnit.RADIANS
    elif given is None and written not in UNSAID:
        raise RecordedScanError(
            f"{dataset.file.filename}: {dataset.name} has the unit {written!r}, which is none of angles. If it is a "
            "mistake of the file, say which it is with the angle unit 'deg' or 'rad'."
        )
    return angles, given


def quantity(file: Any, names: tuple[str, ...], factors: dict[str, float], default: str | None = None) -> float | None:
    """Return the first positive number among datasets in the unit of ``factors``; None where no file says it.

    A number without a unit counts only where the format prescribes a ``default`` unit.
    """
    for name in names:
        dataset = file.get(name)
        if not isinstance(dataset, h5py.Dataset) or dataset.size == 0 or dataset.dtype.kind not in "uif":
            continue
        factor = factors.get(unit_of(dataset) or (default or ""))
        value = float(np.ravel(readable(dataset, LIST)[()])[0])
        if factor is not None and np.isfinite(value) and value > 0:
            return value * factor
    return None


def unit_of(dataset: Any) -> str:
    """Return the text of a dataset's unit attribute in small letters; empty if it has none."""
    written = dataset.attrs.get("units", dataset.attrs.get("unit", ""))
    if isinstance(written, np.ndarray):
        written = written.ravel()[0] if written.size else ""
    return (written.decode() if isinstance(written, bytes) else str(written)).strip().lower()
