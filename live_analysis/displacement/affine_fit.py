"""Fit of an affine deformation to each cuboid by Gauss-Newton, with the uncertainty that its residual shows.

A cuboid of the reference is compared with the moved volume at ``x + u + G (x - centre)``: three shifts and nine
gradients. Grey levels of the two may differ by a factor and an offset. The curvature comes from the reference alone and
is made once. Noise of the reference adds to it, so that only the part counts that both volumes share. Gradients that the noise of a small cuboid would make are held near those of the
start by how much strain is likely beside them.
"""

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.displacement.cubic import cubic_value
from live_analysis.reconstruction.compiled import compiled, compiled_serial

Floats = NDArray[np.float64]
Voxels = NDArray[np.float32]
Used = NDArray[np.bool_]

NUM_PARAMETERS = 12
MAX_ITERATIONS = 40
TOLERANCE_VOXELS = 2e-3
COARSE_TOLERANCE_VOXELS = 0.02
ROOM_VOXELS = 4
# Steps on every second voxel cost an eighth and lead as near as the noise allows, where enough voxels remain.
COARSE_STRIDE, SMALLEST_FOR_COARSE = 2, 24
BLOCKS = 4  # along each edge: a block is wider than noise is correlated
LIKELY_STRAIN = 0.02  # standard deviation of a gradient from the one that the fit starts with
MIN_USED = 0.25  # part of a cuboid's voxels
LOWEST_CORRELATION = 0.3  # that is reckoned with

CONVERGED, NOT_CONVERGED, OUT_OF_VIEW, TOO_LITTLE = 0, 1, 2, 3


@dataclass(frozen=True)
class AffineFits:
    """Fits of all cuboids, in voxels and in the order of the array axes (z, y, x).

    ``parameters`` has the shape (n, 3, 4): shift along an axis at the centre of the cuboid, then its gradients along z,
    y and x. ``uncertainty`` (n, 3) is one standard deviation of the shifts, ``used`` the part of the voxels compared,
    ``status`` one of CONVERGED, NOT_CONVERGED, OUT_OF_VIEW, TOO_LITTLE; what does not apply is NaN.
    """

    parameters: Floats
    uncertainty: Floats
    correlation: Floats
    used: Floats
    num_iterations: NDArray[np.int64]
    status: NDArray[np.int64]

    @property
    def shifts(self) -> Floats:
        """Displacement of the centres, shape (n, 3)."""
        return self.parameters[:, :, 0]


def fit_affine(
    reference: Voxels,
    moved: Voxels,
    *,
    first: NDArray[np.int64],
    size: int,
    starts: Floats,
    reference_used: Used | None = None,
    moved_used: Used | None = None,
    correlated_voxels: float = 1.0,
) -> AffineFits:
    """Fit all cuboids, several at a time.

    Parameters
    ----------
    reference, moved
        Volumes of one shape (z, y, x), finite everywhere.
    first
        Lowest index of each cuboid, shape (n, 3).
    size
        Voxels along each edge of a cuboid.
    starts
        Parameters to start from, shape (n, 3, 4).
    reference_used, moved_used
        Voxels that are compared, by default all. One of the moved volume counts where the start puts it.
    correlated_voxels
        Number of voxels over which smoothing made noise the same.
    """
    num = len(first)
    everywhere = np.ones((1, 1, 1), np.bool_)
    if moved_used is not None:  # a cuboid at a face may reach beyond it: what lies there is not compared
        reference, moved = (np.pad(volume, ROOM_VOXELS, mode="edge") for volume in (reference, moved))
        moved_used = np.pad(moved_used, ROOM_VOXELS)
        reference_used = np.pad(reference_used, ROOM_VOXELS) if reference_used is not None else None
        first = first + ROOM_VOXELS
    parameters = np.array(starts, np.float64).reshape(num, NUM_PARAMETERS)
    uncertainty, correlation, used = np.full((num, 3), np.nan), np.full(num, np.nan), np.zeros(num)
    num_iterations, status = np.zeros(num, np.int64), np.zeros(num, np.int64)
    _fit_all(
        np.ascontiguousarray(reference, np.float32),
        np.ascontiguousarray(moved, np.float32),
        everywhere if reference_used is None else np.ascontiguousarray(reference_used),
        everywhere if moved_used is None else np.ascontiguousarray(moved_used),
        np.ascontiguousarray(first, np.int64),
        size,
        correlated_voxels,
        parameters,
        uncertainty,
        correlation,
        used,
        num_iterations,
        status,
    )
    return AffineFits(parameters.reshape(num, 3, 4), uncertainty, correlation, used, num_iterations, status)


