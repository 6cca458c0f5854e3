"""The particles of the pristine state: where they lie, found by a threshold that the grey values set themselves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

from live_analysis.states.grey_mode import MOST_VALUES, GreyMode, grey_mode
from live_analysis.states.placed_volume import PlacedVolume, StateError

Floats = NDArray[np.float64]

SMOOTHING_SIGMA_VOXELS = 0.7
HALF_WAY = 0.5  # between the modes of matrix and particles, where a blurred face lies
VARIATION = 0.15  # of their distance, to tell how much depends on the threshold
FIRST_SPREADS = 5.0  # above the matrix: surely no noise
SMALLEST_DIAMETER_UM = 12.0
# Half widths of the necks at which joined particles are cut, and how much thicker they must be than their neck.
NECKS_UM, THICKER = (5.0, 7.0, 9.0, 11.0, 13.0), 1.3
LEAST_VOLUME_ERROR = 0.01  # simulated cells came out 0.3 % low to 0.2 % high
RIM_UM = 6.0  # within this of a particle's face blur mixes in what surrounds it


@dataclass(frozen=True)
class PristineParticles:
    """What was found; arrays have one entry for each particle, in the order of the labels 1, 2 ...

    ``labels`` has the shape of the volume, 0 is none; ``inner`` marks what lies deeper than the rim. ``centre_um`` are
    x, y and height of grey-weighted centres, ``radius_um`` those of spheres of the same volume, ``whole`` is False
    where the faces of the box cut a particle. ``volume_um3`` of all within the region, with its uncertainty, assumes a
    dense phase of ``phase_per_cm``; the two changes are those with the threshold moved down and up.
    """

    labels: NDArray[np.int32]
    inner: NDArray[np.bool_]
    centre_um: Floats
    radius_um: Floats
    whole: NDArray[np.bool_]
    threshold_per_cm: float
    matrix: GreyMode
    particle: GreyMode
    volume_um3: float
    volume_uncertainty_um3: float
    mask_fraction: float
    mask_changes: tuple[float, float]

    @property
    def num(self) -> int:
        """How many there are."""
        return len(self.radius_um)


def find_pristine_particles(
    volume: PlacedVolume, phase_per_cm: float, inside: NDArray[np.float32] | None = None
) -> PristineParticles:
    """Find the particles of a state in which they consist of one phase.

    Parameters
    ----------
    volume
        The pristine state, on an absolute scale.
    phase_per_cm
        Attenuation of the dense phase, for CuS 24.6 /cm at 35 keV.
    inside
        Part of each voxel that lies in the region, 0 to 1; by default all of the core.

    Raises
    ------
    StateError
        If nothing stands out of the matrix.
    """
    part = _core_part(volume) if inside is None else inside
    values = np.where(np.isfinite(volume.values_per_cm), volume.values_per_cm, np.float32(0))
    smoothed = ndimage.gaussian_filter(values, SMOOTHING_SIGMA_VOXELS)
    matrix, particle = _two_modes(values, smoothed)
    step_per_cm = particle.per_cm - matrix.per_cm
    threshold = matrix.per_cm + HALF_WAY * step_per_cm
    labels, inner = _labelled(smoothed > threshold, volume.voxel_size_um)
    num = int(labels.max(initial=0))
    if not num:
        raise _nothing(matrix)
    fractions = [float((part * (smoothed > threshold + change * step_per_cm)).sum() / part.sum())
                 for change in (-VARIATION, 0.0, VARIATION)]  # fmt: skip
    if inner.any():
        particle = grey_mode(values[inner], labels[inner].astype(np.int64))
    volume_um3, uncertainty_um3 = _phase_volume(
        values, part, labels, matrix, particle, phase_per_cm, volume.voxel_size_um
    )
    centre_um, radius_um, whole = _shapes(volume, values - np.float32(matrix.per_cm), labels, num)
    return PristineParticles(
        labels, inner, centre_um, radius_um, whole, threshold, matrix, particle, volume_um3, uncertainty_um3,
        fractions[1], (fractions[0] - fractions[1], fractions[2] - fractions[1]),
    )  # fmt: skip


def _nothing(matrix: GreyMode) -> StateError:
    return StateError(
        f"no particle thicker than {SMALLEST_DIAMETER_UM} um stands out of the matrix ({matrix.per_cm:.2f} /cm) in the "
        "pristine state. Check that it is pristine, that its region holds particles, and that its grey values are "
        "absolute."
    )


def _core_part(volume: PlacedVolume) -> NDArray[np.float32]:
    part = np.zeros(volume.shape, np.float32)
    part[volume.core] = 1
    return part


def _two_modes(values: NDArray[np.float32], smoothed: NDArray[np.float32]) -> tuple[GreyMode, GreyMode]:
    """Mode of the matrix, which fills most, and of what stands out, its rims left aside."""
    rough = grey_mode(values)
    sample = smoothed.ravel()[:: max(smoothed.size // MOST_VALUES, 1)]
    spread = 1.4826 * float(np.median(np.abs(sample - np.median(sample))))
    above = smoothed > rough.per_cm + FIRST_SPREADS * spread
    inner = ndimage.binary_erosion(above, iterations=2)
    if not inner.any():
        raise _nothing(rough)
    particle = grey_mode(values[inner])
    return grey_mode(values[smoothed < (rough.per_cm + particle.per_cm) / 2]), particle


def _labelled(mask: NDArray[np.bool_], voxel_um: float) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Label what is thick enough, joined particles apart; mark what lies below the rims."""
    components, _ = ndimage.label(mask)
    labels, inner = np.zeros(mask.shape, np.int32), np.zeros(mask.shape, bool)
    num = 0
    for number, box in enumerate(ndimage.find_objects(components), start=1):
        if min(side.stop - side.start for side in box) * voxel_um < SMALLEST_DIAMETER_UM / 2:
            continue
        own = components[box] == number
        depth_um = voxel_um * _depth(own, [side.start for side in box], mask.shape)
        if 2 * depth_um.max() < SMALLEST_DIAMETER_UM:
            continue
        markers, count = _markers(depth_um)
        found = watershed(-depth_um, markers, mask=own) if count > 1 else own.astype(np.int32)
        labels[box][own] = found[own] + num
        inner[box] |= depth_um > RIM_UM
        num += max(count, 1)
    return labels, inner


