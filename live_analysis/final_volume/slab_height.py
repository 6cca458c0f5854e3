"""How many rows are reconstructed at once: as many as the memory allows, never more than are useful."""

import math

from live_analysis.final_volume.raw_scan import VolumeError

ENGINE_ROWS = 16  # rows that an engine is given at once: what it holds does not grow with the slab
MOST_ROWS = 32  # a killed process loses less than this; reading so few at once costs about 1 % of the time
CHUNK_ROWS = 32
CHUNK_COLUMNS = 256
SMALLEST_LEVEL = 256
BASE_BYTES = 500_000_000  # interpreter, libraries, compiled code
CORRECTING_BYTES = 2  # of a pixel of a slab: batches of projections, stripes
COPIES_OF_VOLUME = 3.0  # of the rows an engine has: sums, what it returns, and what it works with
COPIES_OF_FILTERED = 2.0  # of their projections


def levels_for(num_y: int, num_x: int) -> int:
    """Return how many levels a pyramid needs until it is no wider than `SMALLEST_LEVEL`."""
    return 1 + max(0, math.ceil(math.log2(max(num_y, num_x, 1) / SMALLEST_LEVEL)))


def peak_bytes(
    slab_rows: int, num_projections: int, num_columns: int, count_bytes: int, square: int, voxels: int
) -> int:
    """Return about how much memory one slab needs, the next one's counts included.

    Parameters
    ----------
    count_bytes
        Of one pixel in the file.
    square
        Voxels along x and y of what the engine gives.
    voxels
        Voxels of one row of the volume.
    """
    projections = num_projections * num_columns
    slab = slab_rows * (projections * (2 * count_bytes + 4 + CORRECTING_BYTES) + 4 * voxels * 1.3)
    engine = min(slab_rows, ENGINE_ROWS) * 4 * (square**2 * COPIES_OF_VOLUME + projections * COPIES_OF_FILTERED)
    return int(BASE_BYTES + slab + engine)


def slab_height(
    memory_bytes: int,
    num_rows: int,
    num_projections: int,
    num_columns: int,
    count_bytes: int,
    square: int,
    voxels: int,
    num_levels: int,
    *,
    whole_frames: bool,
) -> tuple[int, int]:
    """Return the rows of a slab and of a chunk.

    A slab holds whole chunks of every level, so that no two slabs share a chunk.

    Parameters
    ----------
    memory_bytes
        What may be used.
    whole_frames
        Whether some rows of a projection cost as much to read as all: slabs are then as high as the memory allows.

    Raises
    ------
    VolumeError
        If not even the lowest slab fits.
    """
    unit = 2 ** (num_levels - 1)
    most = -(-(num_rows if whole_frames else min(MOST_ROWS, num_rows)) // unit) * unit
    candidates = [rows for rows in range(unit, most + 1, unit) if rows < CHUNK_ROWS or rows % CHUNK_ROWS == 0]
    if num_rows <= most:
        candidates.append(most)
    fitting = [
        rows
        for rows in candidates
        if peak_bytes(rows, num_projections, num_columns, count_bytes, square, voxels) <= memory_bytes
    ]
    if not fitting:
        least = peak_bytes(unit, num_projections, num_columns, count_bytes, square, voxels)
        raise VolumeError(
            f"{memory_bytes / 1e9:.3g} GB of memory are too few for a slab of {unit} rows of {num_projections} "
            f"projections with {num_columns} columns, which needs {least / 1e9:.3g} GB. Give more with --memory, or "
            "fewer levels of the pyramid with --levels."
        )
    rows = fitting[-1]
    return rows, CHUNK_ROWS if rows % CHUNK_ROWS == 0 else rows
