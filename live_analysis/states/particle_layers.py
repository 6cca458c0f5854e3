"""How far the particles of each layer of the cathode have risen: a check of digital volume correlation from outside."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from live_analysis.displacement.collector_rise import CollectorRise
from live_analysis.quantity import Quantity
from live_analysis.states.particle_tracking import TrackedParticles

LAYER_UM = 50.0  # as the cuboids of the correlation
FEW = 4
SHARED = 0.2  # of a particle's uncertainty: what all of them may have in common


def particle_displacement_quantities(
    tracked: TrackedParticles, bottom_um: float, top_um: float, view: CollectorRise, *, layer_um: float = LAYER_UM
) -> Iterator[Quantity]:
    """Give the mean rise, in um, of the particles in the layer next to the separator, and of all layers in its details.

    Particles do not fill a layer evenly: the value belongs to their mean height, which the details say. Where the rise
    bends, compare it with a displacement field at the particles' own places. Nothing is given if the uppermost layer
    holds none.

    Parameters
    ----------
    tracked
        How each particle has moved.
    bottom_um, top_um
        Heights of the analysis region; layers are counted from its top.
    view
        By how much the view moved between the two states; it is taken off every rise.
    layer_um
        Height of a layer.
    """
    layers = []
    for top in np.arange(top_um, bottom_um + layer_um / 2, -layer_um):
        heights_um = tracked.centre_um[:, 2]
        chosen = tracked.found & (heights_um <= top) & (heights_um > top - layer_um)
        if chosen.any():
            layers.append(_layer(tracked, chosen, float(top - layer_um / 2), view))
    if not layers or layers[0]["layer_um"] < top_um - layer_um:
        return
    uppermost = layers[0]
    yield Quantity(
        "particle_displacement_separator_side",
        float(uppermost["rise_um"]),
        "um",
        float(uppermost["uncertainty_um"]),
        (*(("few_particles",) if uppermost["num_particles"] < FEW else ()), *view.flags),
        {"layers": layers, "num_found": int(tracked.found.sum()), "num_lost": tracked.num_lost},
    )


def _layer(
    tracked: TrackedParticles, chosen: NDArray[np.bool_], middle_um: float, view: CollectorRise
) -> dict[str, float]:
    """Mean rise and its standard deviation: of each particle, and of what all share, the two grey centres' bias."""
    rise_um = tracked.displacement_um[chosen]
    own_um = float(np.median(tracked.uncertainty_um[chosen, 2]))
    across_um = np.median(rise_um[:, :2], axis=0)
    return {
        "layer_um": middle_um,
        "mean_height_um": float(tracked.centre_um[chosen, 2].mean()),
        "rise_um": float(rise_um[:, 2].mean()) - view.taken_off_um,
        "uncertainty_um": float(
            np.hypot(own_um * np.hypot(1 / np.sqrt(len(rise_um)), SHARED), view.taken_off_uncertainty_um)
        ),
        "num_particles": len(rise_um),
        "x_um": float(across_um[0]),
        "y_um": float(across_um[1]),
    }
