"""Where cracks are: wide, flat places that are darker than noise and streaks explain."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from live_analysis.cracks.darkness import Darkness, darkness
from live_analysis.cracks.matrix_blocks import MatrixBlocks

SEED_SMOOTHING_UM = 40.0  # a third of the radius of a crack that is surely found; streaks average out under it
EDGE_SMOOTHING_UM = 20.0
# Simulated cells without cracks reach 12 spreads and 0.11 of the matrix, but never both in one place; cracks of
# 240 um x 2.6 um, seen with voxels of 3.5 um, 9 spreads and 0.13.
SEED_SPREADS, SEED_MISSING = 8.0, 0.10
EDGE_SPREADS, EDGE_MISSING = 3.0, 0.04
EDGE_REACH_UM = 84.0  # from a seed to the rim of its crack, as far as the wider smoothing hides it
MIN_RADIUS_UM = 60.0
MAX_HEIGHT_OVER_WIDTH = 0.5
ACROSS = ndimage.generate_binary_structure(3, 1) & (np.arange(3) == 1)[:, None, None]
STEEPEST = ndimage.generate_binary_structure(3, 2) | ACROSS


@dataclass(frozen=True)
class Candidates:
    """Blocks that belong to cracks, shape (z, y, x), and how dark they are under the lesser smoothing."""

    mask: NDArray[np.bool_]
    edges: Darkness


@dataclass(frozen=True)
class Smoothed:
    """The same matrix under both smoothings."""

    seeds: Darkness
    edges: Darkness


def smoothed_twice(blocks: MatrixBlocks) -> Smoothed:
    """Smooth for the places of cracks and for their edges."""
    return Smoothed(darkness(blocks, SEED_SMOOTHING_UM), darkness(blocks, EDGE_SMOOTHING_UM))


def find_cracks(smoothed: Smoothed, blocks: MatrixBlocks, *, strictness: float = 1.0) -> Candidates:
    """Grow seeds to their edges and keep what is wide and flat.

    Parameters
    ----------
    smoothed
        Of the blocks.
    blocks
        The matrix.
    strictness
        Factor to all thresholds, to see how much depends on them.
    """
    seeds, edges = smoothed.seeds, smoothed.edges
    sure = (seeds.in_spreads > strictness * SEED_SPREADS) & (seeds.missing > strictness * SEED_MISSING)
    likely = (edges.in_spreads > strictness * EDGE_SPREADS) & (edges.missing > strictness * EDGE_MISSING)
    labels, num = ndimage.label(likely | sure)
    keep = np.zeros(num + 1, bool)
    keep[labels[sure]] = True
    keep[1:] &= _flat(labels, np.where(edges.missing > 0, edges.missing, 0), num, blocks)
    near = ndimage.binary_dilation(sure, np.ones((3, 1, 1), bool))
    reach = ndimage.binary_dilation(near, STEEPEST, iterations=round(EDGE_REACH_UM / blocks.spacing_um[1]))
    keep[0] = False
    return Candidates(keep[labels] & reach, edges)


def _flat(labels: NDArray[np.int32], weight: NDArray[np.float64], num: int, blocks: MatrixBlocks) -> NDArray[np.bool_]:
    """Which components are at least as wide as the smallest crack both ways across, and flatter than wide."""
    label = labels[labels > 0]
    positions = [axis * spacing for axis, spacing in zip(np.nonzero(labels), blocks.spacing_um, strict=True)]
    mass = weight[labels > 0]
    total = np.maximum(np.bincount(label, mass, num + 1)[1:], 1e-30)
    away = [p - (np.bincount(label, mass * p, num + 1)[1:] / total)[label - 1] for p in positions]
    moments = np.array([[np.bincount(label, mass * a * b, num + 1)[1:] / total for a in away] for b in away])
    moments_um2 = np.moveaxis(moments, 2, 0) - np.diag([0.0, EDGE_SMOOTHING_UM**2, EDGE_SMOOTHING_UM**2])
    shortest, middle, _ = np.linalg.eigvalsh(moments_um2).T
    return np.asarray((middle >= MIN_RADIUS_UM**2 / 5) & (shortest <= MAX_HEIGHT_OVER_WIDTH**2 * middle))
