"""From detector counts to attenuation integrals: beam divided out, broken pixels repaired and counted."""

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled, compiled_serial


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
    if holes.any():
        _fill(stack)
    return CountedPixels(stack.reshape(frames.shape), int(np.count_nonzero(holes)))


@compiled
def _fill(stack: NDArray[np.float32]) -> None:
    for frame in prange(len(stack)):
        _fill_frame(stack[frame])


@compiled_serial
def _fill_frame(image: NDArray[np.float32]) -> None:
    """Fill NaN in place, a layer of each hole at a time: what a layer is filled with was there before it."""
    height, width = image.shape
    rows, columns = np.nonzero(np.isnan(image))
    filled = np.empty(len(rows), np.float32)
    num_holes = len(rows)
    while num_holes > 0:
        for k in range(num_holes):
            row, column = rows[k], columns[k]
            total = 0.0
            num = 0
            for i in range(max(0, row - 1), min(height, row + 2)):
                for j in range(max(0, column - 1), min(width, column + 2)):
                    if not np.isnan(image[i, j]):
                        total += image[i, j]
                        num += 1
            filled[k] = total / num if num > 0 else np.nan
        num_left = 0
        for k in range(num_holes):
            row, column = rows[k], columns[k]
            if np.isnan(filled[k]):
                rows[num_left], columns[num_left] = row, column
                num_left += 1
            else:
                image[row, column] = filled[k]
        num_holes = num_left
