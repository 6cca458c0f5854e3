"""By how much single detector pixels read too much or too little, all the time.

A pixel whose gain is not that of its flat adds the same number to its attenuation integral at every angle: a stripe in
the sinogram, a ring in the slice. The object adds something that moves from column to column as it turns. So every
pixel is compared with its neighbours at many angles, and what it is off by at most of them is its offset. What is
concentric with the rotation axis does not move either; but it is seen on both sides of the axis alike, and is kept.
"""

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from live_analysis.corrections.bin_order import ordering_median
from live_analysis.reconstruction.compiled import compiled, compiled_serial

NUM_BINS = 32  # of angle: few enough to average noise, enough that what moves is in one column in few of them
REACH_COLUMNS = 4  # to either side: stripes up to two columns wide are seen, few curves of an object are
OUTLIER_SIGMAS = 2.5
OUTLIER_COLUMN_SIGMAS = 4.0
LEAST_WEIGHT = 1e-4  # of a column that is off: a whole neighbourhood that is off still has a fit
NOTHING_BELOW, WHOLE_ABOVE = 1.5, 3.0  # standard errors
COLUMNS_OF_USUAL, UNUSUAL = 48, 3.0  # times the median error in so many columns: there the object has an edge
RUNAWAY = 3.0  # of the offset without weights; it is twice as much for one column, three times as much for two
ALIKE = 0.5  # of the larger of two sides of the axis, by which they may differ and still be one concentric object
FOUND_SIGMAS = 3.0
MAD_TO_SIGMA = 1.4826

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Offsets:
    """Offsets of pixels, unitless attenuation integrals, shape (row, column).

    ``standard_error`` has the same shape; ``concentric`` marks what was left alone because both sides of the axis show
    it. ``weights`` says how much each column counts where its neighbours are compared with it, 0 to 1. ``in_bins`` has
    shape (row, bin, column): what is left in each bin of angle when the offset is taken off.
    """

    values: Floats
    standard_error: Floats
    concentric: NDArray[np.bool_]
    weights: Floats
    in_bins: Floats


def column_offsets(bins: Floats, axis_column: float | None) -> Offsets:
    """Find what pixels are off by at most angles, compared with a parabola through their neighbours in the row.

    Parameters
    ----------
    bins
        Mean attenuation integrals in some bins of angle, shape (row, bin, column), without NaN.
    axis_column
        Column of the rotation axis. Without it concentric objects are not told from stripes.

    References
    ----------
    Robust local fit: Cleveland, J. Am. Stat. Assoc. 74 (1979) 829. Shrinkage of what is no larger than its error: Gao
    and Bruce, Stat. Sinica 7 (1997) 855.
    """
    num_rows, _, num_columns = bins.shape
    weights = np.ones((num_rows, num_columns), np.float32)
    values, error, left = compare(bins, weights)
    first, clear = values.copy(), np.abs(values) > FOUND_SIGMAS * error
    # An edge that moves only a little is no outlier: without it the fit to its neighbours would run away.
    trusted = maximum_filter1d(error > UNUSUAL * _usual(error), 3, axis=1)
    concentric = np.zeros(values.shape, bool)
    if axis_column is not None:
        concentric = _on_both_sides(values, axis_column)
    for _ in range(2):
        # A column that is off would bend the fit to its neighbours: it counts less in the next round.
        values[concentric] = 0
        scale = OUTLIER_COLUMN_SIGMAS * np.maximum(_scatter(values), np.median(error, axis=1, keepdims=True))
        weights = np.maximum(1 - (values / np.maximum(scale, 1e-12)) ** 2, 0) ** 2 + np.float32(LEAST_WEIGHT)
        weights[concentric | trusted] = 1
        values, error, left = compare(bins, weights)
    left += values[:, None, :]
    values[concentric] = 0
    # Where several columns of an edge are left out of a fit it may run away from what all of them say.
    runaway = np.abs(values) > RUNAWAY * maximum_filter1d(np.abs(first), 3, axis=1)
    values[runaway | clear & (first * values < 0)] = 0
    error = _with_edges(error, bins.shape[1])
    values = _without_noise(values, error)
    return Offsets(values, error, concentric, weights, left - values[:, None, :])


