"""Projections whose beam was not that of their neighbours, as when it failed within an exposure."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

NUM_NEIGHBOURS = 7  # projections, of which the median is what turns with the object; two or three may be struck
LEAST_STEP = 0.05  # of the brightness: decay, top-ups and flicker of a good beam stay below it
STEPS_OVER_USUAL = 6.0  # a plate seen edge on also changes from one projection to the next


def unsteady_projections(transmission: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which projections are brighter or darker than their neighbours by more than the object explains.

    Where few projections are taken of a thin plate, the one that sees it edge on is among them.

    Parameters
    ----------
    transmission
        Overviews of projections divided by their beam, shape (frame, row, column), unitless, in the order in which
        they were taken; NaN is left out.
    """
    levels = np.log(np.maximum(np.nanmean(transmission, axis=(1, 2), dtype=np.float64), 1e-6))
    step = np.abs(levels - ndimage.median_filter(levels, NUM_NEIGHBOURS, mode="mirror"))
    return np.asarray(step > max(LEAST_STEP, STEPS_OVER_USUAL * 1.4826 * float(np.median(step))))
