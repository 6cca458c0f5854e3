"""Find the column of the rotation axis from opposite projections, refined by the sharpness of slices."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from live_analysis.filtered_back_projection import UM_PER_CM, Grid, angle_weights, back_project, filter_projections

MAX_OPPOSITION_MISS_DEG = 0.1  # at 3 mm from the axis this moves a feature by 5 um, about one pixel
MAX_PAIRS = 12
MIN_CORRELATION_OF_NEAR_PAIRS = 0.5  # pairs one step short of opposition are believed only if they are this alike
MIN_OVERLAP = 0.4  # least part of the columns that an opposite pair must share
MIN_COVERAGE = 0.75  # of the half turn, for slices sharp enough to judge
REFINEMENT_REACH_COLUMNS = 3.0
REFINEMENT_STEP_COLUMNS = 0.25
# Rows that are judged: few projections make streaks, and only more rows tell them from edges.
NUM_ROWS_FOR_SHARPNESS, MOST_ROWS_FOR_SHARPNESS, ROWS_TIMES_FRAMES = 8, 24, 1440
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
        Half width of the search window around the middle of the detector; by default an eighth of the columns.

    Raises
    ------
    RotationAxisError
        If the angles leave too much of the half turn out, or the best axis lies at the edge of the search window.
    """
    num_columns = integrals.shape[-1]
    middle = (num_columns - 1) / 2
    reach = num_columns / 8 if search_columns is None else search_columns
    if not 2 <= reach <= (1 - MIN_OVERLAP) / 2 * num_columns:
        raise RotationAxisError(
            f"a search window of +-{reach:.1f} columns does not suit {num_columns} columns: give between 2 and "
            f"{(1 - MIN_OVERLAP) / 2 * num_columns:.0f}, so that opposite projections overlap."
        )
    angles = np.asarray(angles_deg, np.float64)
    coverage = angle_weights(angles).coverage
    if coverage < MIN_COVERAGE:
        raise RotationAxisError(
            f"{len(angles)} projections from {angles.min():.2f} to {angles.max():.2f} deg cover {coverage:.0%} of the "
            f"half turn; {MIN_COVERAGE:.0%} are needed to find the axis. Wait for more projections or give the axis."
        )
    slices = _SharpnessOfSlices(integrals, angles)
    pairs = _opposite_pairs(angles, MAX_OPPOSITION_MISS_DEG)
    near_pairs = pairs or _opposite_pairs(angles, 1.1 * float(np.degrees(np.median(angle_weights(angles).weights_rad))))
    mirror = [_mirror_axis(_texture(integrals[i]), _texture(integrals[j]), middle, reach) for i, j in near_pairs]
    correlation = float(np.mean([score for _, score in mirror])) if mirror else 0.0
    use_pairs = bool(pairs) or correlation >= MIN_CORRELATION_OF_NEAR_PAIRS
    if use_pairs:
        column = float(np.median([value for value, _ in mirror]))
        spread = float(np.std([value for value, _ in mirror]) / np.sqrt(len(mirror)))
        confidence, method = max(0.0, correlation), "opposite pairs and sharpness"
    else:
        column, prominence = slices.best_of(np.arange(middle - reach, middle + reach + 0.5))
        confidence = (prominence - PROMINENCE_OF_NOISE) / (PROMINENCE_OF_CERTAINTY - PROMINENCE_OF_NOISE)
        # Without a clear peak the axis may be anywhere in the window: standard deviation of an even distribution.
        spread = float(np.hypot(0.5, (1 - np.clip(confidence, 0, 1)) * reach / np.sqrt(3)))
        method = "sharpness"
    if abs(column - middle) > reach - 1:
        raise RotationAxisError(
            f"the projections agree best with an axis at column {column:.1f}, at the edge of the search window "
            f"{middle - reach:.1f} to {middle + reach:.1f}: it probably lies outside. Centre the stage or give a "
            "larger search_columns."
        )
    steps = np.arange(-REFINEMENT_REACH_COLUMNS, REFINEMENT_REACH_COLUMNS + 1e-9, REFINEMENT_STEP_COLUMNS)
    sharpest, _ = slices.best_of(column + steps)
    disagreement = sharpest - column if use_pairs else 0.0
    return RotationAxis(
        sharpest - disagreement / 2 if pairs else sharpest,  # a near pair is shifted by what it misses
        float(np.hypot(max(spread, 0.1), disagreement / 2)),
        float(np.clip(confidence, 0, 1)) / (1 + (disagreement / 2) ** 2),
        method,
    )


