"""The places across a face between two layers where neither a particle nor a crack comes near it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from live_analysis.states.placed_volume import PlacedVolume, StateError

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

BLOCK_UM = 14.0
ABOVE_UM = 24.0  # of the face: what is looked at
QUIET_ABOVE_UM = 6.0  # from here on no blur of the face
PARTICLE_PER_CM, PARTICLE_SPREADS = 1.5, 5.0  # above the middle row: blocks with part of a particle
LEAST_BRIGHT_BLOCKS = 3  # of a row; fewer may be noise
LEAST_LEVEL = 0.9  # of the rows near the face: where cracks fill most of a row, its level is theirs
# Cracks are wide, pores are not: smoothed so far, only cracks stand out.
CRACK_SIGMA_UM, CRACK_SIGMA_BLOCKS = 2.1, (1.2, 1.2)
MIN_COLUMNS = 60


@dataclass(frozen=True)
class Caution:
    """What is left out: ``spreads`` of the noise tell a crack, it is grown by ``grown_blocks``.

    ``below_um`` is how far below the face is looked at.
    """

    spreads: float
    grown_blocks: int
    below_um: float


@dataclass(frozen=True)
class BlockRows:
    """Means over square blocks of each row, shape (z downwards, y, x), in 1/cm, NaN where not all of one was seen.

    ``bright`` says which hold part of a particle, ``heights_um`` where the rows are.
    """

    blocks: Floats
    bright: Mask
    heights_um: Floats

    @property
    def row_um(self) -> float:
        """Distance of rows."""
        return float(self.heights_um[0] - self.heights_um[1])

    @property
    def particles_end_um(self) -> float:
        """Height of the uppermost particle's top."""
        rows = np.flatnonzero(self.bright.sum(axis=(1, 2)) >= LEAST_BRIGHT_BLOCKS)
        if not rows.size:
            raise StateError(
                f"no particle stands out by {PARTICLE_PER_CM} /cm in any row, so that the end of the layer with "
                "particles is not known. Check that analysis.crack_region holds it and that grey values are absolute."
            )
        return float(self.heights_um[rows[0]])


def block_rows(volume: PlacedVolume) -> BlockRows:
    """Average a volume over blocks across."""
    width = max(round(BLOCK_UM / volume.voxel_size_um), 1)
    num_y, num_x = (size // width for size in volume.shape[1:])
    first_y, first_x = ((size - num * width) // 2 for size, num in zip(volume.shape[1:], (num_y, num_x), strict=True))
    whole = volume.values_per_cm[:, first_y : first_y + num_y * width, first_x : first_x + num_x * width]
    along_x = np.add.reduceat(whole, np.arange(0, num_x * width, width), axis=2)
    blocks = np.add.reduceat(along_x, np.arange(0, num_y * width, width), axis=1).astype(np.float64) / width**2
    seen = np.isfinite(blocks)
    if not seen.any():
        raise StateError("nothing of the box was seen. Check analysis.crack_region.")
    rows = seen.any(axis=(1, 2))
    blocks, heights_um = blocks[rows], volume.heights_um[rows]
    row = np.nanmedian(blocks, axis=(1, 2))
    spread = 1.4826 * float(np.nanmedian(np.abs(blocks - row[:, None, None])))
    bright = blocks - float(np.median(row)) > max(PARTICLE_PER_CM, PARTICLE_SPREADS * spread)
    return BlockRows(blocks, bright, heights_um)


def free_columns(rows: BlockRows, face_um: float, caution: Caution) -> Mask:
    """Say which columns of blocks hold neither particle nor crack near the face, shape (y, x).

    Raises
    ------
    StateError
        If hardly any is left.
    """
    near = (rows.heights_um > face_um - caution.below_um - BLOCK_UM / 2) & (rows.heights_um < face_um + ABOVE_UM)
    blocks, heights_um = rows.blocks[near], rows.heights_um[near]
    unseen = np.isnan(blocks)
    bright = _grown(np.asarray(rows.bright[near].any(axis=0)), caution.grown_blocks)
    smooth = ndimage.gaussian_filter(np.where(unseen, 0.0, blocks), (CRACK_SIGMA_UM / rows.row_um, *CRACK_SIGMA_BLOCKS))
    plain = ~bright if not bright.all() else np.ones_like(bright)
    level = np.median(smooth[:, plain], axis=1)
    above = smooth[heights_um > face_um + QUIET_ABOVE_UM]
    quiet = 1.4826 * float(np.median(np.abs(above - np.median(above, axis=(1, 2))[:, None, None])))
    expected = np.maximum(level, LEAST_LEVEL * np.median(level))[:, None, None]
    cracked = np.asarray((smooth < expected - caution.spreads * quiet).any(axis=0))
    free: Mask = ~(bright | np.asarray(unseen.any(axis=0)) | _grown(cracked, caution.grown_blocks))
    if free.sum() < MIN_COLUMNS:
        raise StateError(
            f"only {int(free.sum())} of {free.size} columns of {BLOCK_UM:.0f} um near {face_um:.0f} um are free of "
            f"particles and cracks, {MIN_COLUMNS} are needed. Widen analysis.crack_region."
        )
    return free


def _grown(mask: Mask, num_blocks: int) -> Mask:
    return np.asarray(ndimage.binary_dilation(mask, np.ones((3, 3), bool), iterations=num_blocks))
