"""What the binned live volume tells within seconds of the last projection, until finer voxels have been measured."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from live_analysis.grey_scale import GreyAnchor, measure_anchor, two_point_scale
from live_analysis.high_attenuation_volume import NEAR_RESOLUTION, high_attenuation_volume
from live_analysis.live.known_slab import values_of_slab
from live_analysis.live.live_tomogram import LiveResult
from live_analysis.quantity import Quantity
from live_analysis.reconstruction.lattice import Lattice
from live_analysis.region_volume import RegionBox
from operando.model.experiment import Analysis
from operando.model.materials import attenuation_per_cm

QUICK = "quick"
# Simulated cells with voxels of 7 um: 0.32 to 0.33 of the true volume where lenses are near the resolution, 1.04 to
# 1.15 where they are not.
HARDLY_RESOLVED, RESOLVED = 1.0, 0.08


def quick_quantities(live: LiveResult, analysis: Analysis, *, energy_kev: float) -> Iterator[Quantity]:
    """Measure the volume of strongly attenuating inclusions in the live volume; flagged as quick.

    Nothing is measured where grey values are not absolute or the region is not seen.

    Raises
    ------
    GreyScaleError, MaterialError
        If the known slab looks like nothing, or the attenuation of the phase is not known.
    """
    values = live.volume.values_per_cm
    if not live.volume.grey_values_absolute:
        return
    usable = slice(live.first_row, live.first_row + len(values))
    square = Lattice.square(values.shape[2])
    box = RegionBox.around(analysis.region.region, live.num_rows, usable, live.voxel_size_um, within=square)
    if not box.rows.start < box.rows.stop or box.lattice.num_x > square.num_x or box.lattice.num_y > square.num_y:
        return
    region = box.cut(values, live.first_row)
    slab = analysis.grey_reference
    known = values_of_slab(slab, values, live.first_row, live.num_rows, live.voxel_size_um)
    if known.size:
        void = GreyAnchor("void", 0.0, 0.0, 0.0, 0.0)
        scale = two_point_scale(void, measure_anchor(known, slab.name, slab.attenuation))
        region = replace(region, values_per_cm=scale.apply(region.values_per_cm))
    found = high_attenuation_volume(
        region.values_per_cm,
        live.voxel_size_um,
        attenuation_per_cm(analysis.high_attenuation_material, energy_kev),
        resolution_fwhm_um=analysis.resolution,
        inside=region.inside,
    )
    bias = HARDLY_RESOLVED if NEAR_RESOLUTION in found.flags else RESOLVED
    yield Quantity(
        "high_attenuation_volume",
        found.volume_um3,
        "um3",
        float(np.hypot(found.uncertainty_um3, bias * found.volume_um3)),
        (
            *(() if region.complete else ("region_cut",)),
            *(() if known.size else ("no_grey_reference",)),
            *found.flags,
            QUICK,
        ),
        {"voxel_size_um": live.voxel_size_um, "ready_s": live.ready_s},
    )
