"""Frames moved by parts of pixels, and turned by small angles, with cubic splines.

A turn is three shears, each a move of single rows or columns: exact for any angle, and every pass is one-dimensional.

References
----------
Unser, IEEE Signal Process. Mag. 16 (1999) 22 (cubic B-splines); Paeth, Graphics Interface (1986) 77 (three shears).
"""

import math

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled

POLE = np.float32(math.sqrt(3) - 2)  # of the filter that makes coefficients of a cubic spline
REACH = 12  # samples after which the filter's memory is below 1e-6


def moved_along_columns(frames: NDArray[np.float32], moves: NDArray[np.float64]) -> NDArray[np.float32]:
    """Move the content of rows to larger columns; beyond the edges the last pixel is repeated.

    Parameters
    ----------
    frames
        Shape (frame, row, column), without NaN.
    moves
        In columns, shape (frame, row), (frame, 1) or (1, row).
    """
    num_frames, num_rows, _ = frames.shape
    wanted = np.ascontiguousarray(np.broadcast_to(moves, (num_frames, num_rows)), np.float64)
    return _moved(np.ascontiguousarray(frames, np.float32), wanted)


def moved_along_rows(frames: NDArray[np.float32], moves: NDArray[np.float64]) -> NDArray[np.float32]:
    """Move the content of columns to larger rows: as `moved_along_columns`, ``moves`` of shape (frame, column)."""
    num_frames, _, num_columns = frames.shape
    wanted = np.ascontiguousarray(np.broadcast_to(moves, (num_frames, num_columns)), np.float64)
    turned = np.ascontiguousarray(frames.transpose(0, 2, 1), np.float32)
    return np.ascontiguousarray(_moved(turned, wanted).transpose(0, 2, 1))


def upright(
    frames: NDArray[np.float32], tilt_deg: float, *, centre_row: float, centre_column: float
) -> NDArray[np.float32]:
    """Turn frames so that an axis that leans to larger columns at the top by ``tilt_deg`` stands upright.

    Parameters
    ----------
    frames
        Shape (frame, row, column), without NaN. Rows of a slab need neighbours: see `margin_rows`.
    centre_row, centre_column
        The point that stays where it is; it may lie outside the frames.
    """
    num_rows, num_columns = frames.shape[1:]
    rows = np.arange(num_rows, dtype=np.float64) - centre_row
    columns = np.arange(num_columns, dtype=np.float64) - centre_column
    # With rows counted downwards, the content turns by +tilt: (column, row) -> (column + tilt row, row - tilt column).
    shear, lift = math.tan(math.radians(tilt_deg) / 2), math.sin(math.radians(tilt_deg))
    frames = moved_along_columns(frames, (shear * rows)[None, :])
    frames = moved_along_rows(frames, (-lift * columns)[None, :])
    return moved_along_columns(frames, (shear * rows)[None, :])


def margin_rows(tilt_deg: float, num_columns: int) -> int:
    """Rows beside a slab from which turning draws content, and in which the spline forgets the slab's edge."""
    return math.ceil(abs(math.sin(math.radians(tilt_deg))) * num_columns) + REACH


@compiled
def _moved(frames: NDArray[np.float32], moves: NDArray[np.float64]) -> NDArray[np.float32]:
    num_frames, num_lines, length = frames.shape
    result = np.empty_like(frames)
    for line in prange(num_frames * num_lines):
        frame, row = line // num_lines, line % num_lines
        move = moves[frame, row]
        if move == 0 or length < 4:
            result[frame, row] = frames[frame, row]
            continue
        # Coefficients with the line mirrored at its ends, then with two more on either side.
        spline = np.empty(length + 4, np.float32)
        values = frames[frame, row]
        first = np.float32(0)
        power = np.float32(1)
        for k in range(min(REACH, length)):
            first += power * values[k]
            power *= POLE
        spline[2] = first
        for k in range(1, length):
            spline[2 + k] = values[k] + POLE * spline[1 + k]
        spline[1 + length] = POLE / (POLE * POLE - 1) * (spline[1 + length] + POLE * spline[length])
        for k in range(length - 2, -1, -1):
            spline[2 + k] = POLE * (spline[3 + k] - spline[2 + k])
        spline[1], spline[0] = spline[3], spline[4]
        spline[length + 2], spline[length + 3] = spline[length], spline[length - 1]
        whole = int(np.floor(-move))
        part = np.float32(-move - whole)
        rest = 1 - part
        a, d = rest * rest * rest, part * part * part
        b = 4 - 6 * part * part + 3 * d
        c = 4 - 6 * rest * rest + 3 * a
        for k in range(length):
            from_column = k + whole
            if from_column < 0:
                result[frame, row, k] = values[0]
            elif from_column >= length - 1:
                result[frame, row, k] = values[length - 1]
            else:
                s = from_column + 2
                result[frame, row, k] = a * spline[s - 1] + b * spline[s] + c * spline[s + 1] + d * spline[s + 2]
    return result
