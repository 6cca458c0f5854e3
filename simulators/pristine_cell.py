"""The pristine inside of the simulated cell: where its particles, cracks and pores lie."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operando.model.geometry import Region
from operando.model.materials import material
from simulators.box_integration import volume_in_box
from simulators.cell_parameters import CellParameters
from simulators.packing import place_discs, place_spheres
from simulators.scene import spheres

Floats = NDArray[np.float64]

ANALYSIS_REGION = Region(width_x_um=400.0, width_y_um=400.0, bottom_um=20.0, top_um=270.0)
TOP_LAYER_UM = 55.0  # the part of the cathode under the separator that holds most of the crack opening
TOP_LAYER_PART_OF_OPENING = 0.7
_CRACK_HEIGHTS_ABOVE_COLLECTOR_UM = 30.0
_CRACK_ROOM_UM = 5.0  # kept free above and below a crack's plane: its half thickness when wide open
_CRACK_SPACING_UM = 7.0
_CRACK_MARGIN_UM = 4.0
_TOP_CRACK_ZONE_UM = 36.0  # leaves room for particles below the uppermost cracks
_PARTICLE_ROOM = 1.30  # free radius over radius: 1.20 when all is reacted, 1.08 to meet the region's load
_LOAD_SCALES = (0.93, 1.08)
_NUM_LAYOUTS = 40
_OFFERED_PLACES = 60  # for each sphere
_CORE_RADIUS_UM = 320.0  # just around the analysis region


class PhantomError(ValueError):
    """A cell file whose particles, cracks or pores find no room."""


@dataclass(frozen=True)
class Spheres:
    """Spheres, or discs, of the pristine cell."""

    centre_um: Floats
    radius_um: Floats


@dataclass(frozen=True)
class PristineCell:
    """All that was drawn by chance; positions in um.

    ``crack_share`` is the part of the total crack opening that each crack takes, ``inclusion_axis`` the axis of the
    copper lens in each particle, ``cus_share`` the part of the cathode that CuS fills.
    """

    particles: Spheres
    inclusion_axis: Floats
    cracks: Spheres
    crack_share: Floats
    pores: Spheres
    cus_share: float


def draw_pristine_cell(parameters: CellParameters, seed: int) -> PristineCell:
    """Draw one cell; the same for the same parameters and seed.

    Raises
    ------
    PhantomError
        If there is too much in the cathode to find a place for everything.
    """
    return _Draw(parameters, seed).cell()


class _Draw:
    def __init__(self, parameters: CellParameters, seed: int) -> None:
        self._parameters = parameters
        self._seed = seed
        layers, particles = parameters.layers, parameters.particles
        self.cathode_um = layers.cathode_thickness.value
        self.bore_radius_um = layers.bore_diameter.value * 500
        self.bore_centre_um = np.array([layers.bore_offset_x.value, layers.bore_offset_y.value])
        self.cus_volume_um3 = particles.active_mass.value / material("CuS").density_g_per_cm3 * 1e9
        self._cus_share = self.cus_volume_um3 / (np.pi * self.bore_radius_um**2 * self.cathode_um)

    def cell(self) -> PristineCell:
        generator = np.random.default_rng((self._seed, 0))
        self._cracks, crack_share = self._draw_cracks(generator)
        self._particles = self._draw_particles(self._seed)
        count = self._particles.radius_um.size
        tilt = np.radians(generator.uniform(0, self._parameters.particles.max_inclusion_tilt.value, count))
        azimuth = generator.uniform(0, 2 * np.pi, count)
        axis = np.stack([np.sin(tilt) * np.cos(azimuth), np.sin(tilt) * np.sin(azimuth), np.cos(tilt)], axis=1)
        pores = self._draw_pores(generator)
        return PristineCell(self._particles, axis, self._cracks, crack_share, pores, self._cus_share)

    def _draw_cracks(self, generator: np.random.Generator) -> tuple[Spheres, Floats]:
        cracks = self._parameters.cracks
        radius_um = generator.uniform(
            cracks.min_radius.value, cracks.max_radius.value, round(cracks.num_in_region.value)
        )
        high = np.arange(radius_um.size) < round(TOP_LAYER_PART_OF_OPENING * radius_um.size)
        top_um = self.cathode_um - _CRACK_MARGIN_UM
        bottom = np.where(high, top_um - _TOP_CRACK_ZONE_UM + _CRACK_MARGIN_UM, _CRACK_HEIGHTS_ABOVE_COLLECTOR_UM)
        top = np.where(high, top_um, self.cathode_um - TOP_LAYER_UM)
        centre_um = place_discs(generator, radius_um, cracks.region_width.value, bottom, top, _CRACK_SPACING_UM)
        share = radius_um**3  # thickness grows with radius
        for group, part in ((high, TOP_LAYER_PART_OF_OPENING), (~high, 1 - TOP_LAYER_PART_OF_OPENING)):
            share[group] *= part / max(share[group].sum(), 1.0)
        return Spheres(centre_um, radius_um), share / max(share.sum(), 1e-9)

    def _draw_particles(self, seed: int) -> Spheres:
        load = self._parameters.particles.regional_load.value * self._cus_share
        region = ANALYSIS_REGION
        height_um = min(region.top_um, self.cathode_um) - region.bottom_um
        wanted_um3 = load * region.width_x_um * region.width_y_um * height_um
        for attempt in range(_NUM_LAYOUTS):
            generator = np.random.default_rng((seed, 1, attempt))
            core = self._draw_core(generator, load * np.pi * _CORE_RADIUS_UM**2 * self.cathode_um)
            found_um3 = volume_in_box(spheres(core.centre_um, core.radius_um, 1.0), region)
            scale = float(np.cbrt(wanted_um3 / max(found_um3, 1.0)))
            if _LOAD_SCALES[0] <= scale <= _LOAD_SCALES[1]:
                break
        else:
            raise PhantomError(
                f"{_NUM_LAYOUTS} layouts of particles were drawn, none came near {wanted_um3:.3g} um3 of CuS in the "
                f"analysis region. Bring particles.regional_load ({self._parameters.particles.regional_load.value}) "
                "nearer to 1 or lower cracks.num_in_region."
            )
        radius_um = core.radius_um * scale
        found_um3 = volume_in_box(spheres(core.centre_um, radius_um, 1.0), region)
        radius_um *= float(np.cbrt(wanted_um3 / found_um3))
        rest_um3 = self.cus_volume_um3 - 4 / 3 * np.pi * float((radius_um**3).sum())
        rest_radius_um = self._draw_radii(generator, rest_um3)
        rest = self._place(
            generator, rest_radius_um * _PARTICLE_ROOM, self.bore_centre_um, self.bore_radius_um, core, _CORE_RADIUS_UM
        )
        return Spheres(np.vstack([core.centre_um, rest.centre_um]), np.append(radius_um, rest_radius_um))

    def _draw_core(self, generator: np.random.Generator, volume_um3: float) -> Spheres:
        radius_um = self._draw_radii(generator, volume_um3)
        reach_um = _CORE_RADIUS_UM + float(radius_um.mean())
        nothing = Spheres(np.empty((0, 3)), np.empty(0))
        placed = self._place(generator, radius_um * _PARTICLE_ROOM, np.zeros(2), reach_um, nothing, 0.0)
        return Spheres(placed.centre_um, radius_um)

    def _place(
        self,
        generator: np.random.Generator,
        room_um: Floats,
        centre_um: Floats,
        max_radius_um: float,
        obstacles: Spheres,
        hole_radius_um: float,
    ) -> Spheres:
        centres_um, count = place_spheres(
            generator.random((_OFFERED_PLACES * room_um.size, 3)),
            room_um,
            centre_um,
            max_radius_um,
            hole_radius_um,
            self.cathode_um,
            obstacles.centre_um,
            obstacles.radius_um * _PARTICLE_ROOM,
            self._cracks.centre_um,
            self._cracks.radius_um,
            _CRACK_ROOM_UM,
        )
        if count < room_um.size:
            raise PhantomError(
                f"only {count} of {room_um.size} particles or pores of a mean radius of {room_um.mean():.1f} um found "
                f"room in the cathode: lower particles.active_mass, cracks.num_in_region or pores.volume_fraction, or "
                f"raise layers.cathode_thickness ({self.cathode_um} um)."
            )
        return Spheres(centres_um, room_um)

    def _draw_radii(self, generator: np.random.Generator, volume_um3: float) -> Floats:
        """Draw radii that sum up to a volume, largest first: small ones still find room."""
        particles = self._parameters.particles
        num_most = int(volume_um3 / (np.pi / 6 * particles.min_diameter.value**3)) + 1
        diameter_um = particles.median_diameter.value * np.exp(
            particles.sigma_log.value * generator.standard_normal(num_most)
        )
        diameter_um = np.clip(diameter_um, particles.min_diameter.value, particles.max_diameter.value)
        return _filling(diameter_um / 2, volume_um3)

    def _draw_pores(self, generator: np.random.Generator) -> Spheres:
        pores = self._parameters.pores
        max_radius_um = pores.max_radius.value
        volume_um3 = pores.volume_fraction.value * np.pi * max_radius_um**2 * self.cathode_um * (1 - self._cus_share)
        num_most = int(volume_um3 / (np.pi / 6 * pores.min_diameter.value**3)) + 1
        radius_um = _filling(
            generator.uniform(pores.min_diameter.value, pores.max_diameter.value, num_most) / 2, volume_um3
        )
        near = np.linalg.norm(self._particles.centre_um[:, :2], axis=1) < max_radius_um + 100
        obstacles = Spheres(self._particles.centre_um[near], self._particles.radius_um[near])
        return self._place(generator, radius_um, np.zeros(2), max_radius_um, obstacles, 0.0)


def _filling(radius_um: Floats, volume_um3: float) -> Floats:
    """Return as many radii as fill a volume, scaled to fill it exactly, largest first."""
    filled_um3 = np.cumsum(4 / 3 * np.pi * radius_um**3)
    count = min(int(np.searchsorted(filled_um3, volume_um3)) + 1, radius_um.size) if volume_um3 > 0 else 0
    if not count:
        return np.empty(0)
    return np.asarray(np.sort(radius_um[:count])[::-1] * np.cbrt(volume_um3 / filled_um3[count - 1]))
