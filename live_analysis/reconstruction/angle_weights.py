"""How much of the half turn every projection stands for."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

GAP_IN_MEAN_STEPS = 2.5
MANY_STEPS, MUCH = 16, 0.2  # so many wide steps that take so much of the half turn are no gaps but the rule
OPEN_IN_STEPS = 1.5  # of the expected step: in a wider gap projections may still come
SAME_DEG = 1e-3  # 0.04 columns at the rim of 4096: who is measured again there stands for the same part of the turn


class ProjectionError(ValueError):
    """Projections and angles that cannot be reconstructed."""


@dataclass(frozen=True)
class AngleWeights:
    """How much of the half turn every projection stands for.

    ``weights_rad`` sums to pi; ``coverage`` is the fraction of the half turn without gaps: steps wider than
    twice the median step and two and a half times their mean, unless so many are that wide that it is the rule;
    ``largest_gap_deg`` is the widest step modulo 180 degrees.
    """

    weights_rad: NDArray[np.float64]
    coverage: float
    largest_gap_deg: float


def angle_weights(angles_deg: NDArray[np.float64]) -> AngleWeights:
    """Give every angle its Voronoi width modulo 180 degrees; angles that are measured again share theirs evenly.

    Grey values then survive gaps, lost frames, duplicates and any order of angles. Where angles are missing
    the neighbours stand for them: mean grey values stay, edges along the missing direction do not.

    Raises
    ------
    ProjectionError
        If there are fewer than two different angles.
    """
    folded = np.mod(np.asarray(angles_deg, np.float64), 180.0)
    order = np.argsort(folded, kind="stable")
    steps = np.diff(folded[order], append=folded[order[0]] + 180.0) if folded.size else np.zeros(0)
    real_steps = steps[steps > 1e-9]
    if real_steps.size < 2:
        raise ProjectionError(
            f"{folded.size} projections at {real_steps.size} different angle(s) modulo 180 degrees cannot be "
            "reconstructed; at least two are needed, and about pi/2 times the number of columns for a sharp slice."
        )
    weights = np.empty_like(folded)
    weights[order] = np.radians(shared((steps + np.roll(steps, 1)) / 2, steps > SAME_DEG))
    usual, gaps = _usual_step_and_gaps(real_steps)
    return AngleWeights(weights, 1.0 - float((gaps - usual).sum()) / 180.0, float(real_steps.max()))


def _usual_step_and_gaps(steps_deg: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    usual = float(np.median(steps_deg))
    # Uneven angles have many small steps: a step is a gap only if it is also wide compared with their mean.
    wide = steps_deg[steps_deg > max(2 * usual, GAP_IN_MEAN_STEPS * float(steps_deg.mean()))]
    if len(wide) >= MANY_STEPS and wide.sum() > MUCH * 180.0:
        # Angles lie in bunches, as those measured in several turns do: the step is that from bunch to bunch.
        usual = float(np.median(wide))
        wide = wide[wide > GAP_IN_MEAN_STEPS * usual]
    return usual, wide


def weights_so_far(angles_rad: NDArray[np.float64], step_rad: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Weigh the angles of a scan that goes on: a wide gap is taken for a place where projections will come.

    Parameters
    ----------
    step_rad
        Expected distance of neighbouring angles.

    Returns
    -------
    weights_rad, settled
        Weight of each angle, and whether both its neighbours are there. Only other weights may still change, if the
        expected step was right.
    """
    folded = np.mod(angles_rad, np.pi)
    order = np.argsort(folded, kind="stable")
    steps = np.diff(folded[order], append=folded[order[:1]] + np.pi)
    is_open, apart = steps > OPEN_IN_STEPS * step_rad, steps > np.radians(SAME_DEG)
    steps = np.where(is_open, step_rad, steps)
    weights, settled = np.empty(len(folded)), np.empty(len(folded), bool)
    weights[order] = shared((steps + np.roll(steps, 1)) / 2, apart)
    settled[order] = shared(1.0 * (is_open | np.roll(is_open, 1)), apart) == 0
    return weights, settled


def shared(weights: NDArray[np.floating[Any]], apart: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share the weights of angles that are the same evenly among them: all have photons to give.

    Parameters
    ----------
    weights
        In order of the angles, which close to a circle.
    apart
        Whether each angle differs from the next one.
    """
    if apart.all() or not apart.any():
        return np.asarray(weights, np.float64)
    group: NDArray[np.int64] = np.cumsum(apart) - apart
    if not apart[-1]:
        group[group == group[-1]] = 0  # the last are the same as the first
    sums, nums = np.bincount(group, weights), np.bincount(group)
    return np.asarray(sums[group] / nums[group])
