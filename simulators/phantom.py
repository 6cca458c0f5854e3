"""The inside of the simulated cell: where its particles, copper inclusions, cracks and pores are at a state of charge."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from operando.model.geometry import Region
from operando.model.materials import attenuation_per_cm, material
from simulators.cell_parameters import CellParameters
from simulators.cell_state import CellState
from simulators.particle_composition import ParticleComposition, composition
from simulators.pristine_cathode import PristineCathode, pristine_cathode
from simulators.region_overlap import fractions_inside
from simulators.scene import Layer, Scene, Spheroids, Wall, joined

# Below this height the cracks' opening is 30 % of the whole and grows with the square of the height, above it the rest:
# so u = 7.2 um in the top layer of the published displacement field, below 1 um in the lowest, 14.2 um at the separator.
CRACKED_ZONE_UM = 55.0  # of 290 um; published, A-7 and A-8
OPENING_BELOW = 0.30
PISTON_UM = 5000.0  # long enough to fill any view
UPRIGHT = np.array([0.0, 0.0, 1.0])


class Phantom:
    """One realisation of a cell; the same seed gives the same particles."""

    def __init__(self, parameters: CellParameters, seed: int) -> None:
        self._parameters = parameters
        self._energy_kev = parameters.beam.energy.value
        self.pristine: PristineCathode = pristine_cathode(parameters, seed)
        self._volumes_um3 = 4 / 3 * np.pi * self.pristine.particles.radii_um**3
        dense = attenuation_per_cm("Li3PS4", self._energy_kev) * (1 - self._carbon_in_matrix)
        dense += attenuation_per_cm("carbon", self._energy_kev) * self._carbon_in_matrix
        # The packing counts all pores; those that are modelled as spheres must not be counted twice.
        self.matrix_per_cm = dense * (parameters.layers.cathode_packing.value + parameters.pores.volume_fraction.value)

    @property
    def cathode_thickness_um(self) -> float:
        """Height of the pristine cathode."""
        return self._parameters.layers.cathode_thickness.value

    @property
    def _carbon_in_matrix(self) -> float:
        layers = self._parameters.layers
        cus_mm3 = self._parameters.particles.active_mass.value / material("CuS").density_g_per_cm3
        area_mm2 = np.pi / 4 * layers.bore_diameter.value**2
        solid_mm3 = area_mm2 * layers.cathode_thickness.value * 1e-3 * layers.cathode_packing.value
        return float(layers.carbon_fraction.value / (1 - cus_mm3 / solid_mm3))

    def displacement_um(self, heights_um: NDArray[np.float64], state: CellState) -> NDArray[np.float64]:
        """Return how far material moved towards the lithium, from its height in the pristine cathode."""
        thickness_um = self._parameters.layers.cathode_thickness.value
        edge_um = max(thickness_um - CRACKED_ZONE_UM, thickness_um / 2)
        below = OPENING_BELOW * np.clip(heights_um / edge_um, 0, 1) ** 2
        above = (1 - OPENING_BELOW) * np.clip((heights_um - edge_um) / (thickness_um - edge_um), 0, 1)
        return np.asarray(
            state.expansion_um * np.clip(heights_um / thickness_um, 0, 1) + state.crack_opening_um * (below + above)
        )

    def scene(self, state: CellState) -> Scene:
        """Return everything that stands in the beam."""
        layers = self._parameters.layers
        content = composition(state)
        groups = [self.particles(state, content), self.inclusions(state, content), self.cracks(state), self.pores(state)]
        wall_um = layers.wall_outer_diameter.value * 500
        return Scene(
            layers.bore_offset_x.value,
            layers.bore_offset_y.value,
            tuple(self._layers(state)),
            Wall(layers.bore_diameter.value * 500, wall_um, attenuation_per_cm("PEEK", self._energy_kev)),
            joined(*groups),
        )

    def particles(self, state: CellState, content: ParticleComposition) -> Spheroids:
        """Return the particles, as grown, with their residue's attenuation less that of the matrix."""
        radii_um = self.pristine.particles.radii_um * content.total ** (1 / 3)
        difference = content.residue_attenuation_per_cm(self._energy_kev) - self.matrix_per_cm
        return _upright(self._moved(self.pristine.particles.centres_um, state), radii_um, radii_um, difference)

    def inclusions(self, state: CellState, content: ParticleComposition) -> Spheroids:
        """Return the lenses of copper, one in every particle; none while no copper has segregated."""
        if content.segregated_cu <= 0:
            return _upright(np.empty((0, 3)), np.empty(0), np.empty(0), 0.0)
        pristine_um = self.pristine.particles.radii_um
        aspect = self._parameters.particles.inclusion_aspect.value
        equatorial_um = pristine_um * (content.segregated_cu * aspect) ** (1 / 3)
        copper_per_cm = attenuation_per_cm("Cu", self._energy_kev)
        difference = copper_per_cm - content.residue_attenuation_per_cm(self._energy_kev)
        centres_um = self._moved(self.pristine.particles.centres_um, state)
        return Spheroids(
            centres_um + self.pristine.inclusion_offsets * pristine_um[:, None],
            equatorial_um,
            equatorial_um / aspect,
            self.pristine.inclusion_axes,
            np.full(len(equatorial_um), difference),
        )

    def cracks(self, state: CellState) -> Spheroids:
        """Return the cracks, as wide as they are open; none while they are shut."""
        discs = self.pristine.cracks
        opened = state.crack_opening_um / max(max(self._parameters.cracks.opening.opening.value), 1e-9)
        num = len(discs.radii_um) if opened > 0 else 0
        centres_um = self._moved(discs.centres_um[:num], state)
        return _upright(centres_um, discs.radii_um[:num], opened * discs.thicknesses_um[:num] / 2, -self.matrix_per_cm)

    def pores(self, state: CellState) -> Spheroids:
        """Return the resolved pores of the matrix; they move but keep their size."""
        pores = self.pristine.pores
        centres_um = self._moved(pores.centres_um, state)
        return _upright(centres_um, pores.radii_um, pores.radii_um, -self.matrix_per_cm)

    def volumes_inside_um3(self, state: CellState, region: Region) -> dict[str, float]:
        """Return the volumes of phases and voids inside a box, in um3."""
        content = composition(state)
        grown = self.particles(state, content)
        inside_um3 = float(np.sum(self._volumes_um3 * fractions_inside(grown, region)))
        inclusions, cracks, pores = self.inclusions(state, content), self.cracks(state), self.pores(state)
        # What is finely mixed is spread evenly over a particle; the lens of copper is clipped on its own.
        return {
            "segregated_cu": _clipped_um3(inclusions, region),
            "dispersed_cu": content.dispersed_cu * inside_um3,
            "cu2s": content.cu2s * inside_um3,
            "cus": content.cus * inside_um3,
            "li2s": content.li2s * inside_um3,
            "particles": content.total * inside_um3,
            "cracks": _clipped_um3(cracks, region),
            "pores": _clipped_um3(pores, region),
        }

    def _moved(self, centres_um: NDArray[np.float64], state: CellState) -> NDArray[np.float64]:
        return centres_um + self.displacement_um(centres_um[:, 2], state)[:, None] * UPRIGHT

    def _layers(self, state: CellState) -> Sequence[Layer]:
        layers, energy_kev = self._parameters.layers, self._energy_kev
        bore_um = layers.bore_diameter.value * 500
        steel = attenuation_per_cm("steel_316L", energy_kev)
        separator = attenuation_per_cm("Li3PS4", energy_kev, packing=layers.separator_packing.value)
        cathode_top_um = layers.cathode_thickness.value + state.interface_um
        lithium_bottom_um = cathode_top_um + layers.separator_thickness.value
        lithium_top_um = lithium_bottom_um + layers.lithium_thickness.value - state.lithium_loss_um
        lithium = attenuation_per_cm("Li", energy_kev)
        return (
            Layer("collector", -PISTON_UM, 0.0, bore_um, steel),
            Layer("cathode", 0.0, cathode_top_um, bore_um, self.matrix_per_cm),
            Layer("separator", cathode_top_um, lithium_bottom_um, bore_um, separator),
            Layer("lithium", lithium_bottom_um, lithium_top_um, layers.lithium_diameter.value * 500, lithium),
            Layer("piston", lithium_top_um, lithium_top_um + PISTON_UM, bore_um, steel),
        )


def _clipped_um3(spheroids: Spheroids, region: Region) -> float:
    return float(np.sum(spheroids.volumes_um3 * fractions_inside(spheroids, region)))


def _upright(
    centres_um: NDArray[np.float64],
    equatorial_um: NDArray[np.float64],
    polar_um: NDArray[np.float64],
    difference_per_cm: float,
) -> Spheroids:
    num = len(equatorial_um)
    return Spheroids(centres_um, equatorial_um, polar_um, np.tile(UPRIGHT, (num, 1)), np.full(num, difference_per_cm))
