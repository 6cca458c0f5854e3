"""The cathode before anything reacted: a random filling of the bore with particles, cracks to come, and pores."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operando.model.geometry import Region
from operando.model.materials import material
from simulators.cell_parameters import CellParameters
from simulators.placement import Discs, PhantomError, Spheres, placed_discs, placed_spheres
from simulators.region_overlap import fractions_inside
from simulators.scene import Spheroids

# The published volumes are those of this box; its load of CuS is set, because a random filling scatters by 16 %.
SCALED_REGION = Region(400.0, 400.0, 20.0, 270.0)  # A.2, centred in the cathode's height
LARGEST_GROWTH = 1.22  # in radius: all CuS to Cu and Li2S is +74.8 % in volume, and 1 % for the scaled region
MAX_INCLUSION_OFFSET = 0.12  # of the radius; more would let a lens leave its particle
UPPER_ZONE_UM = 55.0  # holds 70 % of the cracks' volume, derived from A-7 and A-8
UPPER_PART = 0.70
MARGIN_UM = 4.0
CLEAR_OF_PLANE_UM = 1.0
NUM_DRAWS = 500


@dataclass(frozen=True)
class PristineCathode:
    """Particles, the place of a copper lens in each, cracks at their widest, and pores.

    ``inclusion_offsets`` has shape (particle, 3), in radii of the pristine particle; ``inclusion_axes`` are unit
    vectors of the same shape.
    """

    particles: Spheres
    inclusion_offsets: NDArray[np.float64]
    inclusion_axes: NDArray[np.float64]
    cracks: Discs
    pores: Spheres


def pristine_cathode(parameters: CellParameters, seed: int) -> PristineCathode:
    """Fill a cathode.

    Raises
    ------
    PhantomError
        If it cannot hold what the cell file asks for.
    """
    rng = np.random.default_rng(seed)
    cracks = _cracks(rng, parameters)
    particles = _particles(rng, parameters, cracks)
    num = len(particles.radii_um)
    pores = _pores(rng, parameters, cracks, particles)
    offsets = rng.normal(size=(num, 3))
    offsets *= (MAX_INCLUSION_OFFSET * rng.random(num) ** (1 / 3) / np.linalg.norm(offsets, axis=1))[:, None]
    tilt = np.radians(parameters.particles.max_inclusion_tilt.value) * np.sqrt(rng.random(num))
    turn = 2 * np.pi * rng.random(num)
    axes = np.stack([np.sin(tilt) * np.cos(turn), np.sin(tilt) * np.sin(turn), np.cos(tilt)], axis=1)
    return PristineCathode(particles, offsets, axes, cracks, pores)


def _cracks(rng: np.random.Generator, parameters: CellParameters) -> Discs:
    cracks, thickness_um = parameters.cracks, parameters.layers.cathode_thickness.value
    num = round(cracks.num_in_region.value)
    volume_um3 = max(cracks.opening.opening.value) * cracks.region_width.value**2
    if num < 1 or volume_um3 <= 0:
        return Discs(np.empty((0, 3)), np.empty(0), np.empty(0))
    # Small ones are more common; of many draws, the one whose volume is nearest needs the least scaling.
    radii_um = _log_uniform(rng, cracks.min_radius.value, cracks.max_radius.value, (NUM_DRAWS, num))
    thicknesses_um = _log_uniform(rng, cracks.min_thickness.value, cracks.max_thickness.value, (NUM_DRAWS, num))
    drawn_um3 = np.sum(2 / 3 * np.pi * radii_um**2 * thicknesses_um, axis=1)
    best = int(np.argmin(np.abs(np.log(drawn_um3 / volume_um3))))
    radii, thicknesses = radii_um[best], thicknesses_um[best] * volume_um3 / drawn_um3[best]
    parts = np.cumsum(radii**2 * thicknesses) / np.sum(radii**2 * thicknesses)
    zone_um = min(UPPER_ZONE_UM, thickness_um / 2)

    def draw_z(index: int, thickness: float) -> float:
        reserve = thickness / 2 + MARGIN_UM
        if parts[index] > UPPER_PART:
            return float(rng.uniform(reserve, thickness_um - zone_um))
        # Denser towards the separator, where the cathode delaminates; this also leaves room for particles below.
        return float(thickness_um - reserve - (zone_um - reserve) * rng.random() ** 2)

    return placed_discs(rng, radii, thicknesses, width_um=cracks.region_width.value, draw_z=draw_z)


def _log_uniform(rng: np.random.Generator, low: float, high: float, shape: tuple[int, int]) -> NDArray[np.float64]:
    return np.asarray(np.exp(rng.uniform(np.log(low), np.log(high), shape)))


def _particles(rng: np.random.Generator, parameters: CellParameters, cracks: Discs) -> Spheres:
    layers = parameters.layers
    whole_um3 = parameters.particles.active_mass.value / material("CuS").density_g_per_cm3 * 1e9
    bore_um, thickness_um = layers.bore_diameter.value * 500, layers.cathode_thickness.value
    region_um3 = SCALED_REGION.width_x_um * SCALED_REGION.width_y_um * (SCALED_REGION.top_um - SCALED_REGION.bottom_um)
    load_um3 = parameters.particles.regional_load.value * whole_um3 * region_um3 / (np.pi * bore_um**2 * thickness_um)
    inner, outer = _radii(rng, parameters, load_um3), _radii(rng, parameters, whole_um3 - load_um3)
    half_x, half_y = SCALED_REGION.width_x_um / 2, SCALED_REGION.width_y_um / 2

    def within_region(radii_um: NDArray[np.float64]) -> NDArray[np.float64]:
        low_um = np.maximum(SCALED_REGION.bottom_um, radii_um)
        high_um = np.minimum(SCALED_REGION.top_um, thickness_um - radii_um)
        z = rng.uniform(low_um, high_um)
        return np.stack([rng.uniform(-half_x, half_x, z.size), rng.uniform(-half_y, half_y, z.size), z], axis=1)

    def around_region(radii_um: NDArray[np.float64]) -> NDArray[np.float64]:
        centres = np.empty((radii_um.size, 3))
        waiting = np.arange(radii_um.size)
        while waiting.size:
            r = (bore_um - radii_um[waiting]) * np.sqrt(rng.random(waiting.size))
            turn = 2 * np.pi * rng.random(waiting.size)
            x, y = r * np.cos(turn) + layers.bore_offset_x.value, r * np.sin(turn) + layers.bore_offset_y.value
            z = rng.uniform(radii_um[waiting], thickness_um - radii_um[waiting])
            centres[waiting] = np.stack([x, y, z], axis=1)
            in_z = (z > SCALED_REGION.bottom_um) & (z < SCALED_REGION.top_um)
            waiting = waiting[(np.abs(x) < half_x) & (np.abs(y) < half_y) & in_z]
        return centres

    nothing = Spheres(np.empty((0, 3)), np.empty(0))
    grown, grown_outer = LARGEST_GROWTH * inner + MARGIN_UM / 2, LARGEST_GROWTH * outer
    inner_um = placed_spheres(grown, within_region, discs=cracks, others=nothing)
    outer_um = placed_spheres(grown_outer, around_region, discs=cracks, others=Spheres(inner_um, grown))
    particles = Spheres(np.concatenate([inner_um, outer_um]), np.concatenate([inner, outer]))
    return _scaled_to_load(particles, len(inner), load_um3)


def _radii(rng: np.random.Generator, parameters: CellParameters, volume_um3: float) -> NDArray[np.float64]:
    """Draw radii until the volume is reached, largest first, since they find a place last."""
    form = parameters.particles
    mean_um3 = np.pi / 6 * form.median_diameter.value**3
    num = int(3 * volume_um3 / mean_um3) + 100
    diameters = form.median_diameter.value * np.exp(form.sigma_log.value * rng.standard_normal(num))
    diameters = diameters[(diameters >= form.min_diameter.value) & (diameters <= form.max_diameter.value)]
    filled = np.cumsum(np.pi / 6 * diameters**3)
    kept = diameters[: int(np.searchsorted(filled, volume_um3)) + 1]
    kept = kept * (volume_um3 / np.sum(np.pi / 6 * kept**3)) ** (1 / 3)
    return np.sort(kept)[::-1] / 2


def _scaled_to_load(particles: Spheres, num_inner: int, load_um3: float) -> Spheres:
    """Scale the region's own particles until the box holds its load, cut particles counted with their part."""
    volumes_um3 = 4 / 3 * np.pi * particles.radii_um**3
    upright = np.tile([0.0, 0.0, 1.0], (len(volumes_um3), 1))
    radii_um = particles.radii_um.copy()
    for _ in range(8):
        spheroids = Spheroids(particles.centres_um, radii_um, radii_um, upright, np.zeros_like(radii_um))
        inside_um3 = 4 / 3 * np.pi * radii_um**3 * fractions_inside(spheroids, SCALED_REGION)
        own_um3, foreign_um3 = float(inside_um3[:num_inner].sum()), float(inside_um3[num_inner:].sum())
        radii_um[:num_inner] *= ((load_um3 - foreign_um3) / own_um3) ** (1 / 3)
    if np.any(radii_um[:num_inner] > 1.15 * particles.radii_um[:num_inner]):
        raise PhantomError("the analysis region cannot hold its load of CuS; use another seed or less active mass.")
    return Spheres(particles.centres_um, radii_um)