def _markers(depth_um: Floats) -> tuple[NDArray[np.int32], int]:
    """Label the thick parts of a component: cut where most of them come apart that are clearly thicker than the cut."""
    best, most = ndimage.label(depth_um > 0)
    for neck_um in NECKS_UM:
        labels, count = ndimage.label(depth_um > neck_um)
        thick = np.flatnonzero(ndimage.maximum(depth_um, labels, np.arange(1, count + 1)) > THICKER * neck_um) + 1
        if thick.size > most:
            best, most = np.where(np.isin(labels, thick), labels, 0), int(thick.size)
    return np.asarray(ndimage.label(best > 0)[0], np.int32), most


def _depth(own: NDArray[np.bool_], start: list[int], shape: tuple[int, ...]) -> Floats:
    """Distance in voxels from what is not the component; the faces of the whole box do not count as such."""
    pads = [
        (int(begin > 0), int(begin + size < full)) for begin, size, full in zip(start, own.shape, shape, strict=True)
    ]
    padded = ndimage.distance_transform_edt(np.pad(own, pads))
    inside = tuple(slice(before, before + size) for (before, _), size in zip(pads, own.shape, strict=True))
    return np.asarray(padded[inside] if not own.all() or any(map(any, pads)) else np.full(own.shape, max(own.shape)))


def _phase_volume(
    values: NDArray[np.float32],
    part: NDArray[np.float32],
    labels: NDArray[np.int32],
    matrix: GreyMode,
    particle: GreyMode,
    phase_per_cm: float,
    voxel_um: float,
) -> tuple[float, float]:
    """V = sum (mu - mu_matrix) / (mu_phase - mu_matrix) over the particles and their blur, in um3.

    Particles that are not as bright as the dense phase are porous, or the grey scale is off: nobody knows which.
    """
    held = ndimage.binary_dilation(labels > 0, iterations=2)
    weight = part[held].astype(np.float64)
    num = float(weight.sum())
    contrast = phase_per_cm - matrix.per_cm
    volume_um3 = float((values[held] - matrix.per_cm) @ weight) / contrast * voxel_um**3
    beside = ndimage.binary_dilation(held, iterations=2) & ~held
    from_level = num * abs(float(values[beside].mean()) - matrix.per_cm) / contrast * voxel_um**3
    from_scale = max(abs(particle.per_cm / phase_per_cm - 1), LEAST_VOLUME_ERROR) * volume_um3
    return volume_um3, float(np.hypot(from_level, from_scale))


def _shapes(
    volume: PlacedVolume, excess: NDArray[np.float32], labels: NDArray[np.int32], num: int
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    held = np.nonzero(labels)
    label = labels[held]
    weight = np.maximum(excess[held], 0).astype(np.float64)
    mass = np.bincount(label, weight, num + 1)[1:]
    index = np.stack([np.bincount(label, weight * place, num + 1)[1:] / mass for place in held], axis=1)
    size_um3 = np.bincount(label, minlength=num + 1)[1:] * volume.voxel_size_um**3
    whole = np.ones(num, bool)
    for axis in range(3):
        for face in (0, -1):
            cut = np.unique(np.take(labels, face, axis))
            whole[cut[cut > 0] - 1] = False
    return volume.positions_um(index), np.cbrt(size_um3 / (4 / 3 * np.pi)), whole
