"""Gaussian smoothing of volumes by scipy, on all cores."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

LEAST_PLANES_OVER_REACH = 4  # a thread's planes over those that it smooths for their neighbours' sake alone


def smoothed(
    values: NDArray[np.float32], sigma_voxels: float | Sequence[float], *, truncate: float = 4.0
) -> NDArray[np.float32]:
    """Return what ``scipy.ndimage.gaussian_filter`` returns, to the last bit, with a part of the planes on each core.

    Parameters
    ----------
    values
        Shape (z, y, x).
    sigma_voxels
        Standard deviation, one for all axes or one for each.
    truncate
        Standard deviations after which the Gaussian ends.
    """
    sigma = np.broadcast_to(np.asarray(sigma_voxels, np.float64), 3).tolist()
    reach = int(truncate * sigma[0] + 0.5)
    num_parts = max(min(numba.get_num_threads(), len(values) // max(LEAST_PLANES_OVER_REACH * reach, 1)), 1)
    result = np.empty(values.shape, np.float32)
    edges = np.linspace(0, len(values), num_parts + 1).round().astype(int)

    def smooth(first: int, stop: int) -> None:
        begin, end = max(first - reach, 0), min(stop + reach, len(values))
        part = ndimage.gaussian_filter(values[begin:end], sigma, output=np.float32, truncate=truncate)
        result[first:stop] = part[first - begin : stop - begin]

    with ThreadPoolExecutor(num_parts, thread_name_prefix="smoothing") as threads:
        list(threads.map(smooth, edges[:-1].tolist(), edges[1:].tolist()))
    return result
