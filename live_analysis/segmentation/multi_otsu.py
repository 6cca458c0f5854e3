"""Thresholds that divide grey values into classes of least variance (multi-Otsu), exactly, at any number of bins.

Otsu, IEEE Trans. Syst. Man Cybern. 9 (1979) 62; Liao, Chen and Chung, J. Inf. Sci. Eng. 17 (2001) 713. The best
division of the first n bins into k classes ends, as n grows, in a last class that begins no earlier: the search for the
middle bin halves the search for all others, and takes n log n steps instead of n to the power of the thresholds.
"""

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled_serial
from live_analysis.segmentation.grey_histogram import GreyHistogram, GreyValueError

MAX_CLASSES = 5


def multi_otsu(histogram: GreyHistogram, num_classes: int) -> NDArray[np.float64]:
    """Return thresholds, ascending; a value belongs to the class above when it is larger.

    A threshold lies in the middle between the grey values (bins that are not empty) that it parts.

    Raises
    ------
    GreyValueError
        If there are fewer grey values than classes, or less than 2 or more than 5 classes are asked.
    """
    if not 2 <= num_classes <= MAX_CLASSES:
        raise GreyValueError(f"{num_classes} classes were asked; grey values are divided into 2 to {MAX_CLASSES}.")
    filled = np.flatnonzero(histogram.counts)
    if len(filled) < num_classes:
        values = ", ".join(f"{value:g}" for value in histogram.centres[filled])
        raise GreyValueError(
            f"the volume holds {len(filled)} grey value{'s' if len(filled) > 1 else ''} ({values}), "
            f"which cannot be divided into {num_classes} classes."
        )
    counts, centres = histogram.counts[filled].astype(np.float64), histogram.centres[filled]
    firsts = _class_starts(counts, centres - np.average(centres, weights=counts), num_classes)
    return np.asarray((centres[firsts - 1] + centres[firsts]) / 2)


@compiled_serial
def _class_starts(counts: NDArray[np.float64], values: NDArray[np.float64], num_classes: int) -> NDArray[np.int64]:
    """Return the first bin of every class but the lowest, for the largest variance between classes."""
    num = counts.size
    weight, moment = np.zeros(num + 1), np.zeros(num + 1)
    for index in range(num):
        weight[index + 1] = weight[index] + counts[index]
        moment[index + 1] = moment[index] + counts[index] * values[index]
    best = np.zeros(num + 1)
    for stop in range(1, num + 1):
        best[stop] = moment[stop] ** 2 / weight[stop]
    starts = np.zeros((num_classes, num + 1), np.int64)
    pending = np.empty((128, 4), np.int64)
    for level in range(1, num_classes):
        before, best = best, np.full(num + 1, -np.inf)
        _put(pending[0], level + 1, num, level, num - 1)
        num_pending = 1
        while num_pending:
            num_pending -= 1
            lowest, highest, first, last = pending[num_pending]
            stop = (lowest + highest) // 2
            chosen = first
            for start in range(first, min(last, stop - 1) + 1):
                total = before[start] + (moment[stop] - moment[start]) ** 2 / (weight[stop] - weight[start])
                if total > best[stop]:
                    best[stop], chosen = total, start
            starts[level, stop] = chosen
            if lowest < stop:
                _put(pending[num_pending], lowest, stop - 1, first, chosen)
                num_pending += 1
            if stop < highest:
                _put(pending[num_pending], stop + 1, highest, chosen, last)
                num_pending += 1
    found, stop = np.zeros(num_classes - 1, np.int64), num
    for level in range(num_classes - 1, 0, -1):
        stop = starts[level, stop]
        found[level - 1] = stop
    return found


@compiled_serial
def _put(row: NDArray[np.int64], lowest: int, highest: int, first: int, last: int) -> None:
    row[0], row[1], row[2], row[3] = lowest, highest, first, last  # a tuple for the row is compiled for seconds
