"""Fit of an affine deformation to each cuboid by Gauss-Newton, with the uncertainty that its residual shows.

A cuboid of the reference is compared with the moved volume at ``x + u + G (x - centre)``: three shifts and nine
gradients. Grey levels of the two may differ by a factor and an offset. The curvature comes from the reference alone and
is made once. Noise of the reference adds to it, so that only the part counts that both volumes share. Gradients that
the noise of a small cuboid would make are held near those of the start by how much strain is likely beside them.
"""

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.displacement.affine_steps import NUM_PARAMETERS, TOO_LITTLE, iterate
from live_analysis.reconstruction.compiled import compiled, compiled_serial

Floats = NDArray[np.float64]
Voxels = NDArray[np.float32]
Used = NDArray[np.bool_]

TOLERANCE_VOXELS = 2e-3
COARSE_TOLERANCE_VOXELS = 0.02
ROOM_VOXELS = 4
# Steps on every second voxel cost an eighth and lead as near as the noise allows, where enough voxels remain.
COARSE_STRIDE, SMALLEST_FOR_COARSE = 2, 24
MIN_USED = 0.25  # part of a cuboid's voxels


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
            iterate(
                reference, moved, weight, first[node], COARSE_STRIDE, COARSE_TOLERANCE_VOXELS, correlated_voxels,
                parameters[node], uncertainty[node], correlation[node : node + 1], num_iterations[node : node + 1],
            )  # fmt: skip
        status[node] = iterate(
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
    return float(num / size**3)
