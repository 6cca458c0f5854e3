"""What is really inside the simulated cell: the answer that an analysis of its counts should find."""

import numpy as np

from operando.model.geometry import Region
from simulators.cell_twin import CellTwin
from simulators.phantom import Phantom

NUM_DEPTHS = 30


def truth(twin: CellTwin, phantom: Phantom, region: Region, time_s: float) -> dict[str, object]:
    """Return the state of a cell, and the volumes inside a box of the view, at one moment.

    Names carry their unit. Volumes are clipped to the region. ``depths_um`` are heights in the pristine cathode,
    ``displacements_um`` how far the material there moved towards the lithium. ``high_attenuation_um3`` is the copper
    in resolved inclusions; ``dispersed_cu_um3`` is metallic too, but finer than any voxel.
    """
    state, reading = twin.state(time_s), twin.reading(time_s)
    depths_um = np.linspace(0, phantom.cathode_thickness_um, NUM_DEPTHS)
    volumes = {f"{name}_um3": volume for name, volume in phantom.volumes_inside_um3(state, region).items()}
    return {
        "time_s": time_s,
        "voltage_v": reading.voltage_v,
        "current_a": reading.current_a,
        "charge_mah": reading.charge_mah,
        "specific_charge_mah_per_g": state.specific_charge_mah_per_g,
        "stack_pressure_mpa": twin.stack_pressure_mpa(time_s),
        "high_attenuation_um3": volumes["segregated_cu_um3"],
        **volumes,
        "interface_um": state.interface_um,
        "lithium_loss_um": state.lithium_loss_um,
        "stack_change_um": state.stack_change_um,
        "crack_opening_um": state.crack_opening_um,
        "depths_um": depths_um.tolist(),
        "displacements_um": phantom.displacement_um(depths_um, state).tolist(),
    }
