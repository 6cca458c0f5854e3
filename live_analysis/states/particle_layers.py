"""How far the particles of each layer of the cathode have risen: a check of digital volume correlation from outside."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from live_analysis.quantity import Quantity
from live_analysis.states.particle_tracking import TrackedParticles

Floats = NDArray[np.float64]

LAYER_UM = 50.0  # as the cuboids of the correlation
FEWEST_FOR_SLOPE = 4


def particle_displacement_quantities(
    tracked: TrackedParticles, bottom_um: float, top_um: float, *, layer_um: float = LAYER_UM
) -> Iterator[Quantity]:
    """Give the mean rise of the layer next to the separator in um, and that of all layers in its details.

    A layer's mean is that of a straight line through its particles, so that it does not depend on where they happen to
    lie in it. Nothing is given if the uppermost layer holds none.

    Parameters
    ----------
    tracked
        How each particle has moved.
    bottom_um, top_um
        Heights of the analysis region; layers are counted from its top.
    layer_um
        Height of a layer.
    """
    layers = []
    for top in np.arange(top_um, bottom_um + layer_um / 2, -layer_um):
        heights = tracked.centre_um[:, 2]
        chosen = tracked.found & (heights <= top) & (heights > top - layer_um)
        if chosen.any():
            mean_um, uncertainty_um = _layer_mean(tracked, chosen, float(top - layer_um / 2), layer_um)
            across = [float(np.median(tracked.displacement_um[chosen, axis])) for axis in (0, 1)]
            layers.append((float(top - layer_um / 2), mean_um, uncertainty_um, int(chosen.sum()), *across))
    if not layers or layers[0][0] < top_um - layer_um:
        return
    names = ("height_um", "rise_um", "uncertainty_um", "num_particles", "x_um", "y_um")
    yield Quantity(
        "particle_displacement_separator_side",
        layers[0][1],
        "um",
        layers[0][2],
        ("few_particles",) if layers[0][3] < FEWEST_FOR_SLOPE else (),
        {
            "layers": [dict(zip(names, layer, strict=True)) for layer in layers],
            "num_found": int(tracked.found.sum()),
            "num_lost": tracked.num_lost,
        },
    )


def _layer_mean(
    tracked: TrackedParticles, chosen: NDArray[np.bool_], middle_um: float, layer_um: float
) -> tuple[float, float]:
    """Rise at the middle of the layer and its standard deviation, from the scatter about a line."""
    away = tracked.centre_um[chosen, 2] - middle_um
    rise, own = tracked.displacement_um[chosen, 2], float(np.median(tracked.uncertainty_um[chosen, 2]))
    if len(rise) < FEWEST_FOR_SLOPE:
        # One or two particles do not tell the layer's slope: that of a rise which vanishes at the bottom.
        slope = abs(float(rise.mean())) / max(middle_um, layer_um)
        return float(rise.mean()), float(np.hypot(own, 2 * slope * (abs(away.mean()) + layer_um / 4)))
    design = np.column_stack([np.ones_like(away), away])
    fit = np.linalg.lstsq(design, rise, rcond=None)[0]
    scatter = max(float(np.sqrt(((rise - design @ fit) ** 2).sum() / (len(rise) - 2))), own)
    return float(fit[0]), float(scatter * np.sqrt(np.linalg.inv(design.T @ design)[0, 0]))
