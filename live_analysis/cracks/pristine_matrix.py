"""The matrix of the pristine state at the places of now: pores, edges and streaks that were there before any crack."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from live_analysis.cracks.matrix_blocks import MatrixBlocks
from live_analysis.cracks.rise import Rise


@dataclass(frozen=True)
class PristineMatrix:
    """Blocks of the pristine state; their upper face lies ``top_um`` above the bottom of the view."""

    blocks: MatrixBlocks
    top_um: float

    def fits(self, blocks: MatrixBlocks, top_um: float) -> bool:
        """Whether blocks of another state lie at the same places of the view."""
        same = blocks.counts.shape == self.blocks.counts.shape and blocks.spacing_um == self.blocks.spacing_um
        return same and abs(top_um - self.top_um) < blocks.voxel_size_um / 2

    def carried(self, rise: Rise) -> MatrixBlocks:
        """Move the blocks to where the cell has carried them."""
        dz_um, num_z = self.blocks.voxel_size_um, self.blocks.counts.shape[0]
        heights_um = np.asarray(self.top_um - (np.arange(num_z) + 0.5) * dz_um, np.float64)
        rows = np.clip((self.top_um - rise.before_um(heights_um)) / dz_um - 0.5, 0, num_z - 1)
        return replace(
            self.blocks,
            sums_per_cm=_between_rows(self.blocks.sums_per_cm, rows),
            counts=_between_rows(self.blocks.counts, rows),
        )


def _between_rows(values: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    upper = np.floor(rows).astype(np.intp)
    lower = np.minimum(upper + 1, values.shape[0] - 1)
    part = (rows - upper)[:, None, None]
    return np.asarray(values[upper] * (1 - part) + values[lower] * part)
