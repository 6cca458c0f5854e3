"""Hierarchical back projection: neighbouring angles are summed on coarse grids before they reach the volume.

Seen along its own mean direction a bundle of projections changes slowly: across the rays (s) as fast as a projection,
along them (t) the slower the narrower the bundle. So a leaf of few angles is summed on a grid that is coarse in t, the
leaves of a sector on one that is finer, and the sector is added to the volume once. Every angle has its place in a
fixed sector and leaf; the volume is therefore the same sum in whatever order and portions the projections come.

After Basu and Bresler, IEEE Trans. Image Process. 9 (2000) 1760, and Brandt et al., SIAM J. Appl. Math. 60 (2000) 552.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled
from live_analysis.reconstruction.lanes import NUM_LANES, add_scaled, load, store, zeros
from live_analysis.reconstruction.ramp_filter import MARGIN_COLUMNS

ANGLES_IN_LEAF, LEAVES_IN_SECTOR = 8, 4
WIDEST_SECTOR_RAD = np.pi / 4
STEP_T = 0.6  # of the slowest change along the rays that a bundle can show
LINEAR_STEPS = 2.5  # two linear interpolations in s, and what those in t cost: see RampFilter
RUN = 32  # samples in s over which a leaf takes one interpolation weight: the angle moves it by 1e-3 of a column
TILE = 64
ROUNDING = 1e-9  # of a sector
NEXT = np.uint64(1)  # unsigned places are not looked at for being negative, which means counted from the end

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class BundleGrid:
    """Where a bundle of angles is sampled: rows in t, half columns in s, both about the rotation axis.

    Row ``m`` holds the samples ``first[m]`` to ``stop[m] - 1`` of ``num_s``; they lie at ``base[m] + i`` in an array of
    shape (num_samples, 16).
    """

    step_t: float
    num_s: int
    first: NDArray[np.int64]
    stop: NDArray[np.int64]

    @cached_property
    def base(self) -> NDArray[np.int64]:
        """Where sample 0 of each row would lie."""
        num = self.stop - self.first
        return np.asarray(np.cumsum(num) - num - self.first, np.int64)

    @property
    def num_samples(self) -> int:
        """Samples of all rows."""
        return int((self.stop - self.first).sum())


@dataclass(frozen=True)
class Hierarchy:
    """Sectors, leaves and their grids for a volume of ``radius`` pixels about the rotation axis.

    ``leaf_offsets_rad`` are the directions of the leaves from that of their sector.
    """

    radius: float
    sector_rad: float
    leaf_offsets_rad: NDArray[np.float64]
    leaf_grid: BundleGrid
    sector_grid: BundleGrid

    def place(self, angle_rad: float) -> tuple[int, int]:
        """Return sector and leaf of an angle; one that rounding puts before a border belongs behind it, in any turn."""
        at = angle_rad / self.sector_rad + ROUNDING
        sector = int(np.floor(at))
        leaf = int((at - sector) * LEAVES_IN_SECTOR)
        return sector, min(leaf, LEAVES_IN_SECTOR - 1)

    def direction_rad(self, sector: int) -> float:
        """Return the middle direction of a sector."""
        return (sector + 0.5) * self.sector_rad


def hierarchy(radius: float, angle_step_rad: float) -> Hierarchy:
    """Lay out the grids for projections about ``angle_step_rad`` apart."""
    sector_rad = min(ANGLES_IN_LEAF * LEAVES_IN_SECTOR * angle_step_rad, WIDEST_SECTOR_RAD)
    offsets = (np.arange(LEAVES_IN_SECTOR) - (LEAVES_IN_SECTOR - 1) / 2) * sector_rad / LEAVES_IN_SECTOR
    sector_grid = _grid_for_volume(radius, STEP_T / np.sin(sector_rad / 2))
    leaf_grid = _grid_for_parent(sector_grid, offsets, STEP_T / np.sin(sector_rad / 2 / LEAVES_IN_SECTOR))
    return Hierarchy(radius, sector_rad, offsets, leaf_grid, sector_grid)


def _grid_for_volume(radius: float, step_t: float) -> BundleGrid:
    """Cover every point within ``radius`` and the neighbours that bilinear interpolation asks for."""
    num_t = 2 * int(np.ceil(radius / step_t)) + 3
    t = (np.arange(num_t) - (num_t - 1) / 2) * step_t
    nearest_t = np.maximum(np.abs(t) - step_t, 0)
    half = np.sqrt(np.maximum(radius**2 - nearest_t**2, 0))
    num_s = 2 * int(np.ceil(2 * radius)) + 5
    middle = (num_s - 1) / 2
    first = np.floor(middle - 2 * half).astype(np.int64)
    stop = np.floor(middle + 2 * half).astype(np.int64) + 2
    return BundleGrid(step_t, num_s, first, stop)


def _grid_for_parent(parent: BundleGrid, offsets_rad: NDArray[np.float64], step_t: float) -> BundleGrid:
    """Cover every sample of ``parent``, seen from directions that differ by ``offsets_rad``."""
    m = np.repeat(np.arange(len(parent.first)), parent.stop - parent.first)
    i = np.concatenate([np.arange(a, b) for a, b in zip(parent.first, parent.stop, strict=True)])
    s, t = (i - (parent.num_s - 1) / 2) / 2, (m - (len(parent.first) - 1) / 2) * parent.step_t
    seen_s = np.concatenate([s * np.cos(offset) + t * np.sin(offset) for offset in offsets_rad])
    seen_t = np.concatenate([t * np.cos(offset) - s * np.sin(offset) for offset in offsets_rad])
    num_t = 2 * int(np.ceil(np.abs(seen_t).max() / step_t)) + 3
    num_s = 2 * int(np.ceil(2 * np.abs(seen_s).max())) + 5
    row = np.floor(seen_t / step_t + (num_t - 1) / 2).astype(np.int64)
    left = np.floor(2 * seen_s + (num_s - 1) / 2).astype(np.int64)
    first, stop = np.full(num_t, num_s // 2), np.full(num_t, num_s // 2)
    for near in (row, row + 1):
        np.minimum.at(first, near, left)
        np.maximum.at(stop, near, left + 2)
    return BundleGrid(step_t, num_s, first, stop)


@compiled
def sum_leaf(
    out: Samples,
    step_t: float,
    num_s: int,
    first: NDArray[np.int64],
    stop: NDArray[np.int64],
    base: NDArray[np.int64],
    filtered: NDArray[np.float32],
    slots: NDArray[np.int64],
    weights: NDArray[np.float32],
    offsets_rad: NDArray[np.float64],
    axis_column: float,
) -> None:
    """Sum some filtered projections on the grid of their leaf.

    Parameters
    ----------
    out
        Samples of the leaf, shape (num_samples, 16), overwritten.
    step_t, num_s, first, stop, base
        The leaf's `BundleGrid`.
    filtered
        Spline coefficients of filtered projections, shape (frame, column with margins, 16).
    slots, weights, offsets_rad
        Which frames, with which weight, and how far their angles lie from the leaf's direction.
    axis_column
        Column of the rotation axis.
    """
    num_t, num, num_columns = len(first), len(slots), filtered.shape[1]
    columns = filtered.reshape((filtered.shape[0] * num_columns, NUM_LANES))
    sixth, third2, half, one = np.float32(1 / 6), np.float32(2 / 3), np.float32(0.5), np.float32(1)
    cosines, sines = np.cos(offsets_rad), np.sin(offsets_rad)
    for m in prange(num_t):
        t = (m - (num_t - 1) / 2) * step_t
        taps = np.empty((num, 2, 4), np.float32)
        lefts = np.empty((num, 2), np.int64)
        for begin in range(first[m], stop[m], RUN):
            end = min(begin + RUN, stop[m])
            half_run = (end - 1 - begin) / 4
            for k in range(num):
                for parity in range(2):
                    # Exact in the middle of the run.
                    middle_s = (begin + parity - (num_s - 1) / 2) / 2 + half_run
                    column = middle_s * cosines[k] + t * sines[k] - half_run + axis_column + MARGIN_COLUMNS
                    left = int(np.floor(column))
                    x = np.float32(column - left)
                    y = one - x
                    lefts[k, parity] = slots[k] * num_columns + left
                    taps[k, parity, 0] = weights[k] * y * y * y * sixth
                    taps[k, parity, 1] = weights[k] * (third2 - x * x * (one - half * x))
                    taps[k, parity, 2] = weights[k] * (third2 - y * y * (one - half * y))
                    taps[k, parity, 3] = weights[k] * x * x * x * sixth
            for parity in range(2):
                for i in range(begin + parity, end, 2):
                    v = zeros()
                    for k in range(num):
                        at = lefts[k, parity] + (i - begin) // 2
                        v = add_scaled(v, taps[k, parity, 0], load(columns, at - 1))
                        v = add_scaled(v, taps[k, parity, 1], load(columns, at))
                        v = add_scaled(v, taps[k, parity, 2], load(columns, at + 1))
                        v = add_scaled(v, taps[k, parity, 3], load(columns, at + 2))
                    store(out, base[m] + i, v)


@compiled
def add_leaf(
    out: Samples,
    step_t: float,
    num_s: int,
    first: NDArray[np.int64],
    stop: NDArray[np.int64],
    base: NDArray[np.int64],
    leaf: Samples,
    offset_rad: float,
    leaf_step_t: float,
    leaf_num_s: int,
    leaf_base: NDArray[np.int64],
    is_first: bool,
) -> None:
    """Add a leaf, seen under ``offset_rad``, to the grid of its sector; the first one replaces what was there."""
    num_t = len(first)
    one, per_s, per_t = np.float32(1), np.float32(2), np.float32(1 / leaf_step_t)
    middle_s, middle_t = np.float32((leaf_num_s - 1) / 2), np.float32((len(leaf_base) - 1) / 2)
    cosine, sine = np.float32(np.cos(offset_rad)), np.float32(np.sin(offset_rad))
    for m in prange(num_t):
        t = np.float32((m - (num_t - 1) / 2) * step_t)
        for i in range(first[m], stop[m]):
            s = np.float32((i - (num_s - 1) / 2) / 2)
            at_s = (s * cosine + t * sine) * per_s + middle_s
            at_t = (t * cosine - s * sine) * per_t + middle_t
            left, above = np.int64(at_s), np.int64(at_t)
            a, b = at_s - np.float32(left), at_t - np.float32(above)
            ab = a * b
            at, below = np.uint64(leaf_base[above] + left), np.uint64(leaf_base[above + 1] + left)
            place = np.uint64(base[m] + i)
            v = zeros() if is_first else load(out, place)
            v = add_scaled(v, one - a - b + ab, load(leaf, at))
            v = add_scaled(v, a - ab, load(leaf, at + NEXT))
            v = add_scaled(v, b - ab, load(leaf, below))
            store(out, place, add_scaled(v, ab, load(leaf, below + NEXT)))


@compiled
def add_sector(
    volume: NDArray[np.float32],
    first_x: NDArray[np.int64],
    stop_x: NDArray[np.int64],
    samples: Samples,
    direction_rad: float,
    step_t: float,
    num_s: int,
    base: NDArray[np.int64],
) -> None:
    """Add the samples of a sector to a chunk of the volume, shape (y, x, 16), from ``first_x[y]`` to ``stop_x[y]``."""
    num_y, num_x = volume.shape[0], volume.shape[1]
    points = volume.reshape((num_y * num_x, NUM_LANES))
    cosine, sine = np.float32(np.cos(direction_rad)), np.float32(np.sin(direction_rad))
    one, per_s, per_t = np.float32(1), np.float32(2), np.float32(1 / step_t)
    middle_x, middle_y = np.float32((num_x - 1) / 2), np.float32((num_y - 1) / 2)
    middle_s, middle_t = np.float32((num_s - 1) / 2), np.float32((len(base) - 1) / 2)
    num_tiles = (num_x + TILE - 1) // TILE
    for tile in prange(num_tiles * ((num_y + TILE - 1) // TILE)):
        from_y, from_x = (tile // num_tiles) * TILE, (tile % num_tiles) * TILE
        for iy in range(from_y, min(from_y + TILE, num_y)):
            y = np.float32(iy) - middle_y
            for ix in range(max(from_x, first_x[iy]), min(from_x + TILE, stop_x[iy])):
                x = np.float32(ix) - middle_x
                at_s = (x * cosine + y * sine) * per_s + middle_s
                at_t = (y * cosine - x * sine) * per_t + middle_t
                left, above = np.int64(at_s), np.int64(at_t)
                a, b = at_s - np.float32(left), at_t - np.float32(above)
                ab = a * b
                at, below = np.uint64(base[above] + left), np.uint64(base[above + 1] + left)
                point = np.uint64(iy * num_x + ix)
                v = add_scaled(load(points, point), one - a - b + ab, load(samples, at))
                v = add_scaled(v, a - ab, load(samples, at + NEXT))
                v = add_scaled(v, b - ab, load(samples, below))
                store(points, point, add_scaled(v, ab, load(samples, below + NEXT)))


def zeros_of(grid: BundleGrid, *shape: int) -> Samples:
    """Return room for the samples of ``shape`` bundles."""
    return np.zeros((*shape, grid.num_samples, NUM_LANES), np.float32)
