"""Find the column of the rotation axis from opposite projections, refined by the sharpness of slices."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, median_filter

from live_analysis.mirror_axis import mirror_axis, opposite_pairs, parabola_offset, texture
from live_analysis.reconstruction.angle_weights import angle_weights
from live_analysis.reconstruction.direct import HalfColumns
from live_analysis.reconstruction.lanes import NUM_LANES
from live_analysis.reconstruction.ramp_filter import UM_PER_CM, RampFilter

MAX_OPPOSITION_MISS_DEG = 0.1  # at 3 mm from the axis this moves a feature by 5 um, about one pixel
MIN_GRID = 8  # points a side of the slices whose sharpness is judged
LOW_CONFIDENCE = 0.3  # below it nothing but noise was seen
MIN_COLUMNS = 16
CONFIDENCE_OF_CLEAN_COLUMNS = 0.6  # below it the search is repeated without what does not turn with the sample
STILL_WIDTH_COLUMNS = 15
# Standard deviation of an axis found by sharpness alone, in columns; in part of the half turn edges are smeared.
SPREAD_OF_SHARPNESS, SPREAD_OF_SHARPNESS_IN_PART, FULL_COVERAGE = 0.5, 1.0, 0.85
MARGIN_OF_FAR = 0.1  # of correlation
NARROWEST_EDGE_COLUMNS = 2.0  # from a candidate axis to the edge of the view
MIN_CORRELATION_OF_NEAR_PAIRS = 0.5  # pairs one step short of opposition are believed only if they are this alike
CORRELATION_OF_SURE_PAIRS = 0.9  # pairs this alike are not wrong by columns
CORRELATION_OF_SURE_NEAR_PAIRS = 0.8  # one step turns details in a wide view out of each other
# The small slices that are judged for sharpness hold too little of a view this wide: in scans of 1024 columns with
# 15 spheres they were wrong by 2 columns where pairs were right within 0.05.
WIDE_COLUMNS = 800
# What pairs miss shifts their axis. From one step short of opposition to two it shifts on; half of that, taken off the
# first, left at most 0.2 columns in 12 scans of 1024 columns with 180 to 500 projections, all of it up to 0.9.
HALF_OF_DRIFT = 0.5
MIN_OVERLAP = 0.4  # least part of the columns that an opposite pair must share
MAX_REACH = (1 - MIN_OVERLAP) / 2  # of the columns, to either side of the middle
MIN_COVERAGE = 0.75  # of the half turn, for slices sharp enough to judge
REFINEMENT_REACH_COLUMNS = 3.0
REFINEMENT_STEP_COLUMNS = 0.25
# Rows that are judged: few projections make streaks, and only more rows tell them from edges.
NUM_ROWS_FOR_SHARPNESS, MOST_ROWS_FOR_SHARPNESS, ROWS_TIMES_FRAMES = 8, 24, 1440
# Smooths slices as linear interpolation between whole columns would: streaks of few angles are finer than edges.
SMOOTHING_STEPS = 4.0
SHARPNESS_SMOOTHING_COLUMNS = 0.5  # standard deviation; streaks of few angles make the bare curve wavy
# A peak of sharpness this many robust standard deviations above the other candidates is noise, or certain:
# slices of pure noise reach 2 to 3, a bore of 3 mm radius with 400 particles seen in a 2.25 mm view 11 to 12.
PROMINENCE_OF_NOISE, PROMINENCE_OF_CERTAINTY = 3.0, 9.0


class RotationAxisError(ValueError):
    """The rotation axis cannot be told from these projections."""


@dataclass(frozen=True)
class RotationAxis:
    """Where the rotation axis falls on the detector.

    ``column`` and ``uncertainty`` (one standard deviation) are in columns. ``confidence`` is 0 to 1: below about
    0.3 nothing but noise was seen. ``method`` names the estimates that were combined.
    """

    column: float
    uncertainty: float
    confidence: float
    method: str


def find_rotation_axis(
    integrals: NDArray[np.float32], angles_deg: NDArray[np.float64], *, search_columns: float | None = None
) -> RotationAxis:
    """Locate the rotation axis, also in truncated views.

    A projection and its opposite are mirror images about the axis whether or not they are truncated; their
    correlation gives a first value, which is refined to the axis that makes slices sharpest. In a scan without an
    opposite pair (it usually ends one step before 180 degrees) the whole window is searched for sharpness.

    Parameters
    ----------
    integrals
        Attenuation integrals without NaN, shape (frame, row, column), unitless. Choose rows with structure.
    angles_deg
        Measured angles, shape (frame,).
    search_columns
        Half width of the search window around the middle of the detector; by default as far as opposite projections
        still share two fifths of their columns.

    Raises
    ------
    RotationAxisError
        If the angles leave too much of the half turn out, or the best axis lies at the edge of the search window.
    """
    num_columns = integrals.shape[-1]
    if num_columns < MIN_COLUMNS:
        raise RotationAxisError(f"{num_columns} columns are too few to find the axis; {MIN_COLUMNS} are needed.")
    reach = MAX_REACH * num_columns if search_columns is None else search_columns
    if not 2 <= reach <= MAX_REACH * num_columns:
        raise RotationAxisError(
            f"a search window of +-{reach:.1f} columns does not suit {num_columns} columns: give between 2 and "
            f"{MAX_REACH * num_columns:.0f}, so that opposite projections overlap."
        )
    angles = np.asarray(angles_deg, np.float64)
    coverage = angle_weights(angles).coverage
    if coverage < MIN_COVERAGE:
        raise RotationAxisError(
            f"{len(angles)} projections from {angles.min():.2f} to {angles.max():.2f} deg cover {coverage:.0%} of the "
            f"half turn; {MIN_COVERAGE:.0%} are needed to find the axis. Wait for more projections or give the axis."
        )
    found = _axis_of(integrals, angles, reach)
    if found.confidence < CONFIDENCE_OF_CLEAN_COLUMNS:
        # What stays in the same columns while the sample turns (dirt, stuck pixels, noise of the flat) hides the axis.
        try:
            moving = _axis_of(_without_still_columns(integrals), angles, reach, pairs_only=True)
        except RotationAxisError:
            return found
        if moving.confidence > max(found.confidence, LOW_CONFIDENCE):
            return replace(moving, method=f"{moving.method}, still columns taken out")
    return found


def _without_still_columns(integrals: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take out of every frame what all frames have in the same pixels, as far as it is narrow."""
    still = np.median(integrals, axis=0)
    smooth = median_filter(still, (1, STILL_WIDTH_COLUMNS), mode="nearest")
    return np.asarray(integrals - (still - smooth), np.float32)