def _pores(rng: np.random.Generator, parameters: CellParameters, cracks: Discs, particles: Spheres) -> Spheres:
    form, thickness_um = parameters.pores, parameters.layers.cathode_thickness.value
    volume_um3 = form.volume_fraction.value * np.pi * form.max_radius.value**2 * thickness_um
    low_um, high_um = form.min_diameter.value / 2, form.max_diameter.value / 2
    mean_um3 = 4 / 3 * np.pi * ((low_um + high_um) / 2) ** 3
    radii_um = rng.uniform(low_um, high_um, int(2 * volume_um3 / mean_um3) + 10)
    radii_um = radii_um[: int(np.searchsorted(np.cumsum(4 / 3 * np.pi * radii_um**3), volume_um3))]

    def draw(radii: NDArray[np.float64]) -> NDArray[np.float64]:
        r = (form.max_radius.value - radii) * np.sqrt(rng.random(radii.size))
        turn = 2 * np.pi * rng.random(radii.size)
        z = rng.uniform(radii + CLEAR_OF_PLANE_UM, thickness_um - radii - CLEAR_OF_PLANE_UM)
        return np.stack([r * np.cos(turn), r * np.sin(turn), z], axis=1)

    near = np.hypot(particles.centres_um[:, 0], particles.centres_um[:, 1]) < form.max_radius.value + 100
    obstacles = Spheres(particles.centres_um[near], LARGEST_GROWTH * particles.radii_um[near])
    return Spheres(placed_spheres(radii_um, draw, discs=cracks, others=obstacles), radii_um)
