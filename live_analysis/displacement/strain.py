"""How much an electrode stretches along the rotation axis, from the rise of its layers."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from live_analysis.displacement.layers import Layer


@dataclass(frozen=True)
class AxialStrain:
    """Stretch between two neighbouring layers, positive where they move apart, with one standard deviation."""

    bottom_um: float
    top_um: float
    strain: float
    uncertainty: float


def axial_strains(layers: tuple[Layer, ...]) -> tuple[AxialStrain, ...]:
    """Return the strain between each layer and the one above it, where both were measured."""
    strains = []
    for below, above in pairwise(layers):
        height_um = above.height_um - below.height_um
        strain = (above.mean_um[2] - below.mean_um[2]) / height_um
        if np.isfinite(strain):
            uncertainty = float(np.hypot(above.uncertainty_um[2], below.uncertainty_um[2])) / height_um
            strains.append(AxialStrain(below.height_um, above.height_um, float(strain), uncertainty))
    return tuple(strains)
