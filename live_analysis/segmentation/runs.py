"""A volume of few values as runs: for each row along x where a value begins and where it ends.

Neighbourhood, size, position and moments of components need runs only, which are fewer than voxels by the length of a
typical chord.
"""

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled

NUM_PARTS = 64  # of the rows, shared by all threads


@dataclass(frozen=True)
class Runs:
    """Runs in order of rows: those of row (z, y) are ``row_first[z * num_y + y]`` up to the next entry."""

    shape: tuple[int, int, int]
    row_first: NDArray[np.int64]
    starts: NDArray[np.int32]
    stops: NDArray[np.int32]
    values: NDArray[np.integer]


def find_runs(values: NDArray[np.integer], skipped: int) -> Runs:
    """Return the runs of all values but ``skipped``; ``values`` has shape (z, y, x)."""
    rows = np.ascontiguousarray(values).reshape(-1, values.shape[2])
    row_first = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(_num_runs(rows, skipped), out=row_first[1:])
    starts, stops = np.empty((2, row_first[-1]), np.int32)
    found = np.empty(row_first[-1], values.dtype)
    _fill(rows, skipped, row_first, starts, stops, found)
    num_z, num_y, num_x = values.shape
    return Runs((num_z, num_y, num_x), row_first, starts, stops, found)


@compiled
def _num_runs(rows: NDArray[np.integer], skipped: int) -> NDArray[np.int64]:
    num_rows, num_x = rows.shape
    found = np.zeros(num_rows, np.int64)
    for index in prange(num_rows):
        row = rows[index]
        num = np.int32(row[0] != skipped)
        for x in range(1, num_x):
            num += np.int32((row[x] != row[x - 1]) & (row[x] != skipped))
        found[index] = num
    return found


@compiled
def _fill(
    rows: NDArray[np.integer],
    skipped: int,
    row_first: NDArray[np.int64],
    starts: NDArray[np.int32],
    stops: NDArray[np.int32],
    values: NDArray[np.integer],
) -> None:
    num_rows, num_x = rows.shape
    for part in prange(NUM_PARTS):
        ends = np.empty(num_x + 1, np.int32)
        ends[0] = 0
        for index in range(part * num_rows // NUM_PARTS, (part + 1) * num_rows // NUM_PARTS):
            row, run, num = rows[index], row_first[index], 1
            if run == row_first[index + 1]:
                continue
            for x in range(1, num_x):  # written always, kept where a value ends: no branch to be guessed wrongly
                ends[num] = x
                num += row[x] != row[x - 1]
            ends[num] = num_x
            for piece in range(num):
                value = row[ends[piece]]
                if value != skipped:
                    starts[run], stops[run], values[run] = ends[piece], ends[piece + 1], value
                    run += 1
