"""Attenuation of what lies between the particles, as it is in the volume, without the particles themselves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.particle_mask import grown
from live_analysis.smoothing import smoothed

SMOOTHING_SIGMA_VOXELS = 1.5  # leaves a tenth of the noise of a voxel, so that particles of 5 /cm stand out
REACH_IN_SPREADS = 3.0
NUM_ROUNDS = 8
RIM_VOXELS = 2  # around what stands out: its blur and that of the smoothing
VOXELS_PER_INDEPENDENT_VALUE = 8


@dataclass(frozen=True)
class MatrixAttenuation:
    """Mean of the matrix and its standard deviation; ``fraction`` is the part of the volume it was taken from."""

    per_cm: float
    uncertainty_per_cm: float
    fraction: float


def matrix_attenuation(values_per_cm: NDArray[np.float32]) -> MatrixAttenuation:
    """Average the voxels whose smoothed value is the most common one; resolved pores and cracks are left out too.

    Parameters
    ----------
    values_per_cm
        Attenuation, shape (z, y, x), in 1/cm, NaN outside the view; the matrix must fill most of it.
    """
    middle = float(np.nanmedian(values_per_cm))
    filled = np.where(np.isfinite(values_per_cm), values_per_cm, np.float32(middle))
    blurred = smoothed(filled, SMOOTHING_SIGMA_VOXELS)
    kept = np.isfinite(values_per_cm)
    among = blurred[kept]
    for _ in range(NUM_ROUNDS):
        centre = float(np.median(among))
        limit = REACH_IN_SPREADS * 1.4826 * float(np.median(np.abs(among - centre)))
        near = np.abs(among - centre) <= limit
        if near.all():
            break
        among = among[near]
        kept &= np.abs(blurred - centre) <= limit
    plain = kept & ~grown(~kept, RIM_VOXELS)
    chosen = plain if plain.any() else kept
    values = filled[chosen].astype(np.float64)
    uncertainty = float(values.std()) / np.sqrt(max(values.size / VOXELS_PER_INDEPENDENT_VALUE, 1.0))
    return MatrixAttenuation(float(values.mean()), uncertainty, float(chosen.mean()))
