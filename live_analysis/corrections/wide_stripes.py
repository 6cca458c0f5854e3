"""Stripes several columns wide: a jump up and the same jump down again, both from one column to the next."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from live_analysis.corrections.bin_order import in_order, median, quantile
from live_analysis.corrections.column_offsets import MAD_TO_SIGMA, compare

SIDE_COLUMNS = 6  # on either side of a jump, that it is measured with
NARROWEST, WIDEST = 3, 20  # columns
ALONE_SIGMAS = 3.0
ALONE, BESIDE = 0.75, np.array([[True, False, True]])  # a single column lets both others stand out by 0.6 of its height
SIGMAS = 4.0  # a jump is larger than so many times what is usual in its row, and than its own error
DIFFERENT = 0.4  # of the larger of two jumps, by which they may differ
SELDOM, LASTING = 0.2, 0.3  # in all but so many directions a jump has at least so much of its usual height
OFF_MIRROR_COLUMNS = 2
FEWEST_BINS = 8
_X = np.arange(SIDE_COLUMNS) + 0.5
TO_EDGE = 1 / SIDE_COLUMNS + _X.mean() * (_X.mean() - _X) / ((_X - _X.mean()) ** 2).sum()  # a line read at its end

Floats = NDArray[np.float32]


def wide_offsets(bins: Floats, axis_column: float | None) -> Floats:
    """Return the offsets of wide stripes, unitless attenuation integrals, shape (row, column); zero elsewhere.

    Parameters
    ----------
    bins
        Mean attenuation integrals in some bins of angle, shape (row, bin, column), without NaN.
    axis_column
        Column of the rotation axis: jumps that both of its sides show are those of a concentric object.
    """
    num_rows, num_bins, num_columns = bins.shape
    offsets = np.zeros((num_rows, num_columns), np.float32)
    if num_bins < FEWEST_BINS or num_columns < WIDEST + 2 * SIDE_COLUMNS:
        return offsets
    bins = _without_single_columns(bins)
    in_bins = _jumps(bins)
    jumps = median(in_bins)
    spread = MAD_TO_SIGMA * median(np.abs(in_bins - jumps[:, None, :]))
    usual = MAD_TO_SIGMA * np.median(np.abs(jumps), axis=1, keepdims=True)
    large = np.abs(jumps) > SIGMAS * np.maximum(usual, spread / np.sqrt(num_bins))
    # The edge of an object that moves only a little is there at some angles more than at others.
    lasting = quantile(in_order(in_bins * np.sign(jumps)[:, None, :]), SELDOM)
    large &= lasting > LASTING * np.abs(jumps)
    if axis_column is not None:
        large &= ~_mirrored(jumps, axis_column)
    step = np.zeros_like(jumps)
    step[:, 1:] = median(np.diff(bins, axis=2))
    for row in np.flatnonzero(large.any(axis=1)):
        places = _sharpest(large[row], step[row] * np.sign(jumps[row]))
        for begin in places:
            up = float(jumps[row, begin])
            ends = places[(places - begin >= NARROWEST) & (places - begin <= WIDEST)]
            if offsets[row, begin] or not len(ends):
                continue
            # Within a stripe both of its ends make for smaller jumps: the largest one down is its end.
            end = int(ends[np.argmin(jumps[row, ends] * np.sign(up))])
            down = -float(jumps[row, end])
            if abs(up - down) <= DIFFERENT * max(abs(up), abs(down)):
                offsets[row, begin:end] = (up + down) / 2 / TO_EDGE[: end - begin].sum()
    return offsets


def _jumps(bins: Floats) -> Floats:
    """Return the jump before each column between lines through the columns on both sides, shape of ``bins``."""
    kernel = np.concatenate([-TO_EDGE[::-1], TO_EDGE])
    jumps: Floats = ndimage.correlate1d(bins, kernel, axis=2, mode="nearest")
    jumps[:, :, : SIDE_COLUMNS + 1] = jumps[:, :, -SIDE_COLUMNS:] = 0
    return jumps


def _without_single_columns(bins: Floats) -> Floats:
    """Bridge columns that stand out alone: each would look like a jump and another one."""
    offsets, error, _ = compare(bins, np.ones((bins.shape[0], bins.shape[2]), np.float32))
    height = np.abs(offsets)
    beside = ndimage.maximum_filter(height, footprint=BESIDE, mode="mirror")
    alone = (height > ALONE_SIGMAS * error) & (beside < ALONE * height)
    alone[:, 0] = alone[:, -1] = False
    bridged = bins.copy()
    bridged[:, :, 1:-1] = (bins[:, :, :-2] + bins[:, :, 2:]) / 2
    return np.where(alone[:, None, :], bridged, bins)


def _sharpest(large: NDArray[np.bool_], step: Floats) -> NDArray[np.int64]:
    """Return one column of every run of large jumps: that with the largest step its way."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], large, [False]]).astype(np.int8)))
    runs = edges.reshape(-1, 2)
    return np.array([first + int(np.argmax(step[first:stop])) for first, stop in runs], np.int64)


def _mirrored(jumps: Floats, axis_column: float) -> NDArray[np.bool_]:
    """Return where a jump has its counterpart, of opposite sign, on the other side of the axis."""
    num_columns = jumps.shape[1]
    # A jump before column k lies at k - 1/2.
    places = np.rint(2 * axis_column - np.arange(num_columns) + 1).astype(int)
    found = np.zeros(jumps.shape, bool)
    for shift in range(-OFF_MIRROR_COLUMNS, OFF_MIRROR_COLUMNS + 1):
        at = places + shift
        seen = (at >= 0) & (at < num_columns)
        other = np.where(seen, -jumps[:, np.clip(at, 0, num_columns - 1)], 0)
        found |= np.abs(jumps - other) <= DIFFERENT * np.maximum(np.abs(jumps), np.abs(other))
    return found
