"""How much the fractions of classes depend on where the thresholds lie.

Two things are asked: what another sensible estimator would have chosen, and what a small shift does. The other
estimator is a mixture of normal distributions fitted to the histogram: where two of them cross the fewest voxels are
wrong (Kittler and Illingworth, Pattern Recognit. 19 (1986) 41), and their weights are fractions that no threshold made.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from live_analysis.segmentation.grey_histogram import GreyHistogram

SHIFT = 0.05  # of the distance between the mean grey values of the two classes that a threshold parts
COARSE_BINS = 1024
NUM_STEPS = 200


@dataclass(frozen=True)
class ThresholdSensitivity:
    """What stands behind thresholds; grey values in the unit of the volume, fractions 0 to 1, one entry per class.

    ``means`` and ``fractions`` belong to the thresholds, ``crossings`` are those of the mixture, ``mixture_fractions``
    its weights; ``per_shift`` is the largest change of each fraction when one of its thresholds moves by 5 % of the
    contrast there; ``uncertainties`` one standard deviation of each fraction, from both.
    """

    means: NDArray[np.float64]
    fractions: NDArray[np.float64]
    crossings: NDArray[np.float64]
    mixture_fractions: NDArray[np.float64]
    per_shift: NDArray[np.float64]
    uncertainties: NDArray[np.float64]


def threshold_sensitivity(histogram: GreyHistogram, thresholds: NDArray[np.float64]) -> ThresholdSensitivity:
    """Compare estimators and shift thresholds; see `ThresholdSensitivity`."""
    counts, centres = histogram.counts.astype(np.float64), histogram.centres
    fractions, means = _classes(counts, centres, thresholds)
    contrast = np.diff(means)
    per_shift = np.zeros(len(fractions))
    for index, step in enumerate(SHIFT * contrast):
        for sign in (-1, 1):
            moved = thresholds.copy()
            moved[index] += sign * step
            per_shift = np.maximum(per_shift, np.abs(_classes(counts, centres, moved)[0] - fractions))
    weights, crossings = _mixture(*_coarse(counts, centres), thresholds)
    crossed = _classes(counts, centres, crossings)[0]
    spread = np.std([fractions, crossed], axis=0, ddof=1)
    return ThresholdSensitivity(means, fractions, crossings, weights, per_shift, np.hypot(spread, per_shift))


def _classes(
    counts: NDArray[np.float64], centres: NDArray[np.float64], thresholds: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return fraction and mean grey value of each class."""
    firsts = [0, *np.searchsorted(centres, thresholds, side="right"), len(centres)]
    held = np.array([counts[first:stop].sum() for first, stop in pairwise(firsts)])
    sums = [(counts[first:stop] * centres[first:stop]).sum() for first, stop in pairwise(firsts)]
    return held / counts.sum(), np.divide(sums, held, out=np.full(len(held), np.nan), where=held > 0)


def _coarse(
    counts: NDArray[np.float64], centres: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return at most 1024 bins, from the lowest to the highest millionth; what is beyond goes to the ends."""
    summed = np.cumsum(counts) / counts.sum()
    first, last = np.searchsorted(summed, [1e-6, 1 - 1e-6])
    per_bin = max(1, -(-int(last - first + 1) // COARSE_BINS))
    index = np.clip((np.arange(len(counts)) - first) // per_bin, 0, (last - first) // per_bin)
    held = np.bincount(index, counts).astype(np.float64)
    means = np.bincount(index, counts * np.clip(centres, centres[first], centres[last]))
    return held[held > 0], (means[held > 0] / held[held > 0])


def _mixture(
    counts: NDArray[np.float64], centres: NDArray[np.float64], thresholds: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit a normal distribution to each class (expectation maximisation); return weights and where neighbours cross."""
    weights, means = _classes(counts, centres, thresholds)
    parts = np.searchsorted(thresholds, centres)
    narrowest = np.ptp(centres) / COARSE_BINS  # a class of one grey value has a width too
    spreads = np.array(
        [
            np.sqrt(np.average((centres - mean) ** 2, weights=counts * (parts == index))) if weights[index] else 0.0
            for index, mean in enumerate(means)
        ]
    )
    spreads = np.maximum(spreads, narrowest)
    for _ in range(NUM_STEPS):
        density = _densities(centres, weights, means, spreads)
        share = density / np.maximum(density.sum(axis=0), 1e-300) * counts
        held = share.sum(axis=1)
        if not (held > 0).all():
            break
        before, weights = weights, held / counts.sum()
        means = share @ centres / held
        spreads = np.maximum(np.sqrt((share * (centres - means[:, None]) ** 2).sum(axis=1) / held), narrowest)
        if np.abs(weights - before).max() < 1e-6:
            break
    order = np.argsort(means)
    weights, means, spreads = weights[order], means[order], spreads[order]
    crossings = []
    for low in range(len(means) - 1):
        between = np.linspace(means[low], means[low + 1], COARSE_BINS)
        lower, upper = _densities(between, *(values[low : low + 2] for values in (weights, means, spreads)))
        crossings.append(between[np.argmin(np.abs(np.log(np.maximum(lower, 1e-300) / np.maximum(upper, 1e-300))))])
    return weights, np.array(crossings)


def _densities(
    centres: NDArray[np.float64], weights: NDArray[np.float64], means: NDArray[np.float64], spreads: NDArray[np.float64]
) -> NDArray[np.float64]:
    away = (centres - means[:, None]) / spreads[:, None]
    return np.asarray((weights / spreads)[:, None] * np.exp(-(away**2) / 2))
