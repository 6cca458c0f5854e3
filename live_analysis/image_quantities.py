"""Everything that the frames of one tomogram tell, and the files that are left of them."""

from collections.abc import Iterator
from dataclasses import replace

from live_analysis.cracks.crack_volume import crack_volume
from live_analysis.quantity import Quantity
from live_analysis.region_file import region_state, write_region
from live_analysis.region_quantities import anchored_scale, crack_quantities, inclusions_of, region_quantities
from live_analysis.scan_quality import NOT_ABSOLUTE, scan_flags, scan_quantities
from live_analysis.slice_masks import CRACK, HIGH_ATTENUATION, SliceMasks, voxels_of_blocks
from live_analysis.slices_file import write_slices
from live_analysis.tomogram_context import TomogramContext
from live_analysis.tomogram_frames import TomogramFrames
from live_analysis.tomogram_picture import draw_picture
from live_analysis.tomogram_volume import Reference, TomogramVolume, reconstruct_tomogram
from operando.model.experiment import Analysis


def image_quantities(context: TomogramContext, frames: TomogramFrames) -> Iterator[Quantity]:
    """Reconstruct and measure a tomogram; each quantity comes as soon as it is known.

    Raises
    ------
    ValueError, OSError
        If the frames do not allow it; the message says why.
    """
    pixel_um, analysis, tomogram = context.said("pixel_size_um"), context.analysis, context.tomogram
    volume = _reconstructed(context, frames, pixel_um)
    scale = anchored_scale(analysis, volume)
    flags = (*scan_flags(context, frames, volume), *scale.flags)
    slices = scale.slices(volume.slices)
    slices = slices if context.pixel_size_known else slices.per_voxel(pixel_um)
    draw_picture(context, slices, absolute=volume.grey_values_absolute, coverage=volume.coverage)
    folder = context.run.volume(tomogram.attempt)
    write_slices(folder, slices, flags=flags, run_uid=tomogram.uid)
    yield from scan_quantities(context, frames, volume, flags)
    if analysis is None or volume.region is None:
        return
    region = scale.region(volume.region)
    state = region_state(
        region,
        num_rows=frames.frame_shape[0],
        pixel_size_um=pixel_um,
        tomogram=tomogram.name,
        run_uid=tomogram.uid,
    )
    write_region(folder, state)
    found = inclusions_of(region, analysis, pixel_size_um=pixel_um, energy_kev=context.said("energy_kev"))
    masks = SliceMasks(volume.slices, volume.slice_row)
    masks.mark(found.mask, region, HIGH_ATTENUATION)
    for quantity in region_quantities(region, found, scale.grey, analysis.high_attenuation_material):
        yield replace(quantity, flags=(*flags, *quantity.flags))
    if volume.crack_region is not None and NOT_ABSOLUTE not in flags:
        wide = scale.region(volume.crack_region)
        cracks = crack_volume(wide.values_per_cm, pixel_um, wide.inside)
        masks.mark(voxels_of_blocks(cracks.blocks, cracks.width, wide.values_per_cm.shape), wide, CRACK)
        for quantity in crack_quantities(cracks, complete=wide.complete):
            yield replace(quantity, flags=(*flags, *quantity.flags))
    masks.write(folder, tomogram=tomogram.name, run_uid=tomogram.uid)


def _reconstructed(context: TomogramContext, frames: TomogramFrames, pixel_size_um: float) -> TomogramVolume:
    analysis = context.analysis
    frames.correct_with(context.corrections(frames.frame_shape[1]))
    return reconstruct_tomogram(
        frames,
        pixel_size_um,
        cell=context.cell,
        wall_per_cm=context.wall_per_cm,
        region=None if analysis is None else analysis.region.region,
        reference=None if analysis is None else _reference(analysis),
        crack_region=None if analysis is None or analysis.crack_region is None else analysis.crack_region.region,
    )


def _reference(analysis: Analysis) -> Reference:
    slab = analysis.grey_reference
    return Reference(slab.bottom, slab.top, slab.radius)
