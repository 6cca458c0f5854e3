"""Whether the rotation axis leans in the picture, told by opposite projections of the scan itself."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.axis_of_pair import AxisOfPair, AxisOfPairError, axis_of_pair
from live_analysis.leaning_pair import MAX_TILT_DEG, Pair, turned
from live_analysis.mirror_axis import mirror_axis, opposite_pairs, parabola_offset, texture

NUM_PAIRS = 4
EXACT_DEG = 0.1  # from opposition; at 3 mm from the axis it moves a feature by 5 um
MIN_CONFIDENCE = 0.5  # correlation of a pair
REACH_COLUMNS = 4.0  # of the search about the axis that the pair has without turning
MIN_STEPS = 3  # of a pixel at the sides of the view, to either side of the rough tilt
LEAST_UNCERTAINTY = 0.1  # of such a step: of the parabola through the correlation, see the tests
LEAST_OF_NEAR_PAIRS = 0.3  # one step short of opposition; rehearsals of 360 projections without lean gave up to 0.23
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
    found: list[tuple[float, float]] = []
    num_rows = num_columns = 0
    for first, second in pairs:
        frames = projection(first), projection(second)
        num_rows, num_columns = frames[0].shape
        try:
            rough = axis_of_pair(*frames)
        except AxisOfPairError:
            continue
        if rough.confidence >= MIN_CONFIDENCE and (refined := _refined(frames, rough)) is not None:
            found.append(refined)
    if not found:
        return None
    tilts, columns = np.array(found).T
    # Pairs see the same sample: what deceives one deceives all, so that their number does not make them surer.
    exact = bool(opposite_pairs(angles_deg, EXACT_DEG))
    least = LEAST_UNCERTAINTY if exact else LEAST_OF_NEAR_PAIRS
    uncertainty = np.hypot(least * _step_deg(num_rows, num_columns), float(np.std(tilts)))
    return AxisTilt(
        float(np.median(tilts)), float(uncertainty), float(np.median(columns)), first_row + (num_rows - 1) / 2
    )


def _step_deg(num_rows: int, num_columns: int) -> float:
    """Return the turn that moves the sides of the view by one pixel."""
    return float(np.degrees(2 / max(num_rows, num_columns)))


def _refined(pair: Pair, rough: AxisOfPair) -> tuple[float, float] | None:
    """Turn a pair until both are most alike as mirror images; return tilt in degrees and column, None at the edge."""
    num_rows, num_columns = pair[0].shape
    step_deg = _step_deg(num_rows, num_columns)
    uncertain_deg = 0.0 if rough.tilt_uncertainty_deg is None else 2 * rough.tilt_uncertainty_deg
    reach = max(int(np.ceil(min(uncertain_deg, MAX_TILT_DEG) / step_deg)), MIN_STEPS)
    centre_deg = 0.0 if rough.tilt_deg is None else rough.tilt_deg
    tilts_deg = centre_deg + step_deg * np.arange(-reach, reach + 1)
    columns, scores = np.empty(len(tilts_deg)), np.empty(len(tilts_deg))
    textures = texture(pair[0]), texture(pair[1])  # before the turns, which are small: it costs more than they do
    for index, tilt_deg in enumerate(tilts_deg):
        columns[index], scores[index] = _axis_near(turned(textures, float(tilt_deg)), rough.column)
    best = int(np.argmax(scores))
    if not 0 < best < len(scores) - 1:
        return None
    return float(tilts_deg[best] + step_deg * parabola_offset(scores, best)), float(columns[best])


def _axis_near(textures: Pair, column: float) -> tuple[float, float]:
    """Search the mirror axis within a few columns of where it is; only the columns that both then share."""
    num_columns = textures[0].shape[1]
    shift = round(2 * (column - (num_columns - 1) / 2))
    first, second = (frame[:, max(0, shift) : num_columns + min(0, shift)] for frame in textures)
    axis, score = mirror_axis(first, second, (first.shape[1] - 1) / 2, REACH_COLUMNS)
    return axis + max(0, shift), score