@compiled
def _fit_all(
    reference: Voxels,
    moved: Voxels,
    reference_used: Used,
    moved_used: Used,
    first: NDArray[np.int64],
    size: int,
    correlated_voxels: float,
    parameters: Floats,
    uncertainty: Floats,
    correlation: Floats,
    used: Floats,
    num_iterations: NDArray[np.int64],
    status: NDArray[np.int64],
) -> None:
    for node in prange(len(first)):
        weight = np.ones((size, size, size), np.float32)
        part = _weigh(weight, reference_used, moved_used, first[node], parameters[node])
        used[node] = part
        if part < MIN_USED:
            status[node] = TOO_LITTLE
            continue
        if size >= SMALLEST_FOR_COARSE:
            _iterate(
                reference, moved, weight, first[node], COARSE_STRIDE, COARSE_TOLERANCE_VOXELS, correlated_voxels, parameters[node],
                uncertainty[node], correlation[node : node + 1], num_iterations[node : node + 1],
            )  # fmt: skip
        status[node] = _iterate(
            reference, moved, weight, first[node], 1, TOLERANCE_VOXELS, correlated_voxels, parameters[node],
            uncertainty[node], correlation[node : node + 1], num_iterations[node : node + 1],
        )  # fmt: skip


@compiled_serial
def _weigh(
    weight: Voxels, reference_used: Used, moved_used: Used, first: NDArray[np.int64], parameters: Floats
) -> float:
    """Put 1 where both volumes can be compared, else 0; return the part of ones."""
    size = weight.shape[0]
    all_reference, all_moved = reference_used.size == 1, moved_used.size == 1
    if all_reference and all_moved:
        return 1.0
    middle = (size - 1) / 2
    num = 0
    place = np.empty(3, np.int64)
    for a in range(size):
        for b in range(size):
            for c in range(size):
                is_used = all_reference or reference_used[first[0] + a, first[1] + b, first[2] + c]
                if is_used and not all_moved:
                    for axis in range(3):
                        p = parameters[4 * axis : 4 * axis + 4]
                        local = a if axis == 0 else (b if axis == 1 else c)
                        shift = p[0] + p[1] * (a - middle) + p[2] * (b - middle) + p[3] * (c - middle)
                        place[axis] = int(np.floor(first[axis] + local + shift + 0.5))
                        is_used = is_used and 0 <= place[axis] < moved_used.shape[axis]
                    is_used = is_used and moved_used[place[0], place[1], place[2]]
                weight[a, b, c] = 1.0 if is_used else 0.0
                num += is_used
    return num / size**3


