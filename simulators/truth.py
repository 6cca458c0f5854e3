"""What is really inside the simulated cell, to be compared with what the analysis finds."""

from typing import Any

import numpy as np

from operando.model.geometry import REGION_MARGIN_UM, Region
from operando.model.materials import attenuation_per_cm
from simulators.box_integration import volume_in_box
from simulators.cell_parameters import CellParameters
from simulators.cell_state import CellState
from simulators.cell_twin import CellTwin
from simulators.phantom import Phantom
from simulators.scene import Spheroids

_FIRST_LAYER_UM, _LAYER_UM = 35.0, 50.0  # centres of the layers in which displacement is measured, and their height
_MOMENTS_BETWEEN_COMMANDS = 100
_JUST_BEFORE_S = 1e-3


def truth(phantom: Phantom, state: CellState, region: Region) -> dict[str, Any]:
    """Return the true quantities of a state; lengths in um, volumes in um3, angles in deg, charge in mAh.

    Parameters
    ----------
    phantom, state
        The cell and its state.
    region
        Box fixed to the sample stage; particles are counted where they stand now, cut at the faces.

    Returns
    -------
    dict[str, Any]
        Inside the region: ``high_attenuation_volume`` (resolved metallic copper), ``high_attenuation_tilt`` (of the
        short axes of its lenses, mean weighted by volume; missing without copper), ``particle_volume`` (whole
        particles, copper included), ``dispersed_copper_volume``, ``cu2s_volume``, and in 1/cm ``particle_mode`` (of
        all in a particle but the resolved copper) and ``particle_mode_shift`` since the pristine state.
        Inside the square of ``cracks.region_width`` over the whole cathode: ``crack_volume``, ``crack_count``,
        ``crack_thickness`` (mean opening) and ``crack_tilt``, the last two weighted by volume and missing without
        cracks. ``displacement_separator_side``, ``displacement_collector_side``: rise of the middles of the uppermost
        and the lowest layer of cuboids, at 235 and 35 um in a cathode of 290 um; ``displacement_in_plane``;
        ``particle_displacement_separator_side``: mean rise of the particles in the uppermost 50 um of the region,
        whole with its margin, missing if there are none; ``displacement``, a list of pristine heights and how far each
        has risen.
        ``interface_height`` above the collector and ``interface_shift``. ``charge_mah``, ``lithium_loss_um``,
        ``interface_um``, ``crack_opening_um`` and ``stack_change_um`` of the state.
    """
    scene, mixture = phantom.scene(state), phantom.mixture(state)
    particle_um3 = volume_in_box(scene.particles, region)
    heights_um = np.append(np.arange(_FIRST_LAYER_UM, phantom.cathode_um, _LAYER_UM), phantom.cathode_um)
    return {
        "high_attenuation_volume": volume_in_box(scene.inclusions, region),
        **_tilt_truth(scene.inclusions, region),
        "particle_volume": particle_um3,
        "cu2s_volume": particle_um3 * mixture.cu2s_share / mixture.particle_growth,
        "dispersed_copper_volume": particle_um3 * mixture.dispersed_copper_share / mixture.particle_growth,
        "particle_mode": mixture.residue_per_cm,
        "particle_mode_shift": mixture.residue_per_cm - attenuation_per_cm("CuS", phantom.parameters.beam.energy.value),
        **_crack_truth(phantom, scene.cracks, state),
        **_displacement_truth(phantom, state, region),
        "displacement": [
            {"height_um": float(height_um), "rise_um": float(rise_um)}
            for height_um, rise_um in zip(heights_um, phantom.displacement_um(state, heights_um), strict=True)
        ],
        "interface_height": phantom.cathode_um + state.interface_um,
        "interface_shift": state.interface_um,
        "charge_mah": state.charge_mah,
        "lithium_loss_um": state.lithium_loss_um,
        "interface_um": state.interface_um,
        "crack_opening_um": state.crack_opening_um,
        "stack_change_um": state.stack_change_um,
    }


def _tilt_truth(inclusions: Spheroids, region: Region) -> dict[str, float]:
    centre_um = inclusions.centre_um
    inside = (
        (np.abs(centre_um[:, 0]) <= region.width_x_um / 2)
        & (np.abs(centre_um[:, 1]) <= region.width_y_um / 2)
        & (region.bottom_um <= centre_um[:, 2])
        & (centre_um[:, 2] <= region.top_um)
    )
    if not inside.any():
        return {}
    tilt_deg = np.degrees(np.arccos(np.minimum(np.abs(inclusions.axis[inside, 2]), 1.0)))
    return {"high_attenuation_tilt": float(np.average(tilt_deg, weights=inclusions.volume_um3[inside]))}


