"""How far off the shifts of a fit may be, as its own residual shows from block to block."""

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled_serial

Floats = NDArray[np.float64]
Voxels = NDArray[np.float32]

LOWEST_CORRELATION = 0.3  # that is reckoned with


@compiled_serial
def find_uncertainty(
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
    too; what both volumes share is the part that gradients of the two have in common. ``gain`` is that of grey levels
    over the part that the inverse was made with.
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
            for k in range(score.shape[1]):
                pull += inverse[4 * axis, k] * (score[block, k] - middle[k])
            total += pull**2
        shared = max(gain * common[axis] / max(own[axis], 1e-30), LOWEST_CORRELATION)
        num = len(score)
        uncertainty[axis] = np.sqrt(total * num / (num - score.shape[1])) / shared
