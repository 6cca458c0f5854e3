"""How the flat inclusions of the strongly attenuating phase lie: their short axes against the rotation axis.

The blur of a tomogram is the same in all directions: it makes a lens thicker and wider, but turns no axis. Noise does
turn it, by chance, and always away from an upright one; this part is taken off again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import expand_labels

from live_analysis.high_attenuation_volume import (
    MIN_SEED_VOXELS,
    NEAR_RESOLUTION,
    SEED_THRESHOLD_PER_CM,
    SMOOTHING_SIGMA_VOXELS,
)
from live_analysis.quantity import Quantity
from live_analysis.states.placed_volume import PlacedVolume
from live_analysis.states.row_noise import row_noise_per_cm

Floats = NDArray[np.float64]

BLUR_VOXELS = 2  # around what is above the threshold
LEAST_CONTRAST = 0.3  # to its surroundings, over that of the dense phase; what has less is noise of a particle
MIN_FLATNESS = 0.1  # (middle - shortest) / longest of the second moments; a sphere has 0
LARGEST_OWN_UNCERTAINTY_DEG = 6.0
# Streaks are not told by neighbouring rows: axes of simulated lenses (four cells, volumes of 9 to 800 voxels, voxels of
# 1.76 and 3.52 um) were turned by 2.2 times, at most 2.4, what the noise between rows gives.
STREAKS_OVER_NOISE = 2.2
MEAN_BIAS_DEG = 0.3
# Streaks and the grid turn all small lenses alike: what the uncertainties of single axes have in common. Simulated
# lenses of 6 um, each known to 3.5 degrees: means of 15 of them were up to 4 degrees off.
SHARED = 0.6
NEAR_RESOLUTION_DEG = 2.0
OF_WHAT_IS_TAKEN_OFF = 0.5


@dataclass(frozen=True)
class _Lens:
    index: Floats
    tilt_deg: float
    azimuth_deg: float
    uncertainty_deg: float
    flatness: float
    volume_um3: float

    @property
    def tells(self) -> bool:
        """Whether it is flat enough, and its axis known well enough, to count."""
        return self.flatness > MIN_FLATNESS and self.uncertainty_deg < LARGEST_OWN_UNCERTAINTY_DEG


@dataclass(frozen=True)
class InclusionTilt:
    """Volume-weighted mean angle between short axes and the rotation axis, in degrees, and its standard deviation.

    That is of the mean over all inclusions in the region: those that cannot tell may lie otherwise than those that do.
    NaN where no inclusion is large and flat enough to tell. The arrays have one entry for each that is:
    ``azimuth_deg`` is where its axis leans, from x to y, ``centre_um`` x, y and height. ``num_components`` is how many
    inclusions there are in all.
    """

    mean_deg: float
    uncertainty_deg: float
    tilt_deg: Floats
    own_uncertainty_deg: Floats
    azimuth_deg: Floats
    volume_um3: Floats
    centre_um: Floats
    num_components: int


def inclusion_tilt(volume: PlacedVolume, phase_per_cm: float) -> InclusionTilt:
    """Measure how inclusions whose centres are in the region lie.

    Parameters
    ----------
    volume
        The region with its margin, on an absolute scale.
    phase_per_cm
        Attenuation of the dense phase, for Cu 63.4 /cm at 35 keV.
    """
    lenses = list(_lenses(volume, phase_per_cm))
    told = [lens for lens in lenses if lens.tells]
    tilt, own, azimuth, um3 = (
        np.array([getattr(lens, name) for lens in told])
        for name in ("tilt_deg", "uncertainty_deg", "azimuth_deg", "volume_um3")
    )
    centre_um = volume.positions_um(np.array([lens.index for lens in told]).reshape(-1, 3))
    if not told:
        return InclusionTilt(np.nan, np.nan, tilt, own, azimuth, um3, centre_um, len(lenses))
    straight = np.sqrt(np.maximum(tilt**2 - own**2, 0.0))  # of the mean of a Rice distribution
    weight = um3 / um3.sum()
    taken_off = float(weight @ (tilt - straight))
    parts_deg = (
        float(np.linalg.norm(weight * own)),
        SHARED * float(weight @ own),
        OF_WHAT_IS_TAKEN_OFF * taken_off,
        MEAN_BIAS_DEG,
        _left_out_deg(straight, um3, np.array([lens.volume_um3 for lens in lenses if not lens.tells])),
    )
    uncertainty = float(np.linalg.norm(parts_deg))
    return InclusionTilt(float(weight @ straight), uncertainty, tilt, own, azimuth, um3, centre_um, len(lenses))


def _left_out_deg(tilt_deg: Floats, told_um3: Floats, others_um3: Floats) -> float:
    """Return how far the mean over all may be off because some could not tell, which are drawn from the same cell."""
    others_um3 = np.maximum(others_um3, 0.0)
    if not others_um3.sum():
        return 0.0
    weight = told_um3 / told_um3.sum()
    spread_deg = max(float(np.sqrt(weight @ (tilt_deg - weight @ tilt_deg) ** 2)), LARGEST_OWN_UNCERTAINTY_DEG / 2)
    chance = sum(float((um3**2).sum() / um3.sum() ** 2) for um3 in (told_um3, others_um3))
    return float(others_um3.sum() / (told_um3.sum() + others_um3.sum()) * spread_deg * np.sqrt(chance))


def _lenses(volume: PlacedVolume, phase_per_cm: float) -> Iterator[_Lens]:
    values = np.where(np.isfinite(volume.values_per_cm), volume.values_per_cm, np.float32(0))
    labels, _ = ndimage.label(ndimage.gaussian_filter(values, SMOOTHING_SIGMA_VOXELS) > SEED_THRESHOLD_PER_CM)
    noise_per_cm = row_noise_per_cm(volume)
    reach = BLUR_VOXELS + 1
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        if np.prod([side.stop - side.start for side in box]) < MIN_SEED_VOXELS:
            continue
        start = np.array([max(side.start - reach, 0) for side in box])
        wide = tuple(slice(first, side.stop + reach) for first, side in zip(start, box, strict=True))
        own = labels[wide] == number
        if own.sum() < MIN_SEED_VOXELS:
            continue
        grown = expand_labels(labels[wide], BLUR_VOXELS)
        ring = (grown == 0) & ndimage.binary_dilation(grown == number)
        if not ring.any():
            continue
        local_per_cm = float(values[wide][ring].mean())
        if values[wide][own].max() < local_per_cm + LEAST_CONTRAST * (phase_per_cm - local_per_cm):
            continue
        lens = _lens(values[wide], grown == number, local_per_cm, noise_per_cm, phase_per_cm, volume)
        index = lens.index + start
        if volume.in_core(index[None])[0]:
            yield _Lens(index, lens.tilt_deg, lens.azimuth_deg, lens.uncertainty_deg, lens.flatness, lens.volume_um3)


def _lens(
    values: NDArray[np.float32],
    held: NDArray[np.bool_],
    local_per_cm: float,
    noise_per_cm: float,
    phase_per_cm: float,
    volume: PlacedVolume,
) -> _Lens:
    """Second moments of what is added to the surroundings; their short axis, and how far noise turns it."""
    places = np.argwhere(held).astype(np.float64)
    excess = values[held].astype(np.float64) - local_per_cm
    mass = max(float(excess.sum()), 1e-9)
    centre = excess @ places / mass
    away = places - centre
    moments, axes = np.linalg.eigh((away * excess[:, None]).T @ away / mass)
    along = away @ axes
    turned = [
        noise_per_cm * np.sqrt(((along[:, 0] * along[:, k]) ** 2).sum()) / mass / max(moments[k] - moments[0], 1e-9)
        for k in (1, 2)
    ]
    short = axes[:, 0] * np.sign(axes[0, 0] or 1.0)  # z, y, x; z points down, its sign says nothing
    um3 = mass / max(phase_per_cm - local_per_cm, 1e-9) * volume.voxel_size_um**3
    return _Lens(
        centre,
        float(np.degrees(np.arccos(min(abs(short[0]), 1.0)))),
        float(np.degrees(np.arctan2(-short[1], -short[2]))),
        float(STREAKS_OVER_NOISE * np.degrees(np.hypot(*turned) / np.sqrt(2))),
        float((moments[1] - moments[0]) / max(moments[2], 1e-9)),
        um3,
    )


def inclusion_tilt_quantities(found: InclusionTilt) -> Iterator[Quantity]:
    """Give ``high_attenuation_tilt`` in degrees, with the distribution in its details; nothing if none could tell."""
    num_told = len(found.tilt_deg)
    if not num_told:
        return
    weight = found.volume_um3 / found.volume_um3.sum()
    yield Quantity(
        "high_attenuation_tilt",
        found.mean_deg,
        "deg",
        found.uncertainty_deg,
        (NEAR_RESOLUTION,) if float(weight @ found.own_uncertainty_deg) > NEAR_RESOLUTION_DEG else (),
        {
            "num_told": num_told,
            "num_components": found.num_components,
            "tilts_deg": found.tilt_deg.round(2).tolist(),
            "azimuths_deg": found.azimuth_deg.round(1).tolist(),
            "own_uncertainties_deg": found.own_uncertainty_deg.round(2).tolist(),
            "volumes_um3": found.volume_um3.round(0).tolist(),
        },
    )
