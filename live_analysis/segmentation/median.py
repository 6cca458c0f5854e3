"""The exact median of the 3 x 3 x 3 neighbourhood of every voxel, by a network that sorts whole rows at once.

Three voxels above one another are sorted once for three neighbourhoods, nine in a plane across x once for three; of the
27, which then are sorted in two directions, only 13 can be the median. Network for nine: Floyd, in Knuth, The Art of
Computer Programming 3, 5.3.4.
"""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled, compiled_serial

# Loops below copy value by value: numba compiles an assignment of a slice, or np.median, for seconds.
# Joins three sorted triples 0-2, 3-5, 6-8 to one sorted list.
JOIN_TRIPLES = np.array(
    [0, 3, 3, 6, 0, 3, 1, 4, 4, 7, 1, 4, 2, 5, 5, 8, 2, 5, 1, 3, 5, 7, 2, 6, 4, 6, 2, 4, 2, 3, 5, 6]
).reshape(-1, 2)
# Joins two sorted lists of four, 0-3 and 4-7 (Batcher's odd-even merge).
JOIN_FOURS = np.array([(0, 4), (2, 6), (2, 4), (1, 5), (3, 7), (3, 5), (1, 2), (3, 4), (5, 6)])


def median_3(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median of each voxel and its 26 neighbours, shape (z, y, x); faces are repeated beyond the volume.

    A voxel that is NaN stays so; NaN among the neighbours of another one is left out.
    """
    result = np.empty_like(values, order="C")
    _median(np.ascontiguousarray(values), result, JOIN_TRIPLES, JOIN_FOURS)
    return result


@compiled
def _median(
    values: NDArray[np.float32],
    result: NDArray[np.float32],
    join_triples: NDArray[np.int64],
    join_fours: NDArray[np.int64],
) -> None:
    num_z, num_y, num_x = values.shape
    for z in prange(num_z):
        upright = np.empty((3, 3, num_x + 2), np.float32)  # row y modulo 3; lowest, middle, highest of three rows
        sorted_nine = np.empty((9, num_x + 2), np.float32)
        row = np.empty((13, num_x), np.float32)
        damaged = np.zeros(3, np.bool_)
        below, above = values[max(z - 1, 0)], values[min(z + 1, num_z - 1)]
        damaged[0] = _sort_upright(below[0], values[z, 0], above[0], upright[0])
        damaged[2] = _sort_upright(below[0], values[z, 0], above[0], upright[2])  # the row before the first
        for y in range(num_y):
            following = min(y + 1, num_y - 1)
            slot = (y + 1) % 3
            damaged[slot] = _sort_upright(below[following], values[z, following], above[following], upright[slot])
            if damaged[0] or damaged[1] or damaged[2]:
                for x in range(num_x):
                    result[z, y, x] = _median_of_finite(values, z, y, x)
                continue
            for index in range(9):
                for x in range(num_x + 2):
                    sorted_nine[index, x] = upright[index // 3, index % 3, x]
            for pair in join_triples:
                _sort_pair(sorted_nine[pair[0]], sorted_nine[pair[1]])
            for index in range(4):
                _lowest_of_three(sorted_nine[index + 5], row[index])
                _highest_of_three(sorted_nine[index], row[index + 4])
            for index in range(5):
                _middle_of_three(sorted_nine[index + 2], row[index + 8])
            for pair in join_fours:
                _sort_pair(row[pair[0]], row[pair[1]])
            _seventh_of_thirteen(row, result[z, y])


@compiled_serial
def _sort_upright(
    below: NDArray[np.float32], middle: NDArray[np.float32], above: NDArray[np.float32], out: NDArray[np.float32]
) -> bool:
    """Sort three rows, repeat their ends, and say whether something in them is NaN."""
    num_x = middle.size
    num_nan = 0
    for x in range(num_x):
        out[0, x + 1], out[1, x + 1], out[2, x + 1] = below[x], middle[x], above[x]
        num_nan += (below[x] != below[x]) | (middle[x] != middle[x]) | (above[x] != above[x])
    for index in range(3):
        out[index, 0], out[index, num_x + 1] = out[index, 1], out[index, num_x]
    _sort_pair(out[0], out[1])
    _sort_pair(out[1], out[2])
    _sort_pair(out[0], out[1])
    return num_nan > 0


@compiled_serial
def _sort_pair(lower: NDArray[np.float32], higher: NDArray[np.float32]) -> None:
    for x in range(lower.size):
        first, second = lower[x], higher[x]
        lower[x] = first if first < second else second
        higher[x] = second if first < second else first


@compiled_serial
def _lowest_of_three(row: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    for x in range(out.size):
        out[x] = min(min(row[x], row[x + 1]), row[x + 2])


@compiled_serial
def _highest_of_three(row: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    for x in range(out.size):
        out[x] = max(max(row[x], row[x + 1]), row[x + 2])


@compiled_serial
def _middle_of_three(row: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    for x in range(out.size):
        first, second, third = row[x], row[x + 1], row[x + 2]
        out[x] = max(min(first, second), min(max(first, second), third))


@compiled_serial
def _seventh_of_thirteen(row: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Middle of a sorted list of eight (rows 0 to 7) and one of five (rows 8 to 12) together."""
    for x in range(out.size):
        found = min(row[6, x], max(row[1, x], row[12, x]))
        found = min(found, max(row[2, x], row[11, x]))
        found = min(found, max(row[3, x], row[10, x]))
        found = min(found, max(row[4, x], row[9, x]))
        out[x] = min(found, max(row[5, x], row[8, x]))


@compiled_serial
def _median_of_finite(values: NDArray[np.float32], z: int, y: int, x: int) -> float:
    if np.isnan(values[z, y, x]):
        return np.nan
    found, num = np.empty(27, np.float32), 0
    for dz in range(-1, 2):
        for dy in range(-1, 2):
            for dx in range(-1, 2):
                value = values[
                    min(max(z + dz, 0), values.shape[0] - 1),
                    min(max(y + dy, 0), values.shape[1] - 1),
                    min(max(x + dx, 0), values.shape[2] - 1),
                ]
                if not np.isnan(value):
                    found[num] = value
                    num += 1
    for last in range(1, num):
        for index in range(last, 0, -1):
            lower, higher = found[index - 1], found[index]
            found[index - 1], found[index] = min(lower, higher), max(lower, higher)
    return float(found[num // 2] + found[(num - 1) // 2]) / 2
