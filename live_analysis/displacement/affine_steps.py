"""Gauss-Newton steps of one cuboid."""

import numpy as np
from numpy.typing import NDArray

from live_analysis.displacement.cuboid_sums import BLOCKS, moved_sums, reference_sums
from live_analysis.displacement.fit_uncertainty import LOWEST_CORRELATION, find_uncertainty
from live_analysis.reconstruction.compiled import compiled_serial

Floats = NDArray[np.float64]
Voxels = NDArray[np.float32]

NUM_PARAMETERS = 12
MAX_ITERATIONS = 40
LIKELY_STRAIN = 0.02  # standard deviation of a gradient from the one that the fit starts with

CONVERGED, NOT_CONVERGED, OUT_OF_VIEW, TOO_LITTLE = 0, 1, 2, 3


@compiled_serial
def iterate(
    reference: Voxels,
    moved: Voxels,
    weight: Voxels,
    first: NDArray[np.int64],
    stride: int,
    tolerance: float,
    correlated_voxels: float,
    parameters: Floats,
    uncertainty: Floats,
    correlation: Floats,
    num_iterations: NDArray[np.int64],
) -> int:
    """Step until a step moves no corner by more than the tolerance."""
    size = weight.shape[0]
    num_blocks = BLOCKS**3
    curvature = np.zeros((NUM_PARAMETERS, NUM_PARAMETERS))
    slopes, products = np.zeros((num_blocks, NUM_PARAMETERS)), np.zeros((num_blocks, NUM_PARAMETERS))
    seen = np.zeros((num_blocks, NUM_PARAMETERS))
    plain = np.zeros(3)  # sums of the reference: ones, values, squares
    reference_sums(reference, weight, first, stride, curvature, slopes, products, plain)
    mean, spread2 = plain[1] / plain[0], plain[2] / plain[0] - (plain[1] / plain[0]) ** 2
    for axis in range(NUM_PARAMETERS):
        curvature[axis, axis] *= 1 + 1e-9
    if spread2 <= 0 or np.abs(np.diag(curvature)).min() <= 0:
        return TOO_LITTLE
    started = parameters.copy()
    held = curvature.copy()
    inverse = np.zeros((NUM_PARAMETERS, NUM_PARAMETERS))
    values = np.zeros((size, size, size), np.float32)
    cross = np.zeros(3)
    gain = agreement = 1.0
    score = np.zeros((num_blocks, NUM_PARAMETERS))
    for _ in range(MAX_ITERATIONS):
        if not _within(parameters, first, size, moved.shape):
            return OUT_OF_VIEW
        seen[:] = 0
        cross[:] = 0
        moved_sums(reference, moved, weight, first, stride, parameters, values, seen, cross)
        num_iterations[0] += 1
        moved_mean = cross[0] / plain[0]
        moved_spread2 = cross[1] / plain[0] - moved_mean**2
        if moved_spread2 <= 0:
            return TOO_LITTLE
        gain = np.sqrt(spread2 / moved_spread2)
        agreement = (cross[2] / plain[0] - mean * moved_mean) / np.sqrt(spread2 * moved_spread2)
        score[:] = (products - mean * slopes) - gain * (seen - moved_mean * slopes)
        residual2 = 2 * spread2 * max(1 - agreement, 0.0)
        hold = residual2 * correlated_voxels / stride**3 / LIKELY_STRAIN**2
        shared = min(max(agreement, LOWEST_CORRELATION), 1.0)
        pull = score.sum(0)
        held[:] = shared * curvature
        for axis in range(NUM_PARAMETERS):
            if axis % 4:
                held[axis, axis] += hold
                pull[axis] -= hold * (parameters[axis] - started[axis])
        inverse[:] = np.linalg.inv(held)
        step = inverse @ pull
        parameters += step
        largest = 0.0
        for axis in range(3):
            s = step[4 * axis : 4 * axis + 4]
            largest = max(largest, abs(s[0]) + size / 2 * (abs(s[1]) + abs(s[2]) + abs(s[3])))
        if largest < tolerance:
            correlation[0] = agreement
            if stride == 1:
                find_uncertainty(reference, values, weight, first, gain / shared, inverse, score, uncertainty)
            return CONVERGED
    correlation[0] = agreement
    return NOT_CONVERGED


@compiled_serial
def _within(parameters: Floats, first: NDArray[np.int64], size: int, shape: tuple[int, int, int]) -> bool:
    """Whether the deformed cuboid lies in the volume with the room that interpolation needs."""
    half = (size - 1) / 2
    for axis in range(3):
        p = parameters[4 * axis : 4 * axis + 4]
        reach = half * (abs(p[1]) + abs(p[2]) + abs(p[3]))
        if first[axis] + p[0] - reach < 1 or first[axis] + size - 1 + p[0] + reach > shape[axis] - 3:
            return False
    return True
