"""What the reaction does to the stack: volumes of both electrodes, cracks, copper, and the pressure of the frame."""

import math

import numpy as np

from operando.model.materials import COULOMB_PER_MAH, FARADAY_C_PER_MOL, material
from simulators.cell_cycling import Cycling, Electrode
from simulators.cell_parameters import CellParameters
from simulators.cell_state import CellState
from simulators.pristine_cell import ANALYSIS_REGION

DAY_S = 86400.0


class CellMechanics:
    """Turns the electrode's state into lengths and pressure."""

    def __init__(self, parameters: CellParameters) -> None:
        self._parameters = parameters
        layers = parameters.layers
        self.bore_area_mm2 = math.pi / 4 * layers.bore_diameter.value**2
        self._lithium_area_mm2 = math.pi / 4 * layers.lithium_diameter.value**2
        cus = material("CuS")
        self._mass_g = parameters.particles.active_mass.value * 1e-3
        self._cus_thickness_um = self._mass_g / cus.density_g_per_cm3 * 1e3 / self.bore_area_mm2 * 1e3
        self._step_mah_per_g = parameters.electrochemistry.theoretical_capacity.value / 2
        self._cycling = Cycling(parameters)
        self._residual_fraction = (
            parameters.copper.residual_segregated_volume.value / self._copper_in_the_analysis_region_um3()
        )

    def state(self, time_s: float, charge_mah: float, electrode: Electrode) -> CellState:
        """Return the inside of the cell at one moment."""
        depth = electrode.depth_mah_per_g
        reacted = self._reacted_mah_per_g(electrode)
        first_step = min(reacted / self._step_mah_per_g, 1.0)
        second_step = max(reacted / self._step_mah_per_g - 1.0, 0.0)
        expansion_um = self._expansion_um(first_step, second_step)
        opening_um, segregated = self._opening_um(electrode), self._segregated(electrode)
        lithium_mm3 = -charge_mah * COULOMB_PER_MAH / FARADAY_C_PER_MOL * material("Li").molar_volume_cm3 * 1e3
        return CellState(
            time_s=time_s,
            charge_mah=charge_mah,
            specific_charge_mah_per_g=depth,
            side_charge_mah_per_g=depth - reacted,
            cu2s_fraction=first_step - second_step,
            cu_fraction=second_step,
            segregated_fraction=min(segregated, second_step),
            expansion_um=expansion_um,
            crack_opening_um=opening_um,
            interface_um=expansion_um + opening_um,
            lithium_loss_um=lithium_mm3 / self._lithium_area_mm2 * 1e3,
        )

    def stack_pressure_mpa(self, rested_s: float, state: CellState) -> float:
        """Return the stack pressure a time after the frame was closed."""
        pressure = self._parameters.pressure

        def relaxed(time_s: float) -> float:
            return 1 - math.exp(-math.sqrt(max(time_s, 0.0) / pressure.relaxation_time.value))

        relaxation_mpa = pressure.relaxation_in_24_h.value * relaxed(rested_s) / relaxed(DAY_S)
        return pressure.initial.value - relaxation_mpa + pressure.stiffness.value * state.stack_change_um

    def _copper_in_the_analysis_region_um3(self) -> float:
        """Volume of all copper atoms there if they were metal; the phantom fills the region with the same load."""
        region, layers = ANALYSIS_REGION, self._parameters.layers
        height_um = min(region.top_um, layers.cathode_thickness.value) - region.bottom_um
        cus_share = self._cus_thickness_um / layers.cathode_thickness.value
        cus_um3 = region.width_x_um * region.width_y_um * height_um * cus_share
        as_copper = material("Cu").molar_volume_cm3 / material("CuS").molar_volume_cm3
        return self._parameters.particles.regional_load.value * cus_um3 * as_copper

    def _expansion_um(self, first_step: float, second_step: float) -> float:
        cus, cu2s, cu, li2s = (material(name).molar_volume_cm3 for name in ("CuS", "Cu2S", "Cu", "Li2S"))
        first = (cu2s + li2s) / (2 * cus) - 1
        second = (2 * cu + li2s - cu2s) / (2 * cus)
        return self._cus_thickness_um * (first * first_step + second * second_step)

    def _reacted_mah_per_g(self, electrode: Electrode) -> float:
        """Charge that changed CuS; what went into the electrolyte while it was discharged deepest is lost for good."""
        theoretical, deepest = 2 * self._step_mah_per_g, electrode.deepest_mah_per_g
        share = self._parameters.electrochemistry.side_reaction_share.value
        lost = max(share * (deepest - self._step_mah_per_g), deepest - theoretical, 0.0)
        return min(max(electrode.depth_mah_per_g - lost, 0.0), theoretical)

    def _opening_um(self, electrode: Electrode) -> float:
        curve, deepest = self._parameters.cracks.opening, electrode.deepest_mah_per_g
        opened_um = float(np.interp(deepest, curve.specific_charge.value, curve.opening.value))
        closed = (1 - self._parameters.cracks.closing_ratio.value) * self._cycling.returned_part(electrode)
        return opened_um * self._cycling.crack_growth(electrode) * (1 - closed)

    def _segregated(self, electrode: Electrode) -> float:
        curve = self._parameters.copper
        grown = float(
            np.interp(electrode.deepest_mah_per_g, curve.specific_charge.value, curve.segregated_fraction.value)
        )
        left = min(self._residual_fraction, grown)
        return grown + (left - grown) * self._cycling.returned_part(electrode)
