"""Which rows of a scan tell its rotation axis: those in which something turns."""

import numpy as np
from numpy.typing import NDArray

# An axis that leans is told best in the middle of its height, so others must tell much more: twice the contrast.
WORTH_LEAVING_THE_MIDDLE = 4.0  # of variance


def telling_rows(integrals: NDArray[np.float32], num_rows: int) -> slice:
    """Return the middle rows, or neighbouring rows elsewhere in which far more turns with the sample.

    Parameters
    ----------
    integrals
        Some projections from all over the scan, without NaN, shape (frame, row, column).
    num_rows
        How many rows are wanted; all of them where there are fewer.
    """
    height = integrals.shape[1]
    num = min(num_rows, height)
    variance = integrals.var(axis=0, dtype=np.float64).mean(axis=1)
    sums = np.cumsum(np.concatenate([[0.0], variance]))
    of_window = sums[num:] - sums[:-num]
    middle, best = (height - num) // 2, int(np.argmax(of_window))
    first = best if of_window[best] > WORTH_LEAVING_THE_MIDDLE * of_window[middle] else middle
    return slice(first, first + num)
