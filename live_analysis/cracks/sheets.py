"""Sheets of darkest places along z, told apart where they step: cracks lie above each other at a few voxels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from live_analysis.cracks.candidates import Candidates
from live_analysis.cracks.matrix_blocks import MatrixBlocks

MAX_STEP_UM = 0.7  # between neighbouring blocks; heights are known to 0.1 voxel, and cracks keep apart by more
_NEIGHBOURS = tuple((dz, dy, dx) for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)) for dz in (-1, 0, 1))


@dataclass(frozen=True)
class Plane:
    """A point of a plane as (x, y, height) in um and the slopes of its height along x and y."""

    centre_um: tuple[float, float, float]
    slope: tuple[float, float]

    def height_um(self, x_um: NDArray[np.float64], y_um: NDArray[np.float64]) -> NDArray[np.float64]:
        """Height of the plane at a place."""
        x0, y0, height = self.centre_um
        return height + self.slope[0] * (x_um - x0) + self.slope[1] * (y_um - y0)


@dataclass(frozen=True)
class Sheets:
    """Blocks on sheets: their indices (z, y, x), places in um with the height downwards, darkness, and sheet from 0."""

    index: tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]
    x_um: NDArray[np.float64]
    y_um: NDArray[np.float64]
    height_um: NDArray[np.float64]
    weight: NDArray[np.float64]
    sheet: NDArray[np.int64]

    def plane(self, chosen: NDArray[np.bool_]) -> Plane:
        """Fit a plane through some of the blocks."""
        weight, x, y, height = (array[chosen] for array in (self.weight, self.x_um, self.y_um, self.height_um))
        x0, y0, height0 = (float(np.average(values, weights=weight)) for values in (x, y, height))
        root = np.sqrt(weight)
        across = np.stack([x - x0, y - y0], axis=1) * root[:, None]
        slope = np.linalg.lstsq(across, (height - height0) * root, rcond=None)[0]
        return Plane((x0, y0, height0), (float(slope[0]), float(slope[1])))

    def variances_um2(self, chosen: NDArray[np.bool_]) -> tuple[float, float]:
        """Second moments along the two main directions across."""
        places = np.stack([self.x_um[chosen], self.y_um[chosen]])
        smaller, larger = np.linalg.eigvalsh(np.cov(places, aweights=self.weight[chosen]))
        return float(smaller), float(larger)


def find_sheets(found: Candidates, blocks: MatrixBlocks) -> Sheets:
    """Join neighbouring darkest places to sheets, cut the sheets where they step from their own plane, by number.

    Parameters
    ----------
    found
        Where cracks are.
    blocks
        The matrix.
    """
    dark = found.edges.missing
    above, below = _shifted(dark, 1), _shifted(dark, -1)
    ridge = found.mask & (dark > np.maximum(above, 0)) & (dark >= below)
    z, y, x = np.nonzero(ridge)
    offset = np.clip((below - above)[ridge] / np.maximum(2 * dark - above - below, 1e-9)[ridge] / 2, -0.5, 0.5)
    dz_um, dy_um, dx_um = blocks.spacing_um
    joined, _ = ndimage.label(ridge, np.ones((3, 3, 3), bool))
    sheet = joined[ridge].astype(np.int64) - 1
    coarse = Sheets(
        (z, y, x), np.asarray(x * dx_um), np.asarray(y * dy_um), np.asarray((z + offset) * dz_um), dark[ridge], sheet
    )
    beside_um = coarse.height_um.copy()
    for number in range(int(sheet.max(initial=-1)) + 1):
        chosen = sheet == number
        beside_um[chosen] -= coarse.plane(chosen).height_um(coarse.x_um[chosen], coarse.y_um[chosen])
    sheet = _joined_without_steps(ridge, beside_um)
    return Sheets(coarse.index, coarse.x_um, coarse.y_um, coarse.height_um, coarse.weight, sheet)


def _joined_without_steps(ridge: NDArray[np.bool_], beside_um: NDArray[np.float64]) -> NDArray[np.int64]:
    number = np.full(tuple(size + 2 for size in ridge.shape), -1)
    number[1:-1, 1:-1, 1:-1][ridge] = np.arange(beside_um.size)
    places = np.stack(np.nonzero(ridge)) + 1
    pairs = []
    for step in _NEIGHBOURS:
        other = number[tuple(places + np.array(step)[:, None])]
        first = np.flatnonzero(other >= 0)
        second = other[first]
        near = np.abs(beside_um[first] - beside_um[second]) < MAX_STEP_UM
        pairs.append(np.stack([first[near], second[near]]))
    first, second = np.concatenate(pairs, axis=1)
    graph = coo_matrix((np.ones(first.size), (first, second)), (beside_um.size, beside_um.size))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _shifted(values: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """Return the values that many rows further up; beyond the volume nothing is dark."""
    return np.asarray(ndimage.shift(values, (rows, 0, 0), order=0, mode="constant", cval=0.0))
