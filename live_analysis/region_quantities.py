"""What the regions hold: attenuation of the matrix, volume of the phase that attenuates strongly, cracks."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np

from live_analysis.cracks.crack_changes import CrackChanges
from live_analysis.cracks.crack_volume import CrackVolume
from live_analysis.grey_scale import LARGEST_REFERENCE_ERROR, GreyAnchor, GreyScale, measure_anchor, two_point_scale
from live_analysis.high_attenuation_volume import HighAttenuationVolume, high_attenuation_volume
from live_analysis.matrix_attenuation import matrix_attenuation
from live_analysis.quantity import Quantity
from live_analysis.region_volume import RegionVolume
from live_analysis.slices_picture import OrthogonalSlices
from live_analysis.tomogram_volume import TomogramVolume
from operando.model.experiment import Analysis
from operando.model.materials import attenuation_per_cm

# Cracks that lie closer than two voxels above each other count as one: simulated ones, 20 to 50 in a square millimetre
# with voxels of 3.5 um, were found as 0.74 to 1.0 of their number, their opening as 0.94 to 1.2 of the true one (the
# thinner the higher), and the normals of level ones within 0.2 degrees on average.
UNCERTAIN_COUNT, UNCERTAIN_THICKNESS, UNCERTAIN_TILT_DEG = 0.2, 0.10, 0.5


@dataclass(frozen=True)
class AppliedScale:
    """The grey scale of a tomogram, None where nothing anchors it, and the flags that this gives its numbers."""

    grey: GreyScale | None
    flags: tuple[str, ...]

    def slices(self, slices: OrthogonalSlices) -> OrthogonalSlices:
        """Put slices on the scale."""
        if self.grey is None:
            return slices
        xy, xz, yz = (self.grey.apply(plane) for plane in (slices.xy, slices.xz, slices.yz))
        return OrthogonalSlices(xy, xz, yz, slices.voxel_size_um)

    def region(self, region: RegionVolume) -> RegionVolume:
        """Put the region on the scale."""
        return region if self.grey is None else replace(region, values_per_cm=self.grey.apply(region.values_per_cm))


def anchored_scale(analysis: Analysis | None, volume: TomogramVolume) -> AppliedScale:
    """Anchor the scale to the reference slab and to nothing: where there is no matter, projections add up to zero.

    Values that should have been absolute without it, and were not, contradict the declared cell: a flag says so.

    Raises
    ------
    GreyScaleError
        If the slab looks like nothing.
    """
    if analysis is None:
        return AppliedScale(None, ())
    if volume.reference_values is None or not np.isfinite(volume.reference_values).any():
        return AppliedScale(None, ("no_grey_reference",))
    slab = analysis.grey_reference
    void = GreyAnchor("void", 0.0, 0.0, 0.0, 0.0)
    anchor = measure_anchor(volume.reference_values, slab.name, slab.attenuation)
    scale = two_point_scale(void, anchor)
    contradicted = volume.grey_values_absolute and abs(scale.gain - 1) > LARGEST_REFERENCE_ERROR
    return AppliedScale(scale, ("cell_contradicted",) if contradicted else ())


def inclusions_of(
    region: RegionVolume, analysis: Analysis, *, pixel_size_um: float, energy_kev: float
) -> HighAttenuationVolume:
    """Find the strongly attenuating inclusions of a region whose values are on the scale already.

    Raises
    ------
    MaterialError
        If the attenuation of the phase is not known.
    """
    return high_attenuation_volume(
        region.values_per_cm,
        pixel_size_um,
        attenuation_per_cm(analysis.high_attenuation_material, energy_kev),
        resolution_fwhm_um=analysis.resolution,
        inside=region.inside,
    )


def region_quantities(
    region: RegionVolume, found: HighAttenuationVolume, scale: GreyScale | None, material: str
) -> Iterator[Quantity]:
    """Return what a region tells: its matrix, and the inclusions found of a material."""
    flags = () if region.complete else ("region_cut",)
    if scale is not None:
        yield Quantity("grey_scale_gain", scale.gain, "1", scale.uncertainty_per_cm(1.0), flags)
    matrix = matrix_attenuation(region.values_per_cm[region.core])
    yield Quantity("matrix_attenuation", matrix.per_cm, "1/cm", matrix.uncertainty_per_cm, flags)
    yield Quantity(
        "high_attenuation_volume",
        found.volume_um3,
        "um3",
        found.uncertainty_um3,
        (*flags, *found.flags),
        {
            "material": material,
            "num_components": found.num_components,
            "median_thickness_um": found.median_thickness_um,
            "noise_per_cm": found.noise_per_cm,
        },
    )


def crack_quantities(
    found: CrackVolume,
    *,
    complete: bool,
    pristine: str | None = None,
    before: str | None = None,
    changes: CrackChanges | None = None,
) -> Iterator[Quantity]:
    """Return what the cracks found in a region tell; thickness and tilt only where some are.

    Parameters
    ----------
    found
        The cracks.
    complete
        Whether all of their region is seen.
    pristine, before
        Names of the tomograms since which the cracks opened and the changes happened; None where there was none.
    changes
        Since the tomogram before.
    """
    flags = (*(() if complete else ("region_cut",)), *found.flags)
    yield Quantity(
        "crack_volume",
        found.volume_um3,
        "um3",
        found.uncertainty_um3,
        flags,
        {
            "detection_limit_um3": found.detection_limit_um3,
            "opened_since": pristine,
            "num_there_before": len(found.was_there),
            "volume_there_before_um3": sum(crack.volume_um3 for crack in found.was_there),
            "tilts_deg": [crack.tilt_deg for crack in found.cracks],
            "azimuths_deg": [crack.azimuth_deg for crack in found.cracks],
        },
    )
    since = {} if changes is None else {"since": before, **asdict(changes)}
    if not found.cracks:
        yield Quantity("crack_count", 0, "1", 0.0, flags, since)
        return
    of_volume = found.uncertainty_um3 / found.volume_um3  # where volume may be missing, so may cracks
    uncertain_count = float(np.hypot(UNCERTAIN_COUNT, of_volume)) * len(found.cracks)
    yield Quantity("crack_count", len(found.cracks), "1", uncertain_count, flags, since)
    volumes = np.array([crack.volume_um3 for crack in found.cracks])
    thickness_um = float(np.average([crack.thickness_um for crack in found.cracks], weights=volumes))
    tilt_deg = float(np.average([crack.tilt_deg for crack in found.cracks], weights=volumes))
    uncertain = float(np.hypot(UNCERTAIN_THICKNESS, of_volume))
    yield Quantity("crack_thickness", thickness_um, "um", uncertain * thickness_um, flags)
    yield Quantity("crack_tilt", tilt_deg, "deg", UNCERTAIN_TILT_DEG, flags)