def _axis_of(
    integrals: NDArray[np.float32], angles: NDArray[np.float64], reach: float, *, pairs_only: bool = False
) -> RotationAxis:
    num_columns = integrals.shape[-1]
    middle, coverage = (num_columns - 1) / 2, angle_weights(angles).coverage
    distinct = np.unique(np.mod(angles, 180.0).round(3))  # two frames at each angle make no smaller steps
    step_deg = float(np.degrees(np.median(angle_weights(distinct).weights_rad)))
    pairs = opposite_pairs(angles, MAX_OPPOSITION_MISS_DEG)
    near_pairs = pairs or opposite_pairs(angles, 1.1 * step_deg)
    textures = [(texture(integrals[i]), texture(integrals[j])) for i, j in near_pairs]
    mirror = [mirror_axis(*pair, middle, min(reach, num_columns / 8)) for pair in textures]
    correlation = float(np.mean([score for _, score in mirror])) if mirror else 0.0
    if mirror and reach > num_columns / 8:
        far = [mirror_axis(*pair, middle, reach) for pair in textures]
        far_correlation = float(np.mean([score for _, score in far]))
        inside = abs(float(np.median([value for value, _ in far])) - middle) < reach - 1
        # Few shared columns are alike by chance more easily: an axis far out must be told more clearly.
        if inside and far_correlation > max(MIN_CORRELATION_OF_NEAR_PAIRS, correlation + MARGIN_OF_FAR):
            mirror, correlation = far, far_correlation
    if pairs_only and correlation < MIN_CORRELATION_OF_NEAR_PAIRS:
        raise RotationAxisError(f"opposite projections have a correlation of {correlation:.2f}: they are not alike.")
    use_pairs = bool(pairs) or correlation >= MIN_CORRELATION_OF_NEAR_PAIRS
    if use_pairs:
        column = float(np.median([value for value, _ in mirror]))
        spread = float(np.std([value for value, _ in mirror]) / np.sqrt(len(mirror)))
        confidence, method = max(0.0, correlation), "opposite pairs and sharpness"
        if correlation < MIN_CORRELATION_OF_NEAR_PAIRS:  # pairs that have nothing in common agree by chance only
            spread = float(np.hypot(spread, (1 - confidence) * reach / np.sqrt(3)))
    else:
        slices = _SharpnessOfSlices(integrals, angles)
        column, confidence = _sharpest(slices, middle, min(reach, num_columns / 8))
        if confidence < LOW_CONFIDENCE and reach > num_columns / 8:
            far_column, far_confidence = _sharpest(slices, middle, reach)  # judges by small slices only
            if abs(far_column - middle) < reach - 1 and far_confidence > max(confidence, LOW_CONFIDENCE):
                column, confidence = far_column, far_confidence
        # Without a clear peak the axis may be anywhere in the window: standard deviation of an even distribution.
        least = SPREAD_OF_SHARPNESS if coverage > FULL_COVERAGE else SPREAD_OF_SHARPNESS_IN_PART
        spread = float(np.hypot(least, (1 - np.clip(confidence, 0, 1)) * reach / np.sqrt(3)))
        method = "sharpness"
    if confidence >= LOW_CONFIDENCE and abs(column - middle) > reach - 1:
        raise RotationAxisError(
            f"the projections agree best with an axis at column {column:.1f}, at the edge of the search window "
            f"{middle - reach:.1f} to {middle + reach:.1f}: it probably lies outside. Centre the stage or give a "
            "larger search_columns."
        )
    is_wide = num_columns > WIDE_COLUMNS
    if is_wide and correlation > (CORRELATION_OF_SURE_PAIRS if pairs else CORRELATION_OF_SURE_NEAR_PAIRS):
        if not pairs:
            further = [pair for pair in opposite_pairs(angles, 2.2 * step_deg) if pair not in near_pairs]
            found = [mirror_axis(texture(integrals[i]), texture(integrals[j]), middle, reach)[0] for i, j in further]
            correction = HALF_OF_DRIFT * (column - float(np.median(found))) if found else 0.0
            column, spread = column + correction, float(np.hypot(spread, correction / 2))
        return RotationAxis(column, max(spread, 0.1), float(np.clip(confidence, 0, 1)), "opposite pairs")
    slices = _SharpnessOfSlices(integrals, angles)
    steps = np.arange(-REFINEMENT_REACH_COLUMNS, REFINEMENT_REACH_COLUMNS + 1e-9, REFINEMENT_STEP_COLUMNS)
    candidates = column + steps
    inside = np.minimum(candidates, num_columns - 1 - candidates) >= NARROWEST_EDGE_COLUMNS
    sharpest, _ = slices.best_of(candidates[inside])
    if pairs and correlation > CORRELATION_OF_SURE_PAIRS and abs(sharpest - column) > REFINEMENT_REACH_COLUMNS / 2:
        sharpest = column  # noise of a few rows, sharpest at the edge of what was tried, says nothing against them
    disagreement = sharpest - column if use_pairs else 0.0
    return RotationAxis(
        sharpest - disagreement / 2 if pairs else sharpest,  # a near pair is shifted by what it misses
        float(np.hypot(max(spread, 0.1), disagreement / 2)),
        float(np.clip(confidence, 0, 1)) / (1 + (disagreement / 2) ** 2),
        method,
    )


