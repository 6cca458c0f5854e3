"""A recorded scan, whatever its format, as the final volume takes it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_analysis.final_volume.hdf5_frames import Hdf5Frames
from live_analysis.final_volume.raw_scan import FrameStack, RawScan, VolumeError
from operando.model.declared_size import VOLUME, DeclaredSizeError, check_size
from simulators.recorded_data import RecordedScan, RecordedScanError, RecordedStack
from simulators.recorded_hdf5 import Hdf5Stack


@dataclass(frozen=True)
class RecordedFrames:
    """Frames that can be read whole only, as those of TIFF files."""

    stack: RecordedStack

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, rows, columns."""
        return self.stack.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """How the files keep their counts."""
        return self.stack.dtype

    @property
    def whole_frames(self) -> bool:
        """Some rows cost as much as all."""
        return True

    def rows(self, begin: int, stop: int, first_row: int, stop_row: int) -> NDArray[Any]:
        """Return rows of some frames, shape (frame, row, column)."""
        shape = stop - begin, stop_row - first_row, self.shape[2]
        try:
            check_size("the scan", shape, VOLUME)
            found = np.empty(shape, self.dtype)
            for index in range(begin, stop):
                found[index - begin] = self.stack.read(index)[first_row:stop_row]
        except (RecordedScanError, DeclaredSizeError) as error:
            raise VolumeError(str(error)) from error
        return found


def raw_scan(scan: RecordedScan, *, pixel_size_um: float | None, angle_unit_given: bool) -> RawScan:
    """Return a recorded scan as one to make a volume of; a pixel size that is given wins over the recorded one."""
    return RawScan(
        projections=_frames(scan.projections),
        darks=_frames(scan.darks),
        flats=_frames(scan.flats),
        flats_after=None,
        angles_deg=scan.angles_deg,
        scan_fractions=None,
        pixel_size_um=pixel_size_um or scan.pixel_size_um,
        energy_kev=scan.energy_kev,
        num_expected=None,
        source=scan.source,
        angle_unit_given=angle_unit_given,
    )


def _frames(stack: RecordedStack) -> FrameStack:
    if isinstance(stack, Hdf5Stack):
        return Hdf5Frames(stack.path.resolve(), stack.dataset, stack.indices, stack.frame_shape, stack.dtype)
    return RecordedFrames(stack)
