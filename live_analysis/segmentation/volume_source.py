"""A volume on disk, read a few slices at a time, whatever it was written by."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operando.model.declared_size import FRAME, check_size

SLAB_BYTES = 64e6  # read at once


class VolumeFileError(ValueError):
    """No volume can be read; the message says what was found and what to do next."""


@dataclass(frozen=True)
class VolumeSource:
    """``read(first, stop)`` gives slices, shape (stop - first, y, x), of real or integer numbers.

    ``spacing_um`` is the distance of voxels along z, y, x; None where the file does not say. ``grey_unit`` is that of
    the grey values, empty if not known; ``remarks`` are sentences for whoever asked.
    """

    name: str
    shape: tuple[int, int, int]
    dtype: np.dtype[np.generic]
    read: Callable[[int, int], NDArray[np.generic]]
    spacing_um: tuple[float, float, float] | None = None
    grey_unit: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def num_voxels(self) -> int:
        """How many voxels the volume has."""
        return self.shape[0] * self.shape[1] * self.shape[2]

    def ranges(self) -> Iterator[tuple[int, int]]:
        """Divide the volume into slabs of slices: first and stop of each."""
        per_slice = self.shape[1] * self.shape[2] * max(self.dtype.itemsize, 1)
        step = max(1, int(SLAB_BYTES // per_slice))
        for first in range(0, self.shape[0], step):
            yield first, min(first + step, self.shape[0])


def checked(source: VolumeSource) -> VolumeSource:
    """Return the source if it is a volume of numbers.

    Raises
    ------
    VolumeFileError
        If it has no voxels, its numbers are not real, or the size of its voxels is none.
    DeclaredSizeError
        If a slice is too large to be one.
    """
    if source.dtype.kind not in "buif":
        raise VolumeFileError(f"{source.name}: holds {source.dtype} values; grey values are real or whole numbers.")
    if not source.num_voxels:
        raise VolumeFileError(f"{source.name}: has shape {source.shape} (z, y, x): there is no voxel in it.")
    check_size(f"{source.name}: shape {source.shape}", source.shape[1:], FRAME)
    if source.spacing_um is not None and not all(0 < step < float("inf") for step in source.spacing_um):
        raise VolumeFileError(
            f"{source.name}: says that its voxels measure {' x '.join(f'{step:g}' for step in source.spacing_um)} um "
            "along z, y and x; positive numbers are needed. Correct them in the file."
        )
    return source
