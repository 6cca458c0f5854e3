"""Two volumes of bright dots, the second moved by a known field."""

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled

Floats = NDArray[np.float64]
Voxels = NDArray[np.float32]

DOTS_PER_VOXEL, DOT_SIGMA_VOXELS, NOISE_PART, SEED = 0.006, 1.8, 0.02, 3
FARTHEST_SIGMAS = 4.0


@dataclass(frozen=True)
class SpecklePair:
    """Volumes (z, y, x); ``first`` are the lowest indices of cuboids, shape (n, 3), in layers, rows and columns.

    ``rise`` is the mean shift along z over the voxels of each, in voxels; ``rise_about_voxel`` over cuboids that are a
    voxel wider and have a voxel in their middle.
    """

    reference: Voxels
    moved: Voxels
    first: NDArray[np.int64]
    rise: Floats
    rise_about_voxel: Floats


def speckle_pair(num_voxels: int, cuboid_voxels: int, num_layers: int, num_across: int) -> SpecklePair:
    """Draw dots, move them along z, and lay cuboids between the faces of the volume."""
    generator = np.random.default_rng(SEED)
    count = int(num_voxels**3 * DOTS_PER_VOXEL)
    places = generator.uniform(-8, num_voxels + 8, (count, 3))
    heights = generator.uniform(0.3, 1, count)
    reference = _speckle(num_voxels, places, heights)
    moved_places = places.copy()
    moved_places[:, 0] += rise_voxels(places, num_voxels)
    moved = _speckle(num_voxels, moved_places, heights)
    for volume in (reference, moved):
        volume += generator.normal(0, NOISE_PART * volume.std(), volume.shape).astype(np.float32)
    half = cuboid_voxels // 2
    layers = np.linspace(half + 8, num_voxels - half - 20, num_layers).astype(int)
    across = np.linspace(half + 8, num_voxels - half - 8, num_across).astype(int)
    nodes = np.stack(np.meshgrid(layers, across, across, indexing="ij"), -1).reshape(-1, 3)
    return SpecklePair(
        reference,
        moved,
        nodes - half,
        _mean_rise(nodes, np.arange(-half, half), num_voxels),
        _mean_rise(nodes, np.arange(-half, half + 1), num_voxels),
    )


def rise_voxels(places: Floats, num_voxels: int) -> Floats:
    """Return the shift along z, 0.2 to 7.5 voxels for 256: strain along z, and a little along x."""
    z, x = places[..., 0], places[..., 2]
    return np.asarray(
        4 + 3.5 * np.sin(np.pi * (z - num_voxels / 2) / num_voxels) + 0.5 * np.cos(2 * np.pi * x / num_voxels)
    )


def _mean_rise(nodes: NDArray[np.int64], window: NDArray[np.int64], num_voxels: int) -> Floats:
    local = np.stack(np.meshgrid(window, [0], window, indexing="ij"), -1)
    return np.array([rise_voxels(node + local.astype(np.float64), num_voxels).mean() for node in nodes])


def _speckle(num_voxels: int, places: Floats, heights: Floats) -> Voxels:
    layers = np.clip(places[:, 0].astype(int), 0, num_voxels - 1)
    order = np.argsort(layers, kind="stable")
    begins = np.searchsorted(layers[order], np.arange(num_voxels + 1))
    volume = np.zeros((num_voxels, num_voxels, num_voxels), np.float32)
    _add_dots(volume, places[order].astype(np.float32), heights[order].astype(np.float32), begins)
    return volume


@compiled
def _add_dots(volume: Voxels, places: Voxels, heights: Voxels, begins: NDArray[np.int64]) -> None:
    """Add Gaussian dots, ordered by their layer, of which the first in each is at ``begins``."""
    num = volume.shape[0]
    reach = int(FARTHEST_SIGMAS * DOT_SIGMA_VOXELS + 1)
    sharpness = np.float32(1 / (2 * DOT_SIGMA_VOXELS**2))
    for z in prange(num):
        for dot in range(begins[max(0, z - reach)], begins[min(num, z + reach + 1)]):
            at_z, at_y, at_x = places[dot, 0], places[dot, 1], places[dot, 2]
            along_z = heights[dot] * np.exp(-sharpness * (z - at_z) ** 2)
            for y in range(max(0, int(at_y) - reach), min(num, int(at_y) + reach + 1)):
                along_y = along_z * np.exp(-sharpness * (y - at_y) ** 2)
                for x in range(max(0, int(at_x) - reach), min(num, int(at_x) + reach + 1)):
                    volume[z, y, x] += along_y * np.exp(-sharpness * (x - at_x) ** 2)
