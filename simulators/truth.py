"""What is really inside the simulated cell, to be compared with what the analysis finds."""

from typing import Any

import numpy as np

from operando.model.geometry import Region
from simulators.box_integration import volume_in_box
from simulators.cell_parameters import CellParameters
from simulators.cell_state import CellState
from simulators.cell_twin import CellTwin
from simulators.phantom import Phantom

_FIRST_LAYER_UM, _LAYER_UM = 35.0, 50.0  # centres of the layers in which displacement is measured


def truth(phantom: Phantom, state: CellState, region: Region) -> dict[str, Any]:
    """Return the true volumes of a state; lengths in um, volumes in um3, charge in mAh.

    Parameters
    ----------
    phantom, state
        The cell and its state.
    region
        Box fixed to the sample stage; particles are counted where they stand now, cut at the faces.

    Returns
    -------
    dict[str, Any]
        ``high_attenuation_volume`` (resolved metallic copper), ``particle_volume`` (whole particles, copper
        included), ``dispersed_copper_volume`` and ``cu2s_volume`` inside the region; ``crack_volume`` inside the
        square of ``cracks.region_width`` over the whole cathode; ``charge_mah``, ``lithium_loss_um``, ``interface_um``,
        ``crack_opening_um`` and ``stack_change_um`` of the state; ``displacement``, a list of pristine heights and
        how far each has risen.
    """
    scene, mixture = phantom.scene(state), phantom.mixture(state)
    width_um = phantom.parameters.cracks.region_width.value
    crack_region = Region(width_um, width_um, 0.0, phantom.cathode_um + max(state.interface_um, 0.0))
    particle_um3 = volume_in_box(scene.particles, region)
    heights_um = np.append(np.arange(_FIRST_LAYER_UM, phantom.cathode_um, _LAYER_UM), phantom.cathode_um)
    return {
        "high_attenuation_volume": volume_in_box(scene.inclusions, region),
        "particle_volume": particle_um3,
        "cu2s_volume": particle_um3 * mixture.cu2s_share / mixture.particle_growth,
        "dispersed_copper_volume": particle_um3 * mixture.dispersed_copper_share / mixture.particle_growth,
        "crack_volume": volume_in_box(scene.cracks, crack_region),
        "charge_mah": state.charge_mah,
        "lithium_loss_um": state.lithium_loss_um,
        "interface_um": state.interface_um,
        "crack_opening_um": state.crack_opening_um,
        "stack_change_um": state.stack_change_um,
        "displacement": [
            {"height_um": float(height_um), "rise_um": float(rise_um)}
            for height_um, rise_um in zip(heights_um, phantom.displacement_um(state, heights_um), strict=True)
        ],
    }


def curve_truth(parameters: CellParameters) -> dict[str, Any]:
    """Return where the curves of a first discharge bend, in mAh/g.

    Returns
    -------
    dict[str, Any]
        ``pressure_slope_break``, where cracks begin to open, and ``voltage_step``, the middle of the steepest piece of
        the voltage curve, its two first and three last pieces, which are steep for other reasons, left out.
    """
    opening, voltage = parameters.cracks.opening, parameters.electrochemistry.discharge
    charge, volts = np.array(voltage.specific_charge.value), np.array(voltage.voltage.value)
    steep = np.abs(np.diff(volts) / np.diff(charge))
    middle = 2 + int(np.argmax(steep[2:-3]))
    onset = np.array(opening.specific_charge.value)[np.flatnonzero(np.array(opening.opening.value) > 0)[0] - 1]
    return {
        "pressure_slope_break": float(onset),
        "voltage_step": float((charge[middle] + charge[middle + 1]) / 2),
    }


def cell_truth(twin: CellTwin, time_s: float) -> dict[str, Any]:
    """Return what is true of the whole cell at a command: ``time_s``, ``charge_mah``, ``stack_pressure_mpa``."""
    return {
        "time_s": time_s,
        "charge_mah": twin.state(time_s).charge_mah,
        "stack_pressure_mpa": twin.stack_pressure_mpa(time_s),
    }