@compiled_serial
def _iterate(
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
    _reference_sums(reference, weight, first, stride, curvature, slopes, products, plain)
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
        _moved_sums(reference, moved, weight, first, stride, parameters, values, seen, cross)
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
        inverse = np.linalg.inv(held)
        step = inverse @ pull
        parameters += step
        largest = 0.0
        for axis in range(3):
            s = step[4 * axis : 4 * axis + 4]
            largest = max(largest, abs(s[0]) + size / 2 * (abs(s[1]) + abs(s[2]) + abs(s[3])))
        if largest < tolerance:
            correlation[0] = agreement
            if stride == 1:
                _find_uncertainty(reference, values, weight, first, gain / shared, inverse, score, uncertainty)
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


@compiled_serial
def _reference_sums(
    reference: Voxels,
    weight: Voxels,
    first: NDArray[np.int64],
    stride: int,
    curvature: Floats,
    slopes: Floats,
    products: Floats,
    plain: Floats,
) -> None:
    """Add up what does not change while steps are made; ``slopes`` and ``products`` by blocks."""
    size = weight.shape[0]
    middle = (size - 1) / 2
    local = np.zeros(4)
    local[0] = 1.0
    gradient = np.zeros(3)
    # Sums along a row of gradient products times 1, c, c2, and of gradients (times value) times 1, c.
    second, row = np.zeros((3, 3, 3)), np.zeros((3, 2, 2))
    for a in range(0, size, stride):
        local[1] = a - middle
        for b in range(0, size, stride):
            local[2] = b - middle
            second[:] = 0
            for block in range(BLOCKS):
                row[:] = 0
                for c in range(_round_up(block * size // BLOCKS, stride), (block + 1) * size // BLOCKS, stride):
                    if weight[a, b, c] == 0:
                        continue
                    z, y, x = first[0] + a, first[1] + b, first[2] + c
                    value, along = float(reference[z, y, x]), c - middle
                    gradient[0] = 0.5 * (reference[z + 1, y, x] - reference[z - 1, y, x])
                    gradient[1] = 0.5 * (reference[z, y + 1, x] - reference[z, y - 1, x])
                    gradient[2] = 0.5 * (reference[z, y, x + 1] - reference[z, y, x - 1])
                    plain[0] += 1
                    plain[1] += value
                    plain[2] += value**2
                    for i in range(3):
                        row[i, 0, 0] += gradient[i]
                        row[i, 0, 1] += gradient[i] * along
                        row[i, 1, 0] += gradient[i] * value
                        row[i, 1, 1] += gradient[i] * value * along
                        for j in range(i + 1):
                            product = gradient[i] * gradient[j]
                            second[i, j, 0] += product
                            second[i, j, 1] += product * along
                            second[i, j, 2] += product * along**2
                index = ((a * BLOCKS // size) * BLOCKS + b * BLOCKS // size) * BLOCKS + block
                for i in range(3):
                    for k in range(3):
                        slopes[index, 4 * i + k] += row[i, 0, 0] * local[k]
                        products[index, 4 * i + k] += row[i, 1, 0] * local[k]
                    slopes[index, 4 * i + 3] += row[i, 0, 1]
                    products[index, 4 * i + 3] += row[i, 1, 1]
            _add_to_curvature(curvature, second, local)


@compiled_serial
def _add_to_curvature(curvature: Floats, second: Floats, local: Floats) -> None:
    for i in range(3):
        for j in range(3):
            s = second[max(i, j), min(i, j)]
            for k in range(3):
                for m in range(3):
                    curvature[4 * i + k, 4 * j + m] += s[0] * local[k] * local[m]
                curvature[4 * i + k, 4 * j + 3] += s[1] * local[k]
                curvature[4 * i + 3, 4 * j + k] += s[1] * local[k]
            curvature[4 * i + 3, 4 * j + 3] += s[2]


@compiled_serial
def _moved_sums(
    reference: Voxels,
    moved: Voxels,
    weight: Voxels,
    first: NDArray[np.int64],
    stride: int,
    parameters: Floats,
    values: Voxels,
    seen: Floats,
    cross: Floats,
) -> None:
    """Look the deformed cuboid up in the moved volume; add up its products with the reference's gradients by blocks.

    ``cross`` gets the sums of the values, their squares and their products with the reference.
    """
    size = weight.shape[0]
    middle = (size - 1) / 2
    p = parameters
    flat = moved.ravel()
    stride_z, stride_y = moved.shape[1] * moved.shape[2], moved.shape[2]
    local = np.zeros(3)
    local[0] = 1.0
    for a in range(0, size, stride):
        local[1] = a - middle
        for b in range(0, size, stride):
            local[2] = b - middle
            from_z = first[0] + a + p[0] + p[1] * local[1] + p[2] * local[2] - p[3] * middle
            from_y = first[1] + b + p[4] + p[5] * local[1] + p[6] * local[2] - p[7] * middle
            from_x = first[2] + p[8] + p[9] * local[1] + p[10] * local[2] - p[11] * middle
            for block in range(BLOCKS):
                z0 = z1 = y0 = y1 = x0 = x1 = 0.0
                for c in range(_round_up(block * size // BLOCKS, stride), (block + 1) * size // BLOCKS, stride):
                    if weight[a, b, c] == 0:
                        continue
                    value = cubic_value(
                        flat, stride_z, stride_y, from_z + p[3] * c, from_y + p[7] * c, from_x + (1 + p[11]) * c
                    )
                    values[a, b, c] = value
                    z, y, x = first[0] + a, first[1] + b, first[2] + c
                    cross[0] += value
                    cross[1] += value * value
                    cross[2] += value * reference[z, y, x]
                    half, along = 0.5 * value, c - middle
                    along_z = half * (reference[z + 1, y, x] - reference[z - 1, y, x])
                    along_y = half * (reference[z, y + 1, x] - reference[z, y - 1, x])
                    along_x = half * (reference[z, y, x + 1] - reference[z, y, x - 1])
                    z0 += along_z
                    y0 += along_y
                    x0 += along_x
                    z1 += along_z * along
                    y1 += along_y * along
                    x1 += along_x * along
                index = ((a * BLOCKS // size) * BLOCKS + b * BLOCKS // size) * BLOCKS + block
                for k in range(3):
                    seen[index, k] += z0 * local[k]
                    seen[index, 4 + k] += y0 * local[k]
                    seen[index, 8 + k] += x0 * local[k]
                seen[index, 3] += z1
                seen[index, 7] += y1
                seen[index, 11] += x1


@compiled_serial
def _round_up(index: int, stride: int) -> int:
    return (index + stride - 1) // stride * stride


@compiled_serial
def _find_uncertainty(
    reference: Voxels,
    values: Voxels,
    weight: Voxels,
    first: NDArray[np.int64],
    gain: float,
    inverse: Floats,
    score: Floats,
    uncertainty: Floats,
) -> None:
    """Take from block to block how far each alone would pull the shifts.

    The noise of neighbouring voxels is correlated, that of blocks hardly is. The curvature holds noise of the reference
    too; what both volumes share is the part that gradients of the two have in common. ``gain`` is that of grey levels over
    the part that the inverse was made with.
    """
    size = weight.shape[0]
    own, common = np.zeros(3), np.zeros(3)
    for a in range(1, size - 1):
        for b in range(1, size - 1):
            for c in range(1, size - 1):
                around = weight[a - 1, b, c] + weight[a + 1, b, c] + weight[a, b - 1, c] + weight[a, b + 1, c]
                if around + weight[a, b, c - 1] + weight[a, b, c + 1] < 6:
                    continue
                z, y, x = first[0] + a, first[1] + b, first[2] + c
                at_z = reference[z + 1, y, x] - reference[z - 1, y, x]
                at_y = reference[z, y + 1, x] - reference[z, y - 1, x]
                at_x = reference[z, y, x + 1] - reference[z, y, x - 1]
                own[0] += at_z**2
                own[1] += at_y**2
                own[2] += at_x**2
                common[0] += at_z * (values[a + 1, b, c] - values[a - 1, b, c])
                common[1] += at_y * (values[a, b + 1, c] - values[a, b - 1, c])
                common[2] += at_x * (values[a, b, c + 1] - values[a, b, c - 1])
    middle = score.sum(0) / len(score)
    for axis in range(3):
        total = 0.0
        for block in range(len(score)):
            pull = 0.0
            for k in range(NUM_PARAMETERS):
                pull += inverse[4 * axis, k] * (score[block, k] - middle[k])
            total += pull**2
        shared = max(gain * common[axis] / max(own[axis], 1e-30), LOWEST_CORRELATION)
        num = len(score)
        uncertainty[axis] = np.sqrt(total * num / (num - NUM_PARAMETERS)) / shared