def compare(bins: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Compare each pixel with a weighted parabola through itself and its neighbours in the row.

    Parameters
    ----------
    bins
        As in `column_offsets`.
    weights
        How much each column counts, above 0, shape (row, column).

    Returns
    -------
    offsets, standard_errors, left
        Trimmed mean of the differences over the bins, its error, both of shape (row, column), and what single bins
        differ by from that mean, shape (row, bin, column).
    """
    num_rows, num_bins, num_columns = bins.shape
    values, error = np.zeros((num_rows, num_columns), np.float32), np.zeros((num_rows, num_columns), np.float32)
    left = np.zeros((num_rows, num_bins, num_columns), np.float32)
    _compare_columns(np.ascontiguousarray(bins, np.float32), weights, values, error, left)
    return values, error, left


def _scatter(values: Floats) -> Floats:
    """Return the robust standard deviation of each row, shape (row, 1)."""
    return np.asarray(MAD_TO_SIGMA * np.median(np.abs(values), axis=1, keepdims=True), np.float32)


def _on_both_sides(values: Floats, axis_column: float) -> NDArray[np.bool_]:
    """Return where something stands out that the mirrored row shows as well."""
    smooth = values.copy()
    smooth[:, 1:-1] = (values[:, :-2] + 2 * values[:, 1:-1] + values[:, 2:]) / 4
    columns = np.arange(values.shape[1])
    mirrored = np.stack([np.interp(2 * axis_column - columns, columns, row, left=0, right=0) for row in smooth])
    smaller, larger = np.minimum(abs(smooth), abs(mirrored)), np.maximum(abs(smooth), abs(mirrored))
    return np.asarray((smaller > FOUND_SIGMAS * _scatter(smooth)) & (abs(smooth - mirrored) <= ALIKE * larger), bool)


def _usual(error: Floats) -> Floats:
    """Return the median of the errors of some columns about each column."""
    columns = np.arange(error.shape[1])
    blocks = np.array_split(columns, max(len(columns) // COLUMNS_OF_USUAL, 1))
    medians = np.stack([np.median(error[:, block], axis=1) for block in blocks], axis=1)
    middles = [float(block.mean()) for block in blocks]
    return np.stack([np.interp(columns, middles, row) for row in medians]).astype(np.float32)


def _with_edges(error: Floats, num_bins: int) -> Floats:
    """Return standard errors that are the whole spread of the bins where that is unusual: an edge comes and goes."""
    excess = np.maximum(error**2 - (UNUSUAL * _usual(error)) ** 2, 0) * num_bins
    return np.asarray(np.sqrt(error**2 + excess), np.float32)


def _without_noise(values: Floats, error: Floats) -> Floats:
    """Shrink what may be noise: to zero below 1.5 standard errors, not at all above 3."""
    ratio = np.abs(values) / np.maximum(error, 1e-12)
    kept = (ratio - NOTHING_BELOW) / (WHOLE_ABOVE - NOTHING_BELOW) * WHOLE_ABOVE / np.maximum(ratio, 1e-12)
    return np.asarray(values * np.clip(kept, 0, 1), np.float32)


@compiled
def _compare_columns(bins: Floats, weights: Floats, values: Floats, error: Floats, left: Floats) -> None:
    """Compare each pixel with a weighted parabola in every bin; the trimmed mean over the bins is its offset.

    All columns of a row go through each step together, which is several times faster than one after the other.
    """
    num_rows, num_bins, num_columns = bins.shape
    for row in prange(num_rows):
        shares = _shares_in_fit(weights[row])
        differences, ordered = left[row], np.empty((num_bins, num_columns), np.float32)
        fit = np.empty(num_columns, np.float32)
        for b in range(num_bins):
            fit[:] = 0
            for k in range(len(shares)):
                away = k - REACH_COLUMNS
                for column in range(max(0, -away), min(num_columns, num_columns - away)):
                    fit[column] += shares[k, column] * bins[row, b, column + away]
            for column in range(num_columns):
                differences[b, column] = bins[row, b, column] - fit[column]
        ordered[:] = differences
        middle = ordering_median(ordered)
        for b in range(num_bins):
            for column in range(num_columns):
                ordered[b, column] = abs(differences[b, column] - middle[column])
        limit = np.float32(OUTLIER_SIGMAS * MAD_TO_SIGMA) * ordering_median(ordered)
        num, total, squares = np.zeros(num_columns), np.zeros(num_columns), np.zeros(num_columns)
        for b in range(num_bins):
            for column in range(num_columns):
                from_middle = differences[b, column] - middle[column]
                kept = np.float32(abs(from_middle) <= limit[column])
                num[column] += kept
                total[column] += kept * from_middle
                squares[column] += kept * from_middle * from_middle
        for column in range(num_columns):
            count = max(num[column], 1.0)
            offset = middle[column] + total[column] / count
            values[row, column] = offset
            error[row, column] = np.sqrt(max(squares[column] / count - (total[column] / count) ** 2, 0) / count)
            for b in range(num_bins):
                differences[b, column] -= offset


@compiled_serial
def _shares_in_fit(weights: Floats) -> Floats:
    """Return what each neighbour contributes to the fit at a column, shape (neighbour, column)."""
    num_columns = len(weights)
    shares = np.zeros((2 * REACH_COLUMNS + 1, num_columns), np.float32)
    for column in range(num_columns):
        first, stop = max(0, column - REACH_COLUMNS), min(num_columns, column + REACH_COLUMNS + 1)
        m0 = m1 = m2 = m3 = m4 = 0.0
        for other in range(first, stop):
            x = (other - column) / (REACH_COLUMNS + 1.0)
            weight = weights[other] * (1 - abs(x) ** 3) ** 3
            m0 += weight
            m1 += weight * x
            m2 += weight * x * x
            m3 += weight * x * x * x
            m4 += weight * x * x * x * x
        a0, a1, a2 = m2 * m4 - m3 * m3, m2 * m3 - m1 * m4, m1 * m3 - m2 * m2
        determinant = m0 * a0 + m1 * a1 + m2 * a2
        for other in range(first, stop):
            x = (other - column) / (REACH_COLUMNS + 1.0)
            weight = weights[other] * (1 - abs(x) ** 3) ** 3
            shares[other - column + REACH_COLUMNS, column] = weight * (a0 + a1 * x + a2 * x * x) / determinant
    return shares