def _opposite_pairs(angles_deg: NDArray[np.float64], limit_deg: float) -> list[tuple[int, int]]:
    """Find frames opposite to each other, nearest to exact opposition first."""
    i, j = np.triu_indices(len(angles_deg), 1)
    miss_deg = np.abs(np.mod(angles_deg[j] - angles_deg[i], 360.0) - 180.0)
    nearest = np.argsort(miss_deg, kind="stable")[:MAX_PAIRS]
    return [(int(i[k]), int(j[k])) for k in nearest if miss_deg[k] <= limit_deg]


class _SharpnessOfSlices:
    """Slices through the rows of most structure, judged for any axis; the filtered rows are made once."""

    def __init__(self, integrals: NDArray[np.float32], angles_deg: NDArray[np.float64]) -> None:
        num_rows, num_columns = integrals.shape[1:]
        contrast = np.array([_texture(integrals[::8, row]).std() for row in range(num_rows)])
        wanted = min(max(ROWS_TIMES_FRAMES // len(integrals), NUM_ROWS_FOR_SHARPNESS), MOST_ROWS_FOR_SHARPNESS)
        rows = np.sort(np.argsort(contrast)[-wanted:])
        self._filtered = filter_projections(integrals[:, rows], UM_PER_CM, taper_columns=num_columns // 2)
        self._angles_deg = angles_deg
        self._weights_rad = angle_weights(angles_deg).weights_rad

    def best_of(self, columns: NDArray[np.float64]) -> tuple[float, float]:
        """Interpolate the sharpest axis among columns; its prominence is in robust standard deviations."""
        step = float(columns[1] - columns[0])
        bare = np.array([self._sharpness(column) for column in columns])
        scores = gaussian_filter1d(bare, SHARPNESS_SMOOTHING_COLUMNS / step, mode="nearest")
        best = int(np.argmax(scores))
        median = float(np.median(scores))
        deviation = 1.4826 * float(np.median(np.abs(scores - median)))
        column = float(columns[best]) + step * _parabola_offset(scores, best)
        return column, (float(scores[best]) - median) / max(deviation, 1e-30)

    def _sharpness(self, column: float) -> float:
        """Concentration of gradients: their fourth moment over the squared second.

        The energy of a slice does not change with the axis (a shift only turns phases), but a wrong axis spreads
        each edge over two arcs, so that many small gradients share it.
        """
        grid = Grid.square(int(min(128, 1.3 * min(column, self._filtered.shape[2] - 1 - column))))
        slices = back_project(self._filtered, self._angles_deg, column, grid, weights_rad=self._weights_rad)
        dy = np.diff(slices, axis=1)[:, :, :-1].astype(np.float64)
        dx = np.diff(slices, axis=2)[:, :-1, :]
        squared = dx * dx + dy * dy
        return float((squared**2).mean() / max(float(squared.mean()) ** 2, 1e-300))


def _texture(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """Structure between one pixel and a twentieth of the view: neither noise nor the round shape of the cell."""
    fine = gaussian_filter(frame, (0, 1.0), mode="nearest")
    coarse = gaussian_filter(frame, (0, max(3.0, frame.shape[1] / 20)), mode="nearest")
    texture: NDArray[np.float32] = fine - coarse
    return texture


def _mirror_axis(
    first: NDArray[np.float32], second: NDArray[np.float32], middle: float, reach: float
) -> tuple[float, float]:
    """Find the column about which two frames are mirror images, and their correlation there (-1 to 1)."""
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
    best = int(np.argmax(scores))
    return middle + (shifts[best] + _parabola_offset(scores, best)) / 2, float(scores[best])


def _parabola_offset(scores: NDArray[np.float64], best: int) -> float:
    """Position of the maximum relative to the best sample, in samples; 0 at the ends."""
    if not 0 < best < len(scores) - 1:
        return 0.0
    left, centre, right = scores[best - 1 : best + 2]
    curvature = left - 2 * centre + right
    return float(0.5 * (left - right) / curvature) if curvature < 0 else 0.0
