"""Size, centroid, extent and principal axes of all components in one pass."""

from dataclasses import dataclass

import numba
import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled, compiled_serial
from live_analysis.segmentation.labelling import Components

NUM_SUMS = 10  # of 1, z, y, x, zz, yy, xx, zy, zx, yx
NUM_ENDS = 6  # first and last z, y and x
MOST_ROWS = 500_000  # of tables of sums, 128 bytes each


@dataclass(frozen=True)
class ComponentMoments:
    """One row per component, the first one of component 1; lengths in the unit of the spacing, volumes in its cube.

    ``sizes`` are in voxels, ``ends`` first and last z, y, x index, ``covariances`` second central moments of a volume
    of equal density (the extent of a voxel included), ``lengths`` full axes, shortest first, of the ellipsoids with
    these moments, ``axes`` their directions: ``axes[i, k]`` is z, y, x of axis k of component i.
    """

    sizes: NDArray[np.int64]
    volumes: NDArray[np.float64]
    centroids: NDArray[np.float64]
    ends: NDArray[np.int64]
    covariances: NDArray[np.float64]
    lengths: NDArray[np.float64]
    axes: NDArray[np.float64]


def moments_of_labels(
    labels: NDArray[np.integer], num_labels: int, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> ComponentMoments:
    """Measure labelled components.

    Parameters
    ----------
    labels
        Shape (z, y, x), 1 to ``num_labels``, 0 for none; labels without a voxel have size 0, the rest of them NaN.
    num_labels
        The largest label.
    spacing
        Between centres of voxels along z, y and x.
    """
    num_parts = _num_parts(labels.shape[0], num_labels)
    sums, ends = _sums_of_labels(np.ascontiguousarray(labels), num_labels, num_parts)
    return _moments(sums, ends, spacing)


def moments_of_components(
    components: Components, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> ComponentMoments:
    """Measure components from their runs."""
    return _moments(*_of_runs(components), spacing)


def sizes_and_ends(components: Components) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return voxels and first and last z, y, x index of components, without the tables that the rest takes."""
    sums, ends = _of_runs(components)
    return sums[:, 0].copy(), ends


def _of_runs(components: Components) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    runs = components.runs
    num_parts = _num_parts(runs.shape[0], components.num_components)
    return _sums_of_runs(
        runs.row_first, runs.starts, runs.stops, components.numbers, runs.shape, components.num_components, num_parts
    )


def _num_parts(num_z: int, num_components: int) -> int:
    most = MOST_ROWS // max(num_components, 1)  # tables of millions of components are not made for every thread
    return int(max(1, min(numba.get_num_threads(), num_z, most)))


def _moments(sums: NDArray[np.int64], ends: NDArray[np.int64], spacing: tuple[float, float, float]) -> ComponentMoments:
    sizes, step = sums[:, 0], np.asarray(spacing, np.float64)
    num = np.where(sizes > 0, sizes, np.nan)
    centres = sums[:, 1:4] / num[:, None]
    covariances = np.empty((len(sums), 3, 3))
    for column, (i, j) in enumerate([(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]):
        central = sums[:, 4 + column] / num - centres[:, i] * centres[:, j] + (1 / 12 if i == j else 0.0)
        covariances[:, i, j] = covariances[:, j, i] = central * step[i] * step[j]
    squares, directions = np.linalg.eigh(np.nan_to_num(covariances))
    lengths = np.where(sizes[:, None] > 0, 2 * np.sqrt(5 * np.maximum(squares, 0)), np.nan)
    return ComponentMoments(
        sizes, sizes * step.prod(), centres * step, ends, covariances, lengths, directions.transpose(0, 2, 1)
    )


@compiled_serial
def _add_run(sums: NDArray[np.int64], ends: NDArray[np.int64], z: int, y: int, start: int, stop: int) -> None:
    num = stop - start
    sum_x = num * (start + stop - 1) // 2
    sums[0] += num
    sums[1] += z * num
    sums[2] += y * num
    sums[3] += sum_x
    sums[4] += z * z * num
    sums[5] += y * y * num
    sums[6] += ((stop - 1) * stop * (2 * stop - 1) - (start - 1) * start * (2 * start - 1)) // 6
    sums[7] += z * y * num
    sums[8] += z * sum_x
    sums[9] += y * sum_x
    ends[0], ends[1] = min(ends[0], z), max(ends[1], z)
    ends[2], ends[3] = min(ends[2], y), max(ends[3], y)
    ends[4], ends[5] = min(ends[4], start), max(ends[5], stop - 1)


@compiled_serial
def _empty_tables(num_parts: int, num_components: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    sums = np.zeros((num_parts, num_components, NUM_SUMS), np.int64)
    ends = np.empty((num_parts, num_components, NUM_ENDS), np.int64)
    ends[:, :, 0::2] = np.iinfo(np.int64).max
    ends[:, :, 1::2] = -1
    return sums, ends


@compiled_serial
def _together(sums: NDArray[np.int64], ends: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    total, widest = sums[0], ends[0]
    for part in range(1, len(sums)):
        total += sums[part]
        widest[:, 0::2] = np.minimum(widest[:, 0::2], ends[part, :, 0::2])
        widest[:, 1::2] = np.maximum(widest[:, 1::2], ends[part, :, 1::2])
    return total, widest


@compiled
def _sums_of_labels(
    labels: NDArray[np.integer], num_labels: int, num_parts: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    num_z, num_y, num_x = labels.shape
    sums, ends = _empty_tables(num_parts, num_labels)
    for part in prange(num_parts):
        for z in range(part * num_z // num_parts, (part + 1) * num_z // num_parts):
            for y in range(num_y):
                row, x = labels[z, y], 0
                while x < num_x:
                    number, start = row[x], x
                    x += 1
                    while x < num_x and row[x] == number:
                        x += 1
                    if number > 0:
                        _add_run(sums[part, number - 1], ends[part, number - 1], z, y, start, x)
    return _together(sums, ends)


@compiled
def _sums_of_runs(
    row_first: NDArray[np.int64],
    starts: NDArray[np.int32],
    stops: NDArray[np.int32],
    numbers: NDArray[np.int32],
    shape: tuple[int, int, int],
    num_components: int,
    num_parts: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    num_z, num_y, _ = shape
    sums, ends = _empty_tables(num_parts, num_components)
    for part in prange(num_parts):
        for z in range(part * num_z // num_parts, (part + 1) * num_z // num_parts):
            for y in range(num_y):
                row = z * num_y + y
                for run in range(row_first[row], row_first[row + 1]):
                    number = numbers[run] - 1
                    _add_run(sums[part, number], ends[part, number], z, y, starts[run], stops[run])
    return _together(sums, ends)
