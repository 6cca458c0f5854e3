"""Volume of a strongly attenuating phase (metallic Cu), from how much attenuation it adds rather than from voxels.

Inclusions of a few voxels are blurred: counting voxels above a threshold is off by tens of per cent either way. The
sum of grey levels is not, as long as a component and its blur are summed whole.
"""

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray

from live_analysis.reconstruction.compiled import compiled
from live_analysis.segmentation.labelling import label
from live_analysis.smoothing import smoothed

SEED_THRESHOLD_PER_CM = 28.0  # above CuS (24.6 /cm) by 2.6 times the noise of one voxel, below half of Cu (63.4 /cm)
THRESHOLD_VARIATION_PER_CM = 3.0
SMOOTHING_SIGMA_VOXELS = 0.7
MIN_SEED_VOXELS = 4
FWHM_OF_SIGMA = 2.3548  # of a Gaussian
DILATION_VOXELS = 2
SMALL_VOLUME_UM3 = 1e5
# Systematic error of the sum for inclusions thicker, and thinner, than twice the point spread, as one standard
# deviation: simulated cells of eleven kinds (load, particle size, aspect 1.5 to 5, photons, blur of 2.6 and 4 um) came
# out 1 % high on average and never by more than 4 %, lenses of 10 um in particles of 40 um by up to 8 %, because the
# ring then lies partly outside the particle; lenses of 5 um came out up to 8 % low.
RESOLVED_BIAS, NEAR_RESOLUTION_BIAS = 0.05, 0.15
# Where nothing is found, each particle may hide one inclusion just below the detection limit.
PARTICLES_PERCENTILE = 99.5  # of all voxels: particles that fill 1 % or more of the region reach it
LEAST_PARTICLE_NOISES = 5.0  # half the contrast of a particle, over the noise of a voxel

NEAR_RESOLUTION = "near_resolution"
BELOW_DETECTION = "below_detection"


class VolumeShapeError(ValueError):
    """The array is not a reconstructed volume."""


@dataclass(frozen=True)
class HighAttenuationVolume:
    """What was found, with its uncertainty (one standard deviation).

    ``volume_um3`` is 0 where nothing was found. The detection limit is that of one inclusion; the uncertainty then is
    half of it for each particle that may hide one, and at least the limit.
    ``median_thickness_um`` is the shortest axis of the typical component, weighted by volume; NaN where it is
    below the point spread or nothing was found. ``component_volumes_um3`` has one entry per component. ``mask``
    marks the voxels summed.
    """

    volume_um3: float
    uncertainty_um3: float
    detection_limit_um3: float
    median_thickness_um: float
    noise_per_cm: float
    component_volumes_um3: NDArray[np.float64]
    mask: NDArray[np.bool_]
    flags: tuple[str, ...]

    @property
    def num_components(self) -> int:
        """Number of separate components."""
        return len(self.component_volumes_um3)


@dataclass(frozen=True)
class _Components:
    volumes_um3: NDArray[np.float64]
    thicknesses_um: NDArray[np.float64]
    noise_um3: float
    mask: NDArray[np.bool_]