def _crack_truth(phantom: Phantom, cracks: Spheroids, state: CellState) -> dict[str, float]:
    width_um = phantom.parameters.cracks.region_width.value
    region = Region(width_um, width_um, 0.0, phantom.cathode_um + max(state.interface_um, 0.0))
    found = {"crack_volume": volume_in_box(cracks, region), "crack_count": float(cracks.polar_um.size)}
    if cracks.polar_um.size:
        opening_um = 4 / 3 * cracks.polar_um  # volume over area
        found["crack_thickness"] = float(np.average(opening_um, weights=cracks.volume_um3))
        tilt_deg = np.degrees(np.arccos(np.minimum(np.abs(cracks.axis[:, 2]), 1.0)))
        found["crack_tilt"] = float(np.average(tilt_deg, weights=cracks.volume_um3))
    return found


def _displacement_truth(phantom: Phantom, state: CellState, region: Region) -> dict[str, float]:
    layers_um = np.arange(_FIRST_LAYER_UM, phantom.cathode_um - _LAYER_UM, _LAYER_UM)
    if not layers_um.size:
        return {}
    rise_um = phantom.displacement_um(state, layers_um)
    centre_um, radius_um = phantom.pristine_particles.centre_um, phantom.pristine_particles.radius_um
    reach_um = np.abs(centre_um[:, :2]) + radius_um[:, None] - REGION_MARGIN_UM
    uppermost = (
        (reach_um[:, 0] <= region.width_x_um / 2)
        & (reach_um[:, 1] <= region.width_y_um / 2)
        & (centre_um[:, 2] > region.top_um - _LAYER_UM)
        & (centre_um[:, 2] <= region.top_um)
    )
    found = {
        "displacement_separator_side": float(rise_um[-1]),
        "displacement_collector_side": float(rise_um[0]),
        "displacement_in_plane": 0.0,
    }
    if uppermost.any():
        particles_um = phantom.displacement_um(state, centre_um[uppermost, 2])
        found["particle_displacement_separator_side"] = float(particles_um.mean())
    return found


def curve_truth(parameters: CellParameters) -> dict[str, float]:
    """Return where the curves of a first discharge bend, in mAh/g.

    Returns
    -------
    dict[str, float]
        ``pressure_slope_break``, where cracks begin to open; ``voltage_step``, the middle of the steepest piece of
        the voltage curve, its two first and three last pieces, which are steep for other reasons, left out;
        ``slope_break_offset``, the first less the second.
    """
    opening, voltage = parameters.cracks.opening, parameters.electrochemistry.discharge
    charge, volts = np.array(voltage.specific_charge.value), np.array(voltage.voltage.value)
    steep = np.abs(np.diff(volts) / np.diff(charge))
    middle = 2 + int(np.argmax(steep[2:-3]))
    onset = float(np.array(opening.specific_charge.value)[np.flatnonzero(np.array(opening.opening.value) > 0)[0] - 1])
    step = float((charge[middle] + charge[middle + 1]) / 2)
    return {"pressure_slope_break": onset, "voltage_step": step, "slope_break_offset": onset - step}


class CellTruth:
    """What is true of the whole cell, told at every command.

    Parameters
    ----------
    twin, begin_s
        The cell, and since when.
    slope_break_mah_per_g
        Where on a first discharge the pressure bends.
    """

    def __init__(self, twin: CellTwin, begin_s: float, slope_break_mah_per_g: float) -> None:
        self._twin = twin
        self._told_s = begin_s
        self._slope_break_mah_per_g = slope_break_mah_per_g
        self._at_break_mpa: float | None = None

    def at(self, time_s: float) -> dict[str, float]:
        """Return what is true at a command, and of the time since the one before.

        Returns
        -------
        dict[str, float]
            ``time_s``, ``charge_mah``, ``stack_pressure_mpa``; ``current_a`` from this command on;
            ``lowest_stack_pressure_mpa``, ``lowest_voltage_v`` and ``highest_voltage_v`` since the command before;
            from the moment on when the first discharge had passed the bend of the pressure,
            ``slope_break_stack_pressure_mpa``, the pressure there.
        """
        times_s = np.linspace(self._told_s, time_s, _MOMENTS_BETWEEN_COMMANDS).tolist()
        states = [self._twin.state(moment_s) for moment_s in times_s]
        pressures_mpa = [self._twin.stack_pressure_mpa(moment_s) for moment_s in times_s]
        if self._at_break_mpa is None:
            depths = [state.specific_charge_mah_per_g for state in states]
            if depths[0] <= self._slope_break_mah_per_g <= depths[-1] and depths[0] < depths[-1]:
                self._at_break_mpa = float(np.interp(self._slope_break_mah_per_g, depths, pressures_mpa))
        just_before_s = max(time_s - _JUST_BEFORE_S, self._told_s)
        volts = [self._twin.reading(moment_s).voltage_v for moment_s in (*times_s[:-1], just_before_s)]
        self._told_s = time_s
        return {
            "time_s": time_s,
            "charge_mah": states[-1].charge_mah,
            "stack_pressure_mpa": pressures_mpa[-1],
            "lowest_stack_pressure_mpa": min(pressures_mpa),
            "lowest_voltage_v": min(volts),
            "highest_voltage_v": max(volts),
            "current_a": self._twin.reading(time_s).current_a,
            **({} if self._at_break_mpa is None else {"slope_break_stack_pressure_mpa": self._at_break_mpa}),
        }
