"""From detector counts to attenuation integrals: beam divided out, broken pixels repaired and counted."""

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled


class FrameShapeError(ValueError):
    """Frames that belong together differ in shape."""


class FlatFractionError(ValueError):
    """A frame is said to lie outside the time between its two flats."""


class DeadFrameError(ValueError):
    """A frame without one usable pixel cannot be repaired from its neighbours."""


@dataclass(frozen=True)
class CountedPixels:
    """Values after a correction, and how many pixels it touched.

    ``values`` has the shape of what came in; ``num_pixels`` counts pixels set to NaN, repaired or replaced.
    """

    values: NDArray[np.float32]
    num_pixels: int


def transmission(
    counts: NDArray[np.uint16], flat: NDArray[np.float32], dark: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Divide the beam out of a projection: (counts - dark) / (flat - dark).

    Parameters
    ----------
    counts
        One projection, shape (height, width), or several, shape (frame, height, width), in detector counts.
    flat, dark
        Mean flat-field and dark-field frame, shape (height, width), in counts.

    Returns
    -------
    NDArray[np.float32]
        Transmission, shape of ``counts``, unitless, about 1 in open beam.
        NaN where the flat is not brighter than the dark.

    Raises
    ------
    FrameShapeError
        If the frames differ in shape.

    References
    ----------
    Seibert, Boone and Lindfors, Proc. SPIE 3336 (1998) 348.
    """
    if not counts.shape[-2:] == flat.shape == dark.shape:
        raise FrameShapeError(
            f"projection {counts.shape[-2:]}, flat {flat.shape} and dark {dark.shape} (rows, columns) must have one "
            "shape: take flats and darks with the binning and region of the projections."
        )
    beam = flat.astype(np.float32) - dark
    one_over_beam = np.divide(1, beam, out=np.full_like(beam, np.nan), where=beam > 0)
    result: NDArray[np.float32] = (counts - dark.astype(np.float32)) * one_over_beam
    return result


def mean_frame(frames: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Average frames of shape (frame, height, width) into one of shape (height, width), in counts."""
    return np.asarray(frames.mean(axis=0, dtype=np.float64), np.float32)


def flat_between(before: NDArray[np.float32], after: NDArray[np.float32], scan_fraction: float) -> NDArray[np.float32]:
    """Interpolate the flat linearly between the one before and the one after the scan.

    Parameters
    ----------
    before, after
        Mean flats, shape (height, width), in counts.
    scan_fraction
        Time of the projection: 0 at the flat before, 1 at the flat after the scan.

    Raises
    ------
    FlatFractionError
        If ``scan_fraction`` is outside 0 to 1: the beam is not extrapolated.
    """
    if not 0 <= scan_fraction <= 1:
        raise FlatFractionError(
            f"scan fraction {scan_fraction:.3f} lies outside 0 to 1: the projection was not exposed between its flats. "
            "Give the flats that enclose it in time, or one flat for the whole scan."
        )
    return np.asarray(before + scan_fraction * (after - before), np.float32)


def attenuation_integral(transmission: NDArray[np.float32]) -> CountedPixels:
    """Take -log of a transmission (any shape); pixels that are not positive become NaN and are counted.

    The result is the integral of the attenuation along the ray, unitless (1/cm times cm). Pixels that were NaN
    already stay NaN and are counted too.
    """
    usable = transmission > 0
    values = np.full(transmission.shape, np.nan, np.float32)
    np.log(transmission, out=values, where=usable)
    np.negative(values, out=values)
    return CountedPixels(values, int(usable.size - np.count_nonzero(usable)))


def repair_pixels(frames: NDArray[np.float32]) -> CountedPixels:
    """Fill NaN pixels with the mean of their valid neighbours, from the rim of each hole inwards.

    Parameters
    ----------
    frames
        One frame, shape (height, width), or several, shape (frame, height, width).

    Returns
    -------
    CountedPixels
        Frames without NaN, and the number of pixels filled.

    Raises
    ------
    DeadFrameError
        If a frame has no valid pixel at all.
    """
    stack = np.array(frames, np.float32, copy=True, ndmin=3)
    holes = np.isnan(stack)
    dead = np.flatnonzero(holes.all(axis=(1, 2)))
    if dead.size:
        raise DeadFrameError(
            f"{dead.size} of {len(stack)} frames (first: {dead[0]}) have no valid pixel: leave them out of the scan."
        )
    for index in np.flatnonzero(holes.any(axis=(1, 2))):
        _fill_holes(stack[index])
    return CountedPixels(stack.reshape(frames.shape), int(np.count_nonzero(holes)))


def remove_zingers(frames: NDArray[np.float32], *, threshold: float) -> CountedPixels:
    """Replace pixels brighter than the median of their eight neighbours by more than a threshold.

    Parameters
    ----------
    frames
        Transmission (or counts), shape (height, width) or (frame, height, width).
    threshold
        In the unit of ``frames``; several times the noise of one pixel.

    Returns
    -------
    CountedPixels
        Frames with the median in place of each zinger, and the number of zingers. Other pixels are untouched.
    """
    stack = np.ascontiguousarray(frames, np.float32).reshape(-1, *frames.shape[-2:])
    cleaned = stack.copy()
    num_replaced = _replace_zingers(stack, cleaned, np.float32(threshold))
    return CountedPixels(cleaned.reshape(frames.shape), num_replaced)


def _fill_holes(frame: NDArray[np.float32]) -> None:
    """Fill NaN of one frame in place, a layer of the hole at a time."""
    height, width = frame.shape
    holes = np.argwhere(np.isnan(frame))
    while len(holes):
        filled = np.array([_mean_of_neighbours(frame, row, column, height, width) for row, column in holes])
        frame[holes[:, 0], holes[:, 1]] = filled
        holes = holes[np.isnan(filled)]


def _mean_of_neighbours(frame: NDArray[np.float32], row: int, column: int, height: int, width: int) -> float:
    window = frame[max(0, row - 1) : min(height, row + 2), max(0, column - 1) : min(width, column + 2)]
    valid = window[~np.isnan(window)]
    return float(valid.mean()) if valid.size else float("nan")


@compiled
def _replace_zingers(stack: NDArray[np.float32], cleaned: NDArray[np.float32], threshold: np.float32) -> int:
    num_frames, height, width = stack.shape
    num_replaced = 0
    for frame in prange(num_frames):
        for row in range(height):
            for column in range(width):
                limit = stack[frame, row, column] - threshold
                num_neighbours = 0
                num_darker = 0
                for i in range(max(0, row - 1), min(height, row + 2)):
                    for j in range(max(0, column - 1), min(width, column + 2)):
                        if (i != row or j != column) and not np.isnan(stack[frame, i, j]):
                            num_neighbours += 1
                            num_darker += stack[frame, i, j] < limit
                if 2 * num_darker > num_neighbours:
                    neighbours = np.empty(num_neighbours, np.float32)
                    k = 0
                    for i in range(max(0, row - 1), min(height, row + 2)):
                        for j in range(max(0, column - 1), min(width, column + 2)):
                            if (i != row or j != column) and not np.isnan(stack[frame, i, j]):
                                neighbours[k] = stack[frame, i, j]
                                k += 1
                    cleaned[frame, row, column] = np.median(neighbours)
                    num_replaced += 1
    return num_replaced
