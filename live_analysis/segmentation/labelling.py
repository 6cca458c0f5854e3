"""Connected components: which runs of equal value hang together, and the volume painted with their numbers.

Runs are joined by union-find (Wu, Otoo and Suzuki, Pattern Anal. Appl. 12 (2009) 117), parts of the volume side
by side, then across the seams between the parts.
"""

from dataclasses import dataclass

import numba
import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled, compiled_serial
from live_analysis.segmentation.runs import Runs, find_runs

# How far apart in x two runs of neighbouring rows may be: 0 they overlap, 1 they touch at a corner, -1 no neighbours.
# Rows: same z; z - 1 with the same y; z - 1 with y - 1 or y + 1.
REACHES = {6: (0, 0, -1), 18: (1, 1, 0), 26: (1, 1, 1)}


class ConnectivityError(ValueError):
    """Voxels have 6, 18 or 26 neighbours."""


@dataclass(frozen=True)
class Components:
    """Component, from 1, of every run, numbered in the order in which a reader of the volume meets them."""

    runs: Runs
    numbers: NDArray[np.int32]
    num_components: int


def connected_runs(runs: Runs, connectivity: int) -> Components:
    """Join runs of equal value that are neighbours by faces (6), also by edges (18), or also by corners (26).

    Raises
    ------
    ConnectivityError
        If ``connectivity`` is another number.
    """
    if connectivity not in REACHES:
        raise ConnectivityError(f"connectivity {connectivity}: a voxel has 6, 18 or 26 neighbours.")
    parents = np.arange(len(runs.starts), dtype=np.int32)
    num_z, num_y, _ = runs.shape
    num_parts = max(1, min(numba.get_num_threads(), num_z // 2))
    _join_parts(
        runs.row_first, runs.starts, runs.stops, runs.values, num_z, num_y, REACHES[connectivity], parents, num_parts
    )
    return Components(runs, parents, _number(parents))


def label(values: NDArray[np.integer] | NDArray[np.bool_], connectivity: int = 26) -> tuple[NDArray[np.integer], int]:
    """Return components of equal value, shape (z, y, x), from 1 (0 stays 0), and their number.

    Labels have 16 bit where these suffice, otherwise 32.
    """
    kind = np.uint8 if values.dtype == np.bool_ else values.dtype
    plain: NDArray[np.integer] = values.view(kind)
    components = connected_runs(find_runs(plain, 0), connectivity)
    return painted(components), components.num_components


def painted(components: Components) -> NDArray[np.integer]:
    """Return a volume, shape (z, y, x), with the component's number in every voxel; 0 where no run is."""
    runs = components.runs
    few = components.num_components <= np.iinfo(np.uint16).max
    labels: NDArray[np.integer] = np.empty(runs.shape, np.uint16 if few else np.int32)
    _paint(labels.reshape(-1, runs.shape[2]), runs.row_first, runs.starts, runs.stops, components.numbers)
    return labels


@compiled
def _join_parts(
    row_first: NDArray[np.int64],
    starts: NDArray[np.int32],
    stops: NDArray[np.int32],
    values: NDArray[np.integer],
    num_z: int,
    num_y: int,
    reaches: tuple[int, int, int],
    parents: NDArray[np.int32],
    num_parts: int,
) -> None:
    for part in prange(num_parts):
        first, stop = part * num_z // num_parts, (part + 1) * num_z // num_parts
        for z in range(first, stop):
            for y in range(num_y):
                if y > 0:
                    row = z * num_y + y
                    _join_rows(row_first, starts, stops, values, row, row - 1, reaches[0], parents)
            if z > first:
                _join_planes(row_first, starts, stops, values, z, num_y, reaches, parents)
    for part in range(1, num_parts):
        _join_planes(row_first, starts, stops, values, part * num_z // num_parts, num_y, reaches, parents)


@compiled_serial
def _join_planes(
    row_first: NDArray[np.int64],
    starts: NDArray[np.int32],
    stops: NDArray[np.int32],
    values: NDArray[np.integer],
    z: int,
    num_y: int,
    reaches: tuple[int, int, int],
    parents: NDArray[np.int32],
) -> None:
    for y in range(num_y):
        row = z * num_y + y
        _join_rows(row_first, starts, stops, values, row, row - num_y, reaches[1], parents)
        if reaches[2] >= 0 and y > 0:
            _join_rows(row_first, starts, stops, values, row, row - num_y - 1, reaches[2], parents)
        if reaches[2] >= 0 and y < num_y - 1:
            _join_rows(row_first, starts, stops, values, row, row - num_y + 1, reaches[2], parents)


@compiled_serial
def _join_rows(
    row_first: NDArray[np.int64],
    starts: NDArray[np.int32],
    stops: NDArray[np.int32],
    values: NDArray[np.integer],
    row: int,
    other_row: int,
    reach: int,
    parents: NDArray[np.int32],
) -> None:
    run, stop = row_first[row], row_first[row + 1]
    other, other_stop = row_first[other_row], row_first[other_row + 1]
    while run < stop and other < other_stop:
        if stops[other] + reach <= starts[run]:
            other += 1
        elif stops[run] + reach <= starts[other]:
            run += 1
        else:
            if values[run] == values[other] and parents[run] != parents[other]:
                _join(parents, run, other)
            if stops[run] < stops[other]:
                run += 1
                continue
            # The next run may touch with its corner the one that is left now.
            if run + 1 < stop and starts[run + 1] < stops[other] + reach and values[run + 1] == values[other]:
                _join(parents, run + 1, other)
            other += 1


@compiled_serial
def _join(parents: NDArray[np.int32], first: int, second: int) -> None:
    """Make the earlier one of two roots the parent of the other."""
    while parents[first] != first:
        parents[first] = parents[parents[first]]
        first = parents[first]
    while parents[second] != second:
        parents[second] = parents[parents[second]]
        second = parents[second]
    if first < second:
        parents[second] = first
    elif second < first:
        parents[first] = second


@compiled_serial
def _number(parents: NDArray[np.int32]) -> int:
    """Replace parents, which come before their children, by numbers from 1; return how many there are."""
    num = 0
    for run in range(parents.size):
        if parents[run] == run:
            num += 1
            parents[run] = num
        else:
            parents[run] = parents[parents[run]]
    return num


@compiled
def _paint(
    labels: NDArray[np.integer],
    row_first: NDArray[np.int64],
    starts: NDArray[np.int32],
    stops: NDArray[np.int32],
    numbers: NDArray[np.int32],
) -> None:
    for row in prange(len(labels)):
        line, x = labels[row], 0
        for run in range(row_first[row], row_first[row + 1]):
            line[x : starts[run]] = 0
            x = stops[run]
            line[starts[run] : x] = numbers[run]
        line[x:] = 0
