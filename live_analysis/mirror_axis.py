"""The axis about which a projection and its opposite are mirror images, truncated or not."""

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

MAX_PAIRS = 12


def opposite_pairs(angles_deg: NDArray[np.float64], limit_deg: float) -> list[tuple[int, int]]:
    """Find frames opposite to each other, nearest to exact opposition first."""
    i, j = np.triu_indices(len(angles_deg), 1)
    miss_deg = np.abs(np.mod(angles_deg[j] - angles_deg[i], 360.0) - 180.0)
    nearest = np.argsort(miss_deg, kind="stable")[:MAX_PAIRS]
    return [(int(i[k]), int(j[k])) for k in nearest if miss_deg[k] <= limit_deg]


def texture(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """Structure between one pixel and a twentieth of the view: neither noise nor the round shape of the cell."""
    fine = gaussian_filter(frame, (0, 1.0), mode="nearest")
    coarse = gaussian_filter(frame, (0, max(3.0, frame.shape[1] / 20)), mode="nearest")
    return np.asarray(fine - coarse, np.float32)


def mirror_axis(
    first: NDArray[np.float32], second: NDArray[np.float32], middle: float, reach: float
) -> tuple[float, float]:
    """Find the column about which two frames are mirror images, and their correlation there (-1 to 1).

    The correlation is less the fewer columns they share.
    """
    num_columns = first.shape[1]
    mirrored = second[:, ::-1]
    # Mirrored about `middle + shift / 2`, the second frame lies on the first when moved right by `shift`.
    shifts = np.arange(-int(2 * reach), int(2 * reach) + 1)
    begins, ends = np.maximum(shifts, 0), num_columns + np.minimum(shifts, 0)
    power = _power_of_columns(first, begins, ends) * _power_of_columns(mirrored, begins - shifts, ends - shifts)
    product = _correlation(first, mirrored)[shifts]
    scores = np.divide(product, np.sqrt(power), out=np.zeros(len(shifts)), where=power > 0)
    shared = 1 - np.abs(shifts) / num_columns
    best = int(np.argmax(scores * np.sqrt(shared)))  # few columns are alike by chance more easily
    return middle + (shifts[best] + parabola_offset(scores, best)) / 2, float(scores[best] * np.sqrt(shared[best]))


def _correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the sum of products of two frames, the second moved right by 0, 1, ... and (from the end) -1, -2, ..."""
    length = scipy.fft.next_fast_len(2 * first.shape[1], real=True)
    a, b = (scipy.fft.rfft(frame.astype(np.float64), length, axis=1) for frame in (first, second))
    return np.asarray(scipy.fft.irfft((a * b.conj()).sum(axis=0), length), np.float64)


def _power_of_columns(
    frame: NDArray[np.float32], begins: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the sum of squares from each first column to the last before each end."""
    so_far = np.concatenate([[0.0], np.cumsum((frame.astype(np.float64) ** 2).sum(axis=0))])
    return np.asarray(so_far[ends] - so_far[begins])


def parabola_offset(scores: NDArray[np.float64], best: int) -> float:
    """Position of the maximum relative to the best sample, in samples; 0 at the ends."""
    if not 0 < best < len(scores) - 1:
        return 0.0
    left, centre, right = scores[best - 1 : best + 2]
    curvature = left - 2 * centre + right
    return float(0.5 * (left - right) / curvature) if curvature < 0 else 0.0
