"""Exact Euclidean distance of every voxel of a mask to the nearest voxel outside it.

Rows first, by two sweeps; then along y and z each row asks rows further and further away, as long as their distance
alone does not exceed what is known. Many neighbours in x are asked at once: that suits processors better than lower
envelopes of parabolas (Felzenszwalb and Huttenlocher, Theory Comput. 8 (2012) 415), and grains are small.
"""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled, compiled_serial

CHUNK = 64  # voxels along x that go together
FAR = np.float32(3e38)


def distance(mask: NDArray[np.bool_], spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> NDArray[np.float32]:
    """Return distances, shape (z, y, x), in the unit of ``spacing``; 0 outside the mask.

    Parameters
    ----------
    mask
        Voxels whose distance is asked. The faces of the volume are no end of it.
    spacing
        Between centres of voxels along z, y and x. Without it squares are whole numbers, exact to 4096 voxels.

    Returns
    -------
    NDArray[np.float32]
        Infinite everywhere if there is nothing outside the mask.
    """
    squares = np.empty(mask.shape, np.float32)
    step_z, step_y, step_x = spacing
    _along_x(np.ascontiguousarray(mask).view(np.uint8), squares, step_x)
    _along_y(squares, step_y**2)
    _along_z(squares, step_z**2)
    return squares


@compiled
def _along_x(mask: NDArray[np.uint8], squares: NDArray[np.float32], step_x: float) -> None:
    step = np.float32(step_x)
    num_z, num_y, num_x = mask.shape
    for z in prange(num_z):
        for y in range(num_y):
            away = num_x
            for x in range(num_x):
                away = away + 1 if mask[z, y, x] else 0
                squares[z, y, x] = np.float32(away)
            away = num_x
            for x in range(num_x - 1, -1, -1):
                away = min(away + 1, int(squares[z, y, x])) if mask[z, y, x] else 0
                length = np.float32(away) * step
                squares[z, y, x] = length * length if away <= num_x else FAR


@compiled
def _along_y(squares: NDArray[np.float32], step_square: float) -> None:
    num_z, num_y, num_x = squares.shape
    for z in prange(num_z):
        plane = squares[z].copy()
        for y in range(num_y):
            for x in range(0, num_x, CHUNK):
                stop = min(x + CHUNK, num_x)
                _nearest(plane[:, x:stop], y, step_square, squares[z, y, x:stop])


@compiled
def _along_z(squares: NDArray[np.float32], step_square: float) -> None:
    num_z, num_y, num_x = squares.shape
    num_chunks = -(-num_x // CHUNK)
    for y in prange(num_y):
        for chunk in range(num_chunks):
            x, stop = chunk * CHUNK, min((chunk + 1) * CHUNK, num_x)
            plane = squares[:, y, x:stop].copy()
            for z in range(num_z):
                out = squares[z, y, x:stop]
                _nearest(plane, z, step_square, out)
                for index in range(out.size):
                    out[index] = np.sqrt(out[index]) if out[index] < FAR else np.float32(np.inf)


@compiled_serial
def _nearest(plane: NDArray[np.float32], middle: int, step_square: float, out: NDArray[np.float32]) -> None:
    """Least of plane[i] + (i - middle) ** 2 for one row, shape (row, x)."""
    num_rows, num_x = plane.shape
    furthest = np.float32(0)
    for x in range(num_x):
        furthest = max(furthest, plane[middle, x])
    if furthest == 0:
        return
    away = 1
    while away <= max(middle, num_rows - 1 - middle):
        added = np.float32(away * away * step_square)
        if added >= furthest:
            return
        if middle >= away:
            _lower(out, plane[middle - away], added)
        if middle + away < num_rows:
            _lower(out, plane[middle + away], added)
        furthest = np.float32(0)
        for x in range(num_x):
            furthest = max(furthest, out[x])
        away += 1


@compiled_serial
def _lower(out: NDArray[np.float32], row: NDArray[np.float32], added: np.float32) -> None:
    for x in range(out.size):
        other = row[x] + added
        out[x] = other if other < out[x] else out[x]
