"""The file of an areaDetector HDF5 plugin: readable while it grows (SWMR), whole after every frame."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from operando.model.frames import ANGLES, FRAME_IDS, IMAGES, TIMES

CHUNK_LENGTH = 1024
# What HDF5 could not write to its end. When h5py forgets it, it is closed once more, and HDF5 2.0 ends the process.
_NEVER_FORGOTTEN: set[object] = set()


class Hdf5Writer:
    """One file; the length of the image dataset is the commit mark of a frame and everything beside it.

    Raises
    ------
    OSError
        If the folder is missing, the file exists already or cannot be written.
    """

    def __init__(self, path: Path, frame_shape: tuple[int, int]) -> None:
        self.path = path
        self.num_frames = 0
        self._file = h5py.File(path, "x", libver="latest")
        with self._told_as_disk():
            self._images = self._file.create_dataset(
                IMAGES, (0, *frame_shape), "u2", maxshape=(None, *frame_shape), chunks=(1, *frame_shape)
            )
            self._beside = [
                self._file.create_dataset(name, (0,), kind, maxshape=(None,), chunks=(CHUNK_LENGTH,))
                for name, kind in ((TIMES, "f8"), (FRAME_IDS, "i8"), (ANGLES, "f8"))
            ]
            self._file.swmr_mode = True  # nothing can be created from here on

    def append(self, frame: NDArray[np.uint16], time_s: float, frame_id: int, angle_deg: float) -> None:
        """Commit one frame, taken at ``time_s`` (s since the Unix epoch) at ``angle_deg``.

        Raises
        ------
        OSError
            If the disk does not take it; the frame then is not part of the file.
        """
        index = self.num_frames
        with self._told_as_disk():
            for dataset, value in zip(self._beside, (time_s, frame_id, angle_deg), strict=True):
                dataset.resize(index + 1, 0)
                dataset[index] = value
                dataset.flush()
            self._images.resize(index + 1, 0)
            self._images.id.write_direct_chunk((index, 0, 0), np.ascontiguousarray(frame))
            self._images.flush()  # last: a reader that sees the new length finds all of it
        self.num_frames = index + 1

    def close(self) -> None:
        """Close the file.

        Raises
        ------
        OSError
            If the disk does not take what is left.
        """
        with self._told_as_disk():
            self._file.close()

    @contextmanager
    def _told_as_disk(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            _NEVER_FORGOTTEN.add(self)
            raise
        except RuntimeError as error:  # so h5py calls some failures of the disk
            _NEVER_FORGOTTEN.add(self)
            raise OSError(str(error)) from error
