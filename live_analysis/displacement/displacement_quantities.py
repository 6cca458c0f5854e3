"""The few numbers that tell how an electrode moved."""

from collections.abc import Iterator

import numpy as np

from live_analysis.displacement.collector_rise import CollectorRise, collector_rise
from live_analysis.displacement.displacement_field import DisplacementField
from live_analysis.displacement.layers import Layer
from live_analysis.displacement.strain import axial_strains
from live_analysis.quantity import Quantity

MIN_VALID = 0.5  # of the nodes of a layer: with fewer, its mean rests on nodes that a crack crosses
CRACKS_CROSS = "cracks_cross"
UNDERSAMPLED_TEXTURE = "streaks_outweigh_texture"


def displacement_quantities(field: DisplacementField) -> Iterator[Quantity]:
    """Tell the rise next to the separator and next to the collector, and the motion across; not what was not found.

    Heights and the rise of every layer, and the strain between layers, are in the details.
    """
    rise = collector_rise(field.layers)
    ends = (("displacement_separator_side", -1), ("displacement_collector_side", 0))
    for name, index in ends:
        layer = field.layers[index]
        if np.isfinite(layer.mean_um[2]):
            yield Quantity(
                name,
                float(layer.mean_um[2] - rise.taken_off_um),
                "um",
                float(np.hypot(layer.uncertainty_um[2], rise.taken_off_uncertainty_um)),
                _flags(field, index, rise),
                {"height_um": layer.height_um, "num_nodes": layer.num_nodes} | (_profile(field, rise) if index else {}),
            )
    yield from _in_plane(field)


def _flags(field: DisplacementField, index: int, rise: CollectorRise) -> tuple[str, ...]:
    valid = field.valid.reshape(field.shape)[index].sum()
    few = valid < MIN_VALID * field.layers[index].num_nodes
    told = (CRACKS_CROSS, few), (UNDERSAMPLED_TEXTURE, field.streaky)
    return (*(flag for flag, applies in told if applies), *rise.flags)


def _profile(field: DisplacementField, rise: CollectorRise) -> dict[str, object]:
    known = [layer for layer in field.layers if np.isfinite(layer.mean_um[2])]
    return {
        "heights_um": [layer.height_um for layer in known],
        "rises_um": [float(layer.mean_um[2] - rise.taken_off_um) for layer in known],
        "uncertainties_um": [float(layer.uncertainty_um[2]) for layer in known],
        "strains": [strain.strain for strain in axial_strains(field.layers)],
        "rise_at_collector_um": None if np.isnan(rise.continued_um) else rise.continued_um,
        "part_valid": float(field.valid.mean()),
    }


def _in_plane(field: DisplacementField) -> Iterator[Quantity]:
    """Root mean square of how far nodes moved across, without their common shift and turn and what noise adds."""
    found = field.found
    if not found.any():
        return
    across, noise = field.displacement_um[found, :2], field.uncertainty_um[found, :2]
    common = np.median(across, axis=0)
    noise2 = float((noise**2).sum(1).mean())
    arm_um = field.node_um[found, :2] - field.node_um[found, :2].mean(0)
    sideways_um = np.stack([-arm_um[:, 1], arm_um[:, 0]], axis=1)  # per radian, counterclockwise seen from above
    turn = float((sideways_um * (across - common)).sum() / max((arm_um**2).sum(), 1e-9))
    length2 = float(((across - common - turn * sideways_um) ** 2).sum(1).mean()) - noise2
    # Nodes of a layer err together: a layer counts as one independent value.
    num = max(sum(_was_measured(layer) for layer in field.layers), 1)
    length_um = float(np.sqrt(max(length2, 0.0)))
    uncertainty_um = float(np.sqrt(noise2 / num)) if length_um**2 > noise2 else float(np.sqrt(noise2))
    yield Quantity(
        "displacement_in_plane",
        length_um,
        "um",
        uncertainty_um,
        (UNDERSAMPLED_TEXTURE,) if field.streaky else (),
        {"shift_x_um": float(common[0]), "shift_y_um": float(common[1]), "turn_deg": float(np.degrees(turn))},
    )


def _was_measured(layer: Layer) -> bool:
    return bool(np.isfinite(layer.mean_um).all())
