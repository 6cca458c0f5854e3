"""The inside of the simulated cell in any state: what was drawn once, moved, grown and opened."""

import numpy as np
from numpy.typing import NDArray

from operando.model.materials import attenuation_per_cm
from simulators.cell_parameters import CellParameters
from simulators.cell_state import CellState
from simulators.particle_mixture import ParticleMixture, particle_mixture
from simulators.pristine_cell import (
    TOP_LAYER_PART_OF_OPENING,
    TOP_LAYER_UM,
    PhantomError,
    Spheres,
    draw_pristine_cell,
)
from simulators.scene import Cylinders, Scene, Spheroids, no_spheroids, spheres, upright

Floats = NDArray[np.float64]

_ENDLESS_UM = 1e9
_SHUT_UM = 1e-3  # a total crack opening below this is none: 34 cracks would share less than the size of an atom


class Phantom:
    """One cell, drawn once from its parameters and a seed.

    Parameters
    ----------
    parameters
        The cell file.
    seed
        Same seed and parameters, same cell.

    Raises
    ------
    PhantomError
        If there is too much in the cathode to find a place for everything.
    """

    def __init__(self, parameters: CellParameters, seed: int) -> None:
        self.parameters = parameters
        layers = parameters.layers
        self.cathode_um = layers.cathode_thickness.value
        self.bore_radius_um = layers.bore_diameter.value * 500
        self.bore_centre_um = np.array([layers.bore_offset_x.value, layers.bore_offset_y.value])
        self._pristine = draw_pristine_cell(parameters, seed)
        self._find_attenuations()

    @property
    def pristine_particles(self) -> Spheres:
        """Centres, as x, y and height, and radii of the particles in the pristine cell."""
        return self._pristine.particles

    def displacement_um(self, state: CellState, z_um: Floats) -> Floats:
        """Return how far the cathode at pristine height ``z_um`` has risen; 0 at the collector.

        The expansion grows with the height. Cracks grow denser towards the separator: below the top layer their share
        grows with the square of the height, in the top layer linearly.
        """
        bend_um = self.cathode_um - TOP_LAYER_UM
        below = (1 - TOP_LAYER_PART_OF_OPENING) * np.clip(z_um / bend_um, 0, 1) ** 2
        above = TOP_LAYER_PART_OF_OPENING * np.clip((z_um - bend_um) / TOP_LAYER_UM, 0, 1)
        opening = state.crack_opening_um * (below + above)
        return np.asarray(state.expansion_um * np.clip(z_um / self.cathode_um, 0, 1) + opening)

    def mixture(self, state: CellState) -> ParticleMixture:
        """Return what every particle consists of."""
        return particle_mixture(state, self.parameters.beam.energy.value)

    def scene(self, state: CellState) -> Scene:
        """Return all shapes of a state, in the coordinates of the sample."""
        mixture = self.mixture(state)
        growth = float(np.cbrt(mixture.particle_growth))
        centre_um = self._moved(self._pristine.particles.centre_um, state)
        particles = spheres(
            centre_um, self._pristine.particles.radius_um * growth, mixture.residue_per_cm - self.matrix_per_cm
        )
        return Scene(
            cylinders=self._cylinders(state),
            particles=particles,
            inclusions=self._inclusions(centre_um, mixture),
            cracks=self._open_cracks(state),
            pores=spheres(
                self._moved(self._pristine.pores.centre_um, state), self._pristine.pores.radius_um, -self.matrix_per_cm
            ),
        )

    def _moved(self, centre_um: Floats, state: CellState) -> Floats:
        moved = centre_um.copy()
        moved[:, 2] += self.displacement_um(state, centre_um[:, 2])
        return moved

    def _inclusions(self, centre_um: Floats, mixture: ParticleMixture) -> Spheroids:
        if mixture.inclusion_share <= 0:
            return no_spheroids()
        aspect = self.parameters.particles.inclusion_aspect.value
        radius_um = self._pristine.particles.radius_um * float(np.cbrt(mixture.inclusion_share))
        difference = attenuation_per_cm("Cu", self.parameters.beam.energy.value) - mixture.residue_per_cm
        return Spheroids(
            centre_um,
            radius_um * aspect ** (1 / 3),
            radius_um * aspect ** (-2 / 3),
            self._pristine.inclusion_axis,
            np.full(radius_um.size, difference),
        )

    def _open_cracks(self, state: CellState) -> Spheroids:
        if state.crack_opening_um < _SHUT_UM or not self._pristine.cracks.radius_um.size:
            return no_spheroids()
        volume_um3 = state.crack_opening_um * self.parameters.cracks.region_width.value**2 * self._pristine.crack_share
        radius_um = self._pristine.cracks.radius_um
        return Spheroids(
            self._moved(self._pristine.cracks.centre_um, state),
            radius_um,
            volume_um3 / (4 / 3 * np.pi * radius_um**2),
            upright(radius_um.size),
            np.full(radius_um.size, -self.matrix_per_cm),
        )

    def _cylinders(self, state: CellState) -> Cylinders:
        layers = self.parameters.layers
        bore, axis = self.bore_centre_um, np.zeros(2)
        cathode_top = self.cathode_um + state.interface_um
        separator_top = cathode_top + layers.separator_thickness.value
        lithium_top = self.cathode_um + layers.separator_thickness.value + layers.lithium_thickness.value
        lithium_top = max(lithium_top + state.stack_change_um, separator_top)
        wall_um = layers.wall_outer_diameter.value * 500
        lithium_um = layers.lithium_diameter.value * 500
        texture_um = self.parameters.pores.max_radius.value
        rows = [
            (bore, wall_um, -_ENDLESS_UM, _ENDLESS_UM, self._wall_per_cm),
            (bore, self.bore_radius_um, -_ENDLESS_UM, _ENDLESS_UM, -self._wall_per_cm),
            (bore, self.bore_radius_um, -_ENDLESS_UM, 0.0, self._piston_per_cm),
            (bore, self.bore_radius_um, 0.0, cathode_top, self.outer_matrix_per_cm),
            (axis, texture_um, 0.0, cathode_top, self.matrix_per_cm - self.outer_matrix_per_cm),
            (bore, self.bore_radius_um, cathode_top, separator_top, self._separator_per_cm),
            (bore, lithium_um, separator_top, lithium_top, self._lithium_per_cm),
            (bore, self.bore_radius_um, lithium_top, _ENDLESS_UM, self._piston_per_cm),
        ]
        return Cylinders(
            np.array([row[0] for row in rows]), *(np.array([float(row[k]) for row in rows]) for k in range(1, 5))
        )

    def _find_attenuations(self) -> None:
        layers = self.parameters.layers
        energy_kev = self.parameters.beam.energy.value
        electrolyte = attenuation_per_cm("Li3PS4", energy_kev)
        carbon = attenuation_per_cm("carbon", energy_kev)
        cus_share = self._pristine.cus_share
        packing, carbon_share = layers.cathode_packing.value, layers.carbon_fraction.value
        electrolyte_share = packing * (1 - carbon_share) - cus_share
        if electrolyte_share <= 0:
            raise PhantomError(
                f"the cathode has no room for electrolyte: CuS fills {cus_share:.3f} of it and carbon "
                f"{packing * carbon_share:.3f} at a packing of {packing}. Lower particles.active_mass."
            )
        # Mean between the particles; the resolved pores are drawn, the rest of the porosity is spread.
        mean = (electrolyte_share * electrolyte + packing * carbon_share * carbon) / (1 - cus_share)
        self.outer_matrix_per_cm = mean
        self.matrix_per_cm = mean / (1 - self.parameters.pores.volume_fraction.value)
        self._separator_per_cm = attenuation_per_cm("Li3PS4", energy_kev, packing=layers.separator_packing.value)
        self._lithium_per_cm = attenuation_per_cm("Li", energy_kev)
        self._wall_per_cm = attenuation_per_cm(layers.wall_material.value, energy_kev)
        self._piston_per_cm = attenuation_per_cm(layers.piston_material.value, energy_kev)
