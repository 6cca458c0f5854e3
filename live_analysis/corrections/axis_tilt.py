"""Whether the rotation axis leans in the picture, told by opposite projections of the scan itself."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.axis_of_pair import AxisOfPair, AxisOfPairError, axis_of_pair
from live_analysis.mirror_axis import opposite_pairs

NUM_PAIRS = 4
EXACT_DEG = 0.1  # from opposition; at 3 mm from the axis it moves a feature by 5 um
MIN_CONFIDENCE = 0.5  # correlation of a pair
SIGNIFICANCE = 4.0  # standard deviations; a lean that is not there would be put in
LEAST_EFFECT_PIXELS = 0.5  # at the corners of the view; less blurs less than interpolation


@dataclass(frozen=True)
class AxisTilt:
    """How the rotation axis lies on the detector.

    ``tilt_deg`` is positive where it leans to larger columns at the top (row 0), with ``uncertainty_deg`` (one
    standard deviation); ``column`` is where it crosses ``row``, the middle of the rows that were looked at.
    """

    tilt_deg: float
    uncertainty_deg: float
    column: float
    row: float

    def axis_column_of(self, row: float) -> float:
        """Return the column of the axis at a row."""
        return self.column - float(np.tan(np.radians(self.tilt_deg))) * (row - self.row)

    def worth_correcting(self, num_rows: int, num_columns: int) -> bool:
        """Whether it is more than noise and moves what lies at the corners of a view by more than half a pixel."""
        effect = abs(np.sin(np.radians(self.tilt_deg))) * max(num_rows, num_columns) / 2
        return bool(abs(self.tilt_deg) > SIGNIFICANCE * self.uncertainty_deg and effect > LEAST_EFFECT_PIXELS)


def axis_tilt(
    projection: Callable[[int], NDArray[np.float32]], angles_deg: NDArray[np.float64], *, first_row: int = 0
) -> AxisTilt | None:
    """Measure the lean with the pairs of projections nearest to half a turn apart.

    Parameters
    ----------
    projection
        Gives the attenuation integrals of one projection by its index, shape (row, column), without NaN.
    angles_deg
        Measured angles of all projections, shape (frame,).
    first_row
        Of the frame, in which the projections given begin.

    Returns
    -------
    AxisTilt | None
        None where no pair is alike enough to tell: without opposite projections, or without texture in enough rows.
    """
    step_deg = float(np.median(np.abs(np.diff(np.sort(np.mod(angles_deg, 180.0)))))) if len(angles_deg) > 1 else 0.0
    pairs = opposite_pairs(angles_deg, max(EXACT_DEG, 1.1 * step_deg))[:NUM_PAIRS]
    found: list[AxisOfPair] = []
    middle = 0.0
    for first, second in pairs:
        frames = projection(first), projection(second)
        middle = (len(frames[0]) - 1) / 2
        try:
            axis = axis_of_pair(*frames)
        except AxisOfPairError:
            continue
        if axis.confidence >= MIN_CONFIDENCE and axis.tilt_deg is not None:
            found.append(axis)
    if not found:
        return None
    tilts = np.array([axis.tilt_deg for axis in found], np.float64)
    # Pairs see the same sample: what deceives one deceives all, so that their number does not make them surer.
    uncertainty = max(float(np.median([axis.tilt_uncertainty_deg for axis in found])), float(np.std(tilts)))
    column = float(np.median([axis.column for axis in found]))
    return AxisTilt(float(np.median(tilts)), uncertainty, column, first_row + middle)
