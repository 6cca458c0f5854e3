"""Sums over a cuboid and its deformed image, from which the steps of its fit are made.

What is summed with gradients is kept by blocks, ``BLOCKS`` along each edge: these tell the uncertainty.
"""

import numpy as np
from numpy.typing import NDArray

from live_analysis.displacement.cubic import cubic_value
from live_analysis.reconstruction.compiled import compiled_serial

Floats = NDArray[np.float64]
Voxels = NDArray[np.float32]

BLOCKS = 4  # along each edge: a block is wider than noise is correlated


@compiled_serial
def reference_sums(
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
def moved_sums(
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
