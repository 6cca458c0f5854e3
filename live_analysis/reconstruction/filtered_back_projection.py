"""Quantitative filtered back projection of a parallel-beam scan onto any set of points, in 1/cm.

Geometry: a sample point (x, y), in pixels from the rotation axis, is seen at angle theta in the column
``axis_column + x cos(theta) + y sin(theta)``. Volumes are ordered (z, y, x), where z is the detector row.
"""

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.angle_weights import ProjectionError, angle_weights
from live_analysis.reconstruction.compiled import compiled

NUM_THREADS = 2
FILTER_BATCH_BYTES = 64 * 2**20  # padded rows held at once by the filter
UM_PER_CM = 1e4


@dataclass(frozen=True)
class Grid:
    """Points at which a slice is reconstructed: x and y, in pixels from the rotation axis, arrays of one shape."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]

    @classmethod
    def square(cls, num_x: int, num_y: int | None = None) -> "Grid":
        """Take all points of a region centred on the axis, ordered (y, x), one pixel apart."""
        y, x = np.meshgrid(_centred(num_x if num_y is None else num_y), _centred(num_x), indexing="ij")
        return cls(x, y)

    @classmethod
    def along_x(cls, num_x: int, *, y: float = 0.0) -> "Grid":
        """Take a line in x; reconstructed for all rows it is the plane ordered (z, x)."""
        return cls(_centred(num_x), np.full(num_x, y))

    @classmethod
    def along_y(cls, num_y: int, *, x: float = 0.0) -> "Grid":
        """Take a line in y; reconstructed for all rows it is the plane ordered (z, y)."""
        return cls(np.full(num_y, x), _centred(num_y))


def filter_projections(
    integrals: NDArray[np.float32], pixel_size_um: float, *, taper_columns: int = 0
) -> NDArray[np.float32]:
    """Ramp-filter attenuation integrals along their columns.

    Parameters
    ----------
    integrals
        Attenuation integrals without NaN, shape (frame, row, column), unitless.
    pixel_size_um
        Pixel size in the sample.
    taper_columns
        Columns by which both edges are first continued, falling to zero as a cosine. 0: the projections end
        in air, nothing is continued.

    Returns
    -------
    NDArray[np.float32]
        Filtered projections, same shape, in 1/cm per radian.

    Raises
    ------
    ProjectionError
        If the array is not three-dimensional or holds NaN or infinities.

    References
    ----------
    Kak and Slaney, Principles of Computerized Tomographic Imaging (1988), eq. 3.61: the ramp sampled in space
    keeps the mean, the ramp sampled in frequency does not.
    """
    if integrals.ndim != 3 or integrals.size == 0:
        raise ProjectionError(f"projections must have shape (frame, row, column), found {integrals.shape}.")
    num_frames, num_rows, num_columns = integrals.shape
    width = num_columns + 2 * taper_columns
    length = scipy.fft.next_fast_len(2 * width, real=True)
    response = (_ramp_response(length) * (UM_PER_CM / pixel_size_um)).astype(np.float32)
    taper = _half_cosine(taper_columns)
    filtered = np.empty(integrals.shape, np.float32)
    batch = max(1, FILTER_BATCH_BYTES // (length * num_rows * 4))
    for first in range(0, num_frames, batch):
        frames = integrals[first : first + batch]
        padded = np.zeros((len(frames), num_rows, width), np.float32)
        padded[..., taper_columns : taper_columns + num_columns] = frames
        if taper_columns:
            padded[..., :taper_columns] = frames[..., :1] * taper[::-1]
            padded[..., -taper_columns:] = frames[..., -1:] * taper
        spectrum = scipy.fft.rfft(padded, length, axis=-1, workers=NUM_THREADS)
        spectrum *= response
        back = scipy.fft.irfft(spectrum, length, axis=-1, workers=NUM_THREADS, overwrite_x=True)
        filtered[first : first + batch] = back[..., taper_columns : taper_columns + num_columns]
        if not np.isfinite(filtered[first : first + batch].sum(dtype=np.float64)):
            raise ProjectionError(
                f"frames {first} to {first + len(frames) - 1} hold NaN or infinite attenuation integrals, which the "
                "filter would spread over whole rows: repair the pixels first."
            )
    return filtered


def back_project(
    filtered: NDArray[np.float32],
    angles_deg: NDArray[np.float64],
    axis_column: float,
    grid: Grid,
    *,
    weights_rad: NDArray[np.float64] | None = None,
) -> NDArray[np.float32]:
    """Sum filtered projections along their rays at the points of a grid.

    Parameters
    ----------
    filtered
        Filtered projections, shape (frame, row, column), in 1/cm per radian.
    angles_deg
        Measured angle of every frame, shape (frame,).
    axis_column
        Column of the rotation axis; fractions count.
    grid
        Points to reconstruct.
    weights_rad
        Weight of every frame; by default from `angle_weights`.

    Returns
    -------
    NDArray[np.float32]
        Attenuation in 1/cm, shape (row, *grid.x.shape). NaN at points that are not seen in every direction.

    Raises
    ------
    ProjectionError
        If frames and angles differ in number.
    """
    num_frames, num_rows, num_columns = filtered.shape
    if len(angles_deg) != num_frames:
        raise ProjectionError(f"{num_frames} projections came with {len(angles_deg)} angles: every frame needs one.")
    weights = angle_weights(angles_deg).weights_rad if weights_rad is None else weights_rad
    radians = np.radians(np.asarray(angles_deg, np.float64))
    x = np.ascontiguousarray(grid.x, np.float64).ravel()
    y = np.ascontiguousarray(grid.y, np.float64).ravel()
    seen = np.hypot(x, y) <= min(axis_column, num_columns - 1 - axis_column)
    sums = np.zeros((np.count_nonzero(seen), num_rows), np.float32)
    _accumulate(
        sums,
        _rows_innermost(np.ascontiguousarray(filtered, np.float32), weights.astype(np.float32)),
        np.cos(radians),
        np.sin(radians),
        x[seen],
        y[seen],
        axis_column,
    )
    result = np.full((num_rows, x.size), np.nan, np.float32)
    result[:, seen] = sums.T
    return result.reshape(num_rows, *grid.x.shape)


def _centred(num: int) -> NDArray[np.float64]:
    return np.arange(num, dtype=np.float64) - (num - 1) / 2


def _half_cosine(num: int) -> NDArray[np.float32]:
    """Weights from almost 1 to almost 0, shape (num,)."""
    return (0.5 + 0.5 * np.cos(np.pi * (np.arange(num) + 0.5) / max(num, 1))).astype(np.float32)


def _ramp_response(length: int) -> NDArray[np.float64]:
    """Fourier transform of the ramp sampled in space, for columns one pixel apart."""
    n = np.minimum(np.arange(length), length - np.arange(length))
    kernel = np.zeros(length)
    kernel[0] = 0.25
    kernel[n % 2 == 1] = -1.0 / (np.pi * n[n % 2 == 1]) ** 2
    return np.asarray(scipy.fft.rfft(kernel).real, np.float64)


@compiled
def _rows_innermost(filtered: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weight and reorder to (frame, column, row): one position per ray then serves all rows at once.

    One column of zeros is appended, so that a ray on the last column has a right neighbour.
    """
    num_frames, num_rows, num_columns = filtered.shape
    out = np.zeros((num_frames, num_columns + 1, num_rows), np.float32)
    for frame in prange(num_frames):
        for first in range(0, num_columns, 32):
            for row in range(num_rows):
                for column in range(first, min(first + 32, num_columns)):
                    out[frame, column, row] = filtered[frame, row, column] * weights[frame]
    return out


@compiled
def _accumulate(
    sums: NDArray[np.float32],
    filtered: NDArray[np.float32],
    cosines: NDArray[np.float64],
    sines: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    axis_column: float,
) -> None:
    """Add the linear interpolation of every frame to ``sums``, shape (point, row), tile by tile of points."""
    num_points, num_rows = sums.shape
    tile = 128
    for t in prange((num_points + tile - 1) // tile):
        for frame in range(filtered.shape[0]):
            for point in range(t * tile, min((t + 1) * tile, num_points)):
                column = axis_column + x[point] * cosines[frame] + y[point] * sines[frame]
                # Rounding may carry the rim of the view to -1e-13 or past the last column.
                left = min(max(int(np.floor(column)), 0), filtered.shape[1] - 2)
                right_weight = np.float32(column - left)
                left_weight = np.float32(1) - right_weight
                for row in range(num_rows):
                    sums[point, row] += (
                        left_weight * filtered[frame, left, row] + right_weight * filtered[frame, left + 1, row]
                    )
