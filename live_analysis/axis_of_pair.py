"""Column and tilt of the rotation axis from two projections half a turn apart, before a whole scan exists."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.leaning_pair import tilt_of_best_agreement, turned
from live_analysis.mirror_axis import mirror_axis, texture
from live_analysis.normalisation import FrameShapeError

LOW_CONFIDENCE = 0.3  # correlation; two frames of noise reach about 0.1
ENOUGH_CONFIDENCE = 0.6  # below it the axis may lean too much for all rows to agree at once
MIN_ROWS_OF_BAND = 8  # fewer rows hold too little texture to be compared
NUM_BANDS = 8
MIN_BANDS_OF_TILT = 3
MAX_REACH = 0.3  # of the columns: the pair then still shares two fifths of them
LEAST_UNCERTAINTY_COLUMNS = 0.1  # of the parabola through the correlation, see tests/live_analysis/test_axis_of_pair.py


class AxisOfPairError(ValueError):
    """The rotation axis cannot be told from this pair."""


@dataclass(frozen=True)
class AxisOfPair:
    """Where the rotation axis falls on the detector.

    ``column`` at the middle row and ``uncertainty`` (one standard deviation) are in columns; ``confidence`` is the
    correlation of the pair, 0 to 1. ``tilt_deg`` is positive where the axis leans to larger columns at the top;
    it and its uncertainty are ``None`` where too few rows have texture.
    """

    column: float
    uncertainty: float
    confidence: float
    tilt_deg: float | None
    tilt_uncertainty_deg: float | None


def axis_of_pair(first: NDArray[np.float32], second: NDArray[np.float32]) -> AxisOfPair:
    """Find the axis about which two projections half a turn apart are mirror images, truncated or not.

    Parameters
    ----------
    first, second
        Attenuation integrals without NaN, shape (row, column), unitless.

    Raises
    ------
    FrameShapeError
        If the two differ in shape.
    AxisOfPairError
        If they have too little in common, or the axis lies at the edge of what can be searched.
    """
    if first.shape != second.shape:
        raise FrameShapeError(
            f"the pair's frames have {first.shape} and {second.shape} (rows, columns); take both anew."
        )
    num_rows, num_columns = first.shape
    middle, reach, turned_deg = (num_columns - 1) / 2, MAX_REACH * num_columns, 0.0
    textures = texture(first), texture(second)
    column, confidence = mirror_axis(*textures, middle, reach)
    if confidence < ENOUGH_CONFIDENCE and num_rows >= MIN_BANDS_OF_TILT * MIN_ROWS_OF_BAND:
        turned_deg = tilt_of_best_agreement((first, second), MAX_REACH)
        upright = turned((first, second), turned_deg)
        textures = texture(upright[0]), texture(upright[1])
        column, confidence = mirror_axis(*textures, middle, reach)
    if confidence < LOW_CONFIDENCE:
        raise AxisOfPairError(
            f"the projections half a turn apart have too little in common to tell the axis (correlation "
            f"{confidence:.2f}, needed {LOW_CONFIDENCE}). See whether the sample stands in the beam and the camera "
            "upright; expose longer or take more frames."
        )
    if abs(column - middle) > reach - 1:
        raise AxisOfPairError(
            f"the projections agree best about column {column:.1f}, at the edge of the search from "
            f"{middle - reach:.0f} to {middle + reach:.0f}. Move the axis nearer to the middle of the view."
        )
    bands = _bands(*textures, column)
    if len(bands) < MIN_BANDS_OF_TILT:
        return AxisOfPair(column, 3 * LEAST_UNCERTAINTY_COLUMNS, confidence, None, None)
    rows, columns, weights = (np.array(values) for values in zip(*bands, strict=True))
    (slope, at_middle), covariance = _line(rows - (num_rows - 1) / 2, columns, weights)
    return AxisOfPair(
        at_middle,
        float(np.hypot(LEAST_UNCERTAINTY_COLUMNS, np.sqrt(covariance[1, 1]))),
        confidence,
        turned_deg - float(np.degrees(np.arctan(slope))),  # row 0 is the top
        float(np.degrees(np.sqrt(covariance[0, 0]))),
    )


def _bands(first: NDArray[np.float32], second: NDArray[np.float32], column: float) -> list[tuple[float, float, float]]:
    """Return middle row, axis and weight of each band of rows in which the pair agrees."""
    num_rows, num_columns = first.shape
    height = max(num_rows // NUM_BANDS, MIN_ROWS_OF_BAND)
    reach = max(3.0, num_columns / 50)
    # Near the axis the shared columns are most: the search is centred there, on whole half columns.
    middle = round(2 * column) / 2
    shift = round(2 * (middle - (num_columns - 1) / 2))
    found = []
    for begin in range(0, num_rows - height + 1, height):
        a, b = (frame[begin : begin + height] for frame in (first, second))
        a = a[:, max(0, shift) : num_columns + min(0, shift)]
        b = b[:, max(0, shift) : num_columns + min(0, shift)]
        axis, correlation = mirror_axis(a, b, (a.shape[1] - 1) / 2, reach)
        if correlation >= LOW_CONFIDENCE and abs(axis - (a.shape[1] - 1) / 2) < reach - 1:
            found.append((begin + (height - 1) / 2, axis + max(0, shift), correlation))
    return found


def _line(
    rows: NDArray[np.float64], columns: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[tuple[float, float], NDArray[np.float64]]:
    """Fit slope and intercept; return both and their covariance from the scatter, never below the method's own."""
    design = np.stack([rows, np.ones_like(rows)], axis=1) * weights[:, None]
    inverse = np.linalg.inv(design.T @ design)
    slope, intercept = inverse @ design.T @ (columns * weights)
    residual = (columns - slope * rows - intercept) * weights
    freedom = max(len(rows) - 2, 1)
    variance = max(float(residual @ residual) / freedom, (LEAST_UNCERTAINTY_COLUMNS * float(weights.mean())) ** 2)
    return (float(slope), float(intercept)), np.asarray(inverse * variance, np.float64)