def _sharpest(slices: "_SharpnessOfSlices", middle: float, reach: float) -> tuple[float, float]:
    """Return the sharpest axis of a window and the confidence in it."""
    column, prominence = slices.best_of(np.arange(middle - reach, middle + reach + 0.5))
    confidence = (prominence - PROMINENCE_OF_NOISE) / (PROMINENCE_OF_CERTAINTY - PROMINENCE_OF_NOISE)
    return column, confidence


class _SharpnessOfSlices:
    """Slices through the rows of most structure, judged for any axis; the filtered rows are made once."""

    def __init__(self, integrals: NDArray[np.float32], angles_deg: NDArray[np.float64]) -> None:
        num_rows, num_columns = integrals.shape[1:]
        contrast = np.array([texture(integrals[::8, row]).std() for row in range(num_rows)])
        wanted = min(max(ROWS_TIMES_FRAMES // len(integrals), NUM_ROWS_FOR_SHARPNESS), MOST_ROWS_FOR_SHARPNESS)
        rows = np.sort(np.argsort(contrast)[-wanted:])
        ramp = RampFilter(len(rows), num_columns, UM_PER_CM, taper_columns=num_columns // 2)
        self._filtered = ramp.new_buffer(len(integrals))
        ramp.filter(np.ascontiguousarray(integrals[:, rows]), self._filtered, 0)
        self._num_rows, self._num_columns = len(rows), num_columns
        self._angles_rad = np.radians(angles_deg)
        self._weights_rad = angle_weights(angles_deg).weights_rad.astype(np.float32)

    def best_of(self, columns: NDArray[np.float64]) -> tuple[float, float]:
        """Interpolate the sharpest axis among columns; its prominence is in robust standard deviations."""
        step = float(columns[1] - columns[0])
        nearest_edge = min(float(columns[0]), self._num_columns - 1 - float(columns[-1]))
        # One square for all: a larger one holds more of the empty surroundings, which passes for sharpness.
        num_points = max(int(min(128, 1.3 * nearest_edge)), MIN_GRID)
        bare = np.array([self._sharpness(column, num_points) for column in columns])
        scores = gaussian_filter1d(bare, SHARPNESS_SMOOTHING_COLUMNS / step, mode="nearest")
        best = int(np.argmax(scores))
        median = float(np.median(scores))
        deviation = 1.4826 * float(np.median(np.abs(scores - median)))
        column = float(columns[best]) + step * parabola_offset(scores, best)
        return column, (float(scores[best]) - median) / max(deviation, 1e-30)

    def _sharpness(self, column: float, num_points: int) -> float:
        """Concentration of gradients: their fourth moment over the squared second.

        The energy of a slice does not change with the axis (a shift only turns phases), but a wrong axis spreads
        each edge over two arcs, so that many small gradients share it.
        """
        slices = np.zeros((len(self._filtered), num_points, num_points, NUM_LANES), np.float32)
        everywhere = np.zeros(num_points, np.int64), np.full(num_points, num_points)
        columns = HalfColumns(self._num_columns, column, SMOOTHING_STEPS)
        for chunk, filtered in zip(slices, self._filtered, strict=True):
            columns.add_to(chunk, *everywhere, filtered, self._weights_rad, self._angles_rad)
        squared = np.diff(slices, axis=1)[:, :, :-1] ** 2 + np.diff(slices, axis=2)[:, :-1] ** 2
        seen = np.moveaxis(squared, 3, 1).reshape(-1, *squared.shape[1:3])[: self._num_rows].astype(np.float64)
        return float((seen**2).mean() / max(float(seen.mean()) ** 2, 1e-300))