def high_attenuation_volume(
    volume_per_cm: NDArray[np.float32],
    voxel_size_um: float,
    phase_per_cm: float,
    *,
    resolution_fwhm_um: float,
    inside: NDArray[np.float32] | None = None,
    seed_threshold_per_cm: float = SEED_THRESHOLD_PER_CM,
) -> HighAttenuationVolume:
    """Measure the volume of a phase as V = sum (mu - mu_local) / (mu_phase - mu_local) over its components.

    Seeds are at least four connected voxels whose smoothed value exceeds the threshold; they are dilated by two
    voxels to take in their blur. mu_local of each component is the mean of the one-voxel ring around it.

    Parameters
    ----------
    volume_per_cm
        Reconstructed attenuation, shape (z, y, x), in 1/cm on an absolute scale; NaN outside the view.
    voxel_size_um
        Edge of a voxel.
    phase_per_cm
        Attenuation of the dense phase at the photon energy, for Cu 63.4 /cm at 35 keV.
    resolution_fwhm_um
        Full width at half maximum of the point spread.
    inside
        Part of each voxel, 0 to 1, that lies in the region whose content is asked for, same shape; by default all.
        With a margin around that region a component on its face is recognised whole and counted up to the face.
    seed_threshold_per_cm
        Above what surrounds the phase, below the phase.

    Raises
    ------
    VolumeShapeError
        If the array is not three-dimensional, ``inside`` has another shape, or the threshold is not below the phase.
    """
    part = np.ones(volume_per_cm.shape, np.float32) if inside is None else inside
    if part.shape != volume_per_cm.shape:
        raise VolumeShapeError(
            f"the volume has shape {volume_per_cm.shape}, the parts inside the region {part.shape}: both must agree."
        )
    if volume_per_cm.ndim != 3 or not seed_threshold_per_cm + THRESHOLD_VARIATION_PER_CM < phase_per_cm:
        raise VolumeShapeError(
            f"volume of shape {volume_per_cm.shape} (want z, y, x), threshold {seed_threshold_per_cm} /cm +- "
            f"{THRESHOLD_VARIATION_PER_CM} for a phase of {phase_per_cm} /cm: the threshold must lie below the phase."
        )
    values = np.asarray(volume_per_cm, np.float32)
    background = float(np.nanmedian(values))
    values = np.where(np.isfinite(values), values, np.float32(background))
    noise = _noise_per_cm(values)
    blurred = smoothed(values, SMOOTHING_SIGMA_VOXELS)
    # Detector pixel and linear interpolation blur by a quarter of a voxel squared on top of the point spread.
    blur_variance_um2 = (resolution_fwhm_um / FWHM_OF_SIGMA) ** 2 + voxel_size_um**2 / 4
    found, higher, lower = (
        _measure(
            values,
            part,
            blurred,
            seed_threshold_per_cm + change,
            voxel_size_um,
            phase_per_cm,
            noise,
            background,
            blur_variance_um2,
        )
        for change in (0.0, THRESHOLD_VARIATION_PER_CM, -THRESHOLD_VARIATION_PER_CM)
    )
    limit = _detection_limit_um3(seed_threshold_per_cm, background, phase_per_cm, voxel_size_um, resolution_fwhm_um)
    total = float(found.volumes_um3.sum())
    if not len(found.volumes_um3):
        hidden = max(limit * _num_particles(blurred, part, background, noise) / 2, limit)
        return HighAttenuationVolume(
            0.0, hidden, limit, float("nan"), noise, found.volumes_um3, found.mask,
            (BELOW_DETECTION, NEAR_RESOLUTION),
        )  # fmt: skip
    thickness = _weighted_median(found.thicknesses_um, found.volumes_um3)
    near = total < SMALL_VOLUME_UM3 or thickness < 2 * resolution_fwhm_um
    thickness = thickness if thickness >= resolution_fwhm_um else float("nan")
    from_threshold = float(np.ptp([found.volumes_um3.sum(), higher.volumes_um3.sum(), lower.volumes_um3.sum()])) / 2
    from_resolution = total * (NEAR_RESOLUTION_BIAS if near else RESOLVED_BIAS)
    return HighAttenuationVolume(
        total,
        float(np.sqrt(from_threshold**2 + found.noise_um3**2 + from_resolution**2)),
        limit,
        thickness,
        noise,
        found.volumes_um3,
        found.mask,
        (NEAR_RESOLUTION,) if near else (),
    )


def _measure(
    values: NDArray[np.float32],
    inside: NDArray[np.float32],
    blurred: NDArray[np.float32],
    threshold: float,
    voxel_size_um: float,
    phase_per_cm: float,
    noise_per_cm: float,
    background_per_cm: float,
    blur_variance_um2: float,
) -> _Components:
    labels = _dilated_seeds(blurred > threshold)
    num = int(labels.max(initial=0))
    if not num:
        return _Components(np.zeros(0), np.zeros(0), 0.0, labels > 0)
    ring = _grown(labels, 1)
    ring[labels > 0] = 0
    around = np.nonzero(ring)
    ring_sizes = np.bincount(ring[around], minlength=num + 1)[1:]
    ring_sums = np.bincount(ring[around], values[around], num + 1)[1:]
    local = np.divide(ring_sums, ring_sizes, out=np.full(num, background_per_cm), where=ring_sizes > 0)
    held = np.nonzero(labels)
    numbers = labels[held]
    sizes = np.bincount(numbers, inside[held], num + 1)[1:]
    sums = np.bincount(numbers, values[held].astype(np.float64) * inside[held], num + 1)[1:]
    contrast = np.maximum(phase_per_cm - local, 1e-6)
    voxel_um3 = voxel_size_um**3
    volumes = (sums - sizes * local) / contrast * voxel_um3
    noise = noise_per_cm * np.sqrt(sizes + sizes**2 / np.maximum(ring_sizes, 1)) / contrast * voxel_um3
    reached = sizes > 0
    excess = values[held] - local[numbers - 1]
    thicknesses = _thicknesses_um(held, numbers, excess, num, voxel_size_um, blur_variance_um2)
    return _Components(volumes[reached], thicknesses[reached], float(np.sqrt((noise**2).sum())), labels > 0)


