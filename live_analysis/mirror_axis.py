"""The axis about which a projection and its opposite are mirror images, truncated or not."""

import numpy as np
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
    scores = np.empty(len(shifts))
    for k, shift in enumerate(shifts):
        a = first[:, max(0, shift) : num_columns + min(0, shift)]
        b = mirrored[:, max(0, -shift) : num_columns + min(0, -shift)]
        power = float(np.vdot(a, a)) * float(np.vdot(b, b))
        scores[k] = float(np.vdot(a, b)) / np.sqrt(power) if power > 0 else 0.0
    shared = 1 - np.abs(shifts) / num_columns
    best = int(np.argmax(scores * np.sqrt(shared)))  # few columns are alike by chance more easily
    return middle + (shifts[best] + parabola_offset(scores, best)) / 2, float(scores[best] * np.sqrt(shared[best]))


def parabola_offset(scores: NDArray[np.float64], best: int) -> float:
    """Position of the maximum relative to the best sample, in samples; 0 at the ends."""
    if not 0 < best < len(scores) - 1:
        return 0.0
    left, centre, right = scores[best - 1 : best + 2]
    curvature = left - 2 * centre + right
    return float(0.5 * (left - right) / curvature) if curvature < 0 else 0.0
