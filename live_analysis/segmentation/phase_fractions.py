"""How much of a volume each phase takes, how that changes with depth, and how well the volume stands for the rest."""

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled

BOXES_ACROSS = (2, 3, 4)  # sub-boxes along each axis
BLOCKS = 12  # into which the finest counts are made: divisible by all of them


@dataclass(frozen=True)
class PhaseFractions:
    """``fractions``, shape (num_phases,), of what is inside; ``sampling`` one standard deviation of each; ``layers``.

    ``sampling`` says how far another volume of this size from the same material would be off. NaN for a volume too thin
    to be divided. ``layers`` has shape (num_layers, num_phases) along the asked axis, NaN where nothing is inside.
    """

    fractions: NDArray[np.float64]
    sampling: NDArray[np.float64]
    layers: NDArray[np.float64]
    num_inside: int


def phase_fractions(classes: NDArray[np.uint8], num_phases: int, *, axis: int = 0) -> PhaseFractions:
    """Count phases as a whole, in sub-boxes and in layers across ``axis``.

    The standard deviation comes from the scatter between 8, 27 and 64 sub-boxes (as far as the volume is large enough);
    the largest of the three is taken, since boxes smaller than the structure, or a gradient, hide scatter from one of
    them.

    Parameters
    ----------
    classes
        Phase of every voxel, shape (z, y, x); what is not below ``num_phases`` belongs to none.
    num_phases
        How many there are.
    axis
        Across which layers are counted: 0, 1 or 2 for z, y, x.
    """
    blocks = _block_counts(np.ascontiguousarray(classes), num_phases, BLOCKS)
    total = blocks.sum(axis=(0, 1, 2))
    layers = _layer_counts(np.moveaxis(classes, axis, 0), num_phases)
    inside = layers.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        fractions, by_layer = total / total.sum(), layers / np.where(inside, inside, np.nan)
    scatter = [
        _scatter(blocks, min(across, classes.shape[0]), min(across, classes.shape[1]), min(across, classes.shape[2]))
        for across in BOXES_ACROSS
    ]
    return PhaseFractions(fractions, np.max(scatter, axis=0), by_layer, int(total.sum()))


def _scatter(blocks: NDArray[np.int64], *across: int) -> NDArray[np.float64]:
    """Return the standard deviation of the mean of boxes, weighted by what of each is inside."""
    num_phases = blocks.shape[3]
    parts = blocks.reshape(across[0], BLOCKS // across[0], across[1], BLOCKS // across[1], across[2], -1, num_phases)
    counts = parts.sum(axis=(1, 3, 5)).reshape(-1, num_phases)
    weights = counts.sum(axis=1)
    counts, weights = counts[weights > 0], weights[weights > 0]
    if len(weights) < 2:
        return np.full(num_phases, np.nan)
    share = weights / weights.sum()
    away = counts / weights[:, None] - counts.sum(axis=0) / weights.sum()
    return np.asarray(np.sqrt((share[:, None] ** 2 * away**2).sum(axis=0) * len(weights) / (len(weights) - 1)))


@compiled
def _block_counts(classes: NDArray[np.uint8], num_phases: int, num_blocks: int) -> NDArray[np.int64]:
    """Count phases in blocks, shape (block z, block y, block x, phase); thin volumes leave blocks empty."""
    num_z, num_y, num_x = classes.shape
    counts = np.zeros((num_blocks, num_blocks, num_blocks, 256), np.int64)
    for block in prange(num_blocks):
        for z in range(-(-block * num_z // num_blocks), -(-(block + 1) * num_z // num_blocks)):
            for y in range(num_y):
                for part in range(num_blocks):
                    found = counts[block, y * num_blocks // num_y, part]
                    for x in range(-(-part * num_x // num_blocks), -(-(part + 1) * num_x // num_blocks)):
                        found[classes[z, y, x]] += 1
    return counts[:, :, :, :num_phases].copy()


@compiled
def _layer_counts(classes: NDArray[np.uint8], num_phases: int) -> NDArray[np.int64]:
    counts = np.zeros((len(classes), 256), np.int64)
    for layer in prange(len(classes)):
        for row in classes[layer]:
            for phase in row:
                counts[layer, phase] += 1
    return counts[:, :num_phases].copy()