def _dilated_seeds(seeds: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Label components of seeds (26 neighbours), drop the small ones, dilate each; shape as given, 0 is none."""
    labels, num = label(seeds, 26)
    sizes = np.bincount(labels.ravel(), minlength=num + 1)
    keep = sizes >= MIN_SEED_VOXELS
    keep[0] = False
    dilated = _grown(np.where(keep[labels], 1, 0).astype(np.int32), DILATION_VOXELS)
    return label(dilated > 0, 26)[0].astype(np.int32)


def _grown(labels: NDArray[np.int32], num_voxels: int) -> NDArray[np.int32]:
    """Grow labelled components by a layer of face neighbours at a time; the larger label wins.

    Diagonal neighbours would take in more of the surroundings than of the blur.
    """
    grown = labels.copy()
    for _ in range(num_voxels):
        inner = grown.copy()
        _add_layer(grown, inner)
    return grown


@compiled
def _add_layer(grown: NDArray[np.int32], inner: NDArray[np.int32]) -> None:
    num_z, num_y, num_x = inner.shape
    for z in prange(num_z):
        for y in range(num_y):
            for x in range(num_x):
                if inner[z, y, x] == 0:
                    largest = max(inner[max(z - 1, 0), y, x], inner[min(z + 1, num_z - 1), y, x])
                    largest = max(largest, inner[z, max(y - 1, 0), x], inner[z, min(y + 1, num_y - 1), x])
                    grown[z, y, x] = max(largest, inner[z, y, max(x - 1, 0)], inner[z, y, min(x + 1, num_x - 1)])


def _thicknesses_um(
    positions: tuple[NDArray[np.intp], ...],
    numbers: NDArray[np.integer],
    excess: NDArray[np.float64],
    num: int,
    voxel_size_um: float,
    blur_variance_um2: float,
) -> NDArray[np.float64]:
    """Shortest full axis of the spheroid with the second moments of each component's excess, without its blur.

    ``positions`` are z, y and x of the voxels of all components, ``numbers`` and ``excess`` have one entry for each.
    """
    weight = np.maximum(excess, 0)
    mass = np.maximum(np.bincount(numbers, weight, num + 1)[1:], 1e-30)
    centre = [np.bincount(numbers, weight * p, num + 1)[1:] / mass for p in positions]
    moments = np.empty((num, 3, 3))
    for i in range(3):
        for j in range(3):
            product = (positions[i] - centre[i][numbers - 1]) * (positions[j] - centre[j][numbers - 1])
            moments[:, i, j] = np.bincount(numbers, weight * product, num + 1)[1:] / mass
    shortest_um2 = np.linalg.eigvalsh(moments)[:, 0] * voxel_size_um**2 - blur_variance_um2
    return np.asarray(2 * np.sqrt(5 * np.maximum(shortest_um2, 0)))


def _noise_per_cm(values: NDArray[np.float32]) -> float:
    """Noise of one voxel from differences between neighbouring detector rows, which share no photons."""
    if values.shape[0] < 2:
        return 0.0
    difference = np.diff(values, axis=0)
    return float(1.4826 * np.median(np.abs(difference - np.median(difference))) / np.sqrt(2))


def _num_particles(
    blurred: NDArray[np.float32], inside: NDArray[np.float32], background_per_cm: float, noise_per_cm: float
) -> int:
    """Count what stands out inside by half of what the brightest voxels do; those that touch are one."""
    half_per_cm = (float(np.percentile(blurred, PARTICLES_PERCENTILE)) - background_per_cm) / 2
    if half_per_cm < LEAST_PARTICLE_NOISES * noise_per_cm:
        return 0
    labels, num = label(blurred > background_per_cm + half_per_cm, 6)
    sizes = np.bincount(labels.ravel(), inside.ravel(), num + 1)
    return int((sizes[1:] >= MIN_SEED_VOXELS).sum())


def _detection_limit_um3(
    threshold: float, background: float, phase_per_cm: float, voxel_size_um: float, fwhm_um: float
) -> float:
    """Volume of an inclusion whose blurred image just reaches the threshold on the fewest voxels allowed."""
    smoothing_um = FWHM_OF_SIGMA * SMOOTHING_SIGMA_VOXELS * voxel_size_um
    blur_um = float(np.sqrt(fwhm_um**2 + smoothing_um**2 + voxel_size_um**2))
    volume_um3 = max((1.064 * blur_um) ** 3, MIN_SEED_VOXELS * voxel_size_um**3)  # of a Gaussian of this FWHM
    return float(volume_um3 * (threshold - background) / (phase_per_cm - background))


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    order = np.argsort(values)
    cumulative = np.cumsum(np.maximum(weights[order], 0))
    return float(values[order][np.searchsorted(cumulative, cumulative[-1] / 2)])
