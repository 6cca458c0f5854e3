"""The part of every slice that is written."""

import numpy as np

from live_analysis.final_volume.raw_scan import VolumeError

Region = tuple[int, int, int, int]


def checked_region(
    asked: Region | None, square: int, axis_column: float, num_columns: int, *, extended: bool
) -> Region:
    """Return first and behind-the-last voxel in x, then in y; all of the square if nothing was asked.

    Parameters
    ----------
    square
        Voxels along x and y of what the engine gives, the rotation axis in the middle.
    extended
        Whether projections were joined to a view that reaches as far as the square.

    Raises
    ------
    VolumeError
        If the region is not within the square, or in a corner of it that not every direction sees.
    """
    if asked is None:
        return 0, square, 0, square
    x0, x1, y0, y1 = asked
    if not (0 <= x0 < x1 <= square and 0 <= y0 < y1 <= square):
        raise VolumeError(
            f"the region {x0}:{x1},{y0}:{y1} does not lie within the {square} x {square} voxels (x, then y) of a slice."
        )
    radius = square / 2 if extended else min(axis_column, num_columns - 1 - axis_column)
    middle = (square - 1) / 2
    nearest = np.hypot(*(np.clip(middle, first, stop - 1) - middle for first, stop in ((x0, x1), (y0, y1))))
    if nearest > radius:
        raise VolumeError(
            f"the region {x0}:{x1},{y0}:{y1} begins {nearest:.0f} voxels from the rotation axis; only what lies within "
            f"{radius:.0f} is seen from all sides. Ask for voxels near {middle:.0f}."
        )
    return asked
