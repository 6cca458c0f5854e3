"""The attenuation integrals of a tomogram in portions that memory can hold."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from live_analysis.beside import Beside
from live_analysis.corrections.counts_correction import Integrals
from live_analysis.reconstruction.lanes import NUM_LANES
from live_analysis.tomogram_frames import TomogramFrames

SLAB_BYTES = 400_000_000  # of attenuation integrals; those of the next slab, and filtered ones, are as many again


class IntegralSlabs:
    """The integrals of the usable rows, slab by slab; where one slab holds them all they are made once.

    ``num_rows`` is how many rows a slab has at most.
    """

    def __init__(self, frames: TomogramFrames, usable: slice) -> None:
        self.usable = usable
        most = max(SLAB_BYTES // (4 * frames.frame_shape[1] * len(frames.angles_deg)), 1)
        # Rows are filtered and projected back sixteen at a time.
        self.num_rows = most // NUM_LANES * NUM_LANES or most
        self._frames = frames
        self._whole = frames.integrals(usable) if usable.stop - usable.start <= most else None

    def values(self, rows: slice, frames: slice = slice(None)) -> NDArray[np.float32]:
        """Return the integrals of some of the rows of all or some frames, to be read: shape (frame, row, column)."""
        if self._whole is None:
            return self._frames.integrals(rows, frames).values
        return self._whole.values[frames, rows.start - self.usable.start : rows.stop - self.usable.start]

    def frame(self, index: int) -> NDArray[np.float32]:
        """Return all usable rows of one projection, to be read: shape (row, column)."""
        found = (
            self._frames.integrals(self.usable, slice(index, index + 1)).values[0]
            if self._whole is None
            else self._whole.values[index]
        )
        return np.asarray(found, np.float32)

    def __iter__(self) -> Iterator[tuple[slice, Integrals]]:
        """Give each slab once; its integrals may be changed, and are gone when the next is asked for."""
        if self._whole is not None:
            yield self.usable, self._whole
            return
        begins = range(self.usable.start, self.usable.stop, self.num_rows)
        slabs = [slice(begin, min(begin + self.num_rows, self.usable.stop)) for begin in begins]
        rooms: list[NDArray[np.float32] | None] = [None, None]
        with Beside() as beside:  # reading waits for no reconstruction
            coming = beside.begin(self._frames.integrals, slabs[0])
            for index, rows in enumerate(slabs):
                integrals = coming()
                rooms[index % 2] = integrals.values
                if index + 1 < len(slabs):
                    coming = beside.begin(self._frames.integrals, slabs[index + 1], room=rooms[(index + 1) % 2])
                yield rows, integrals
