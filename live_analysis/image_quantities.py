"""Everything that the frames of one tomogram tell, and the files that are left of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from live_analysis.beside import Beside
from live_analysis.crack_states import compare_cracks
from live_analysis.earlier_states import EarlierStates
from live_analysis.quantity import Quantity
from live_analysis.region_file import region_state, write_region
from live_analysis.region_quantities import AppliedScale, anchored_scale, inclusions_of, region_quantities
from live_analysis.region_volume import RegionVolume
from live_analysis.scan_quality import NOT_ABSOLUTE, scan_flags, scan_quantities
from live_analysis.slice_masks import CRACK, HIGH_ATTENUATION, SliceMasks
from live_analysis.slices_file import write_slices
from live_analysis.state_quantities import PresentState, state_quantities
from live_analysis.states.interface import interface_quantities
from live_analysis.tomogram_context import TomogramContext
from live_analysis.tomogram_frames import TomogramFrames
from live_analysis.tomogram_picture import draw_picture
from live_analysis.tomogram_volume import Reference, TomogramVolume, reconstruct_tomogram
from live_analysis.wide_region import WideRegion, look_through
from operando.model.experiment import Analysis


def image_quantities(
    context: TomogramContext, frames: TomogramFrames, readings: Sequence[Quantity], earlier: EarlierStates
) -> Iterator[Quantity]:
    """Reconstruct and measure a tomogram; each quantity comes as soon as it is known.

    Parameters
    ----------
    context, frames
        The tomogram.
    readings
        What the cell did meanwhile.
    earlier
        The states that it is compared with.

    Raises
    ------
    ValueError, OSError
        If the frames do not allow it; the message says why.
    """
    pixel_um, analysis, tomogram = context.said("pixel_size_um"), context.analysis, context.tomogram
    volume = _reconstructed(context, frames, pixel_um)
    scale = anchored_scale(analysis, volume)
    flags = (*scan_flags(context, frames, volume), *scale.flags)
    with Beside() as beside:
        looking = None
        if volume.crack_region is not None and NOT_ABSOLUTE not in flags:
            looking = beside.begin(look_through, volume.crack_region, scale, pixel_um, frames.frame_shape[0])
        slices = scale.slices(volume.slices)
        slices = slices if context.pixel_size_known else slices.per_voxel(pixel_um)
        draw_picture(context, slices, absolute=volume.grey_values_absolute, coverage=volume.coverage)
        write_slices(context.run.volume(tomogram.attempt), slices, flags=flags, run_uid=tomogram.uid)
        yield from scan_quantities(context, frames, volume, flags)
        if analysis is None or volume.region is None:
            return
        region = scale.region(volume.region)
        found = inclusions_of(region, analysis, pixel_size_um=pixel_um, energy_kev=context.said("energy_kev"))
        for quantity in region_quantities(region, found, scale.grey, analysis.high_attenuation_material):
            yield replace(quantity, flags=(*flags, *quantity.flags))
        wide = None if looking is None else looking()
    masks = SliceMasks(volume.slices, volume.slice_row)
    masks.mark(found.mask, region, HIGH_ATTENUATION)
    view = _View(context, pixel_um, frames.frame_shape[0], NOT_ABSOLUTE not in flags, masks)
    for quantity in _of_states(view, region, wide, scale, readings, earlier):
        yield replace(quantity, flags=(*flags, *quantity.flags))


@dataclass(frozen=True)
class _View:
    context: TomogramContext
    pixel_um: float
    num_rows: int
    absolute: bool
    masks: SliceMasks


def _of_states(
    view: _View,
    region: RegionVolume,
    wide: WideRegion | None,
    scale: AppliedScale,
    readings: Sequence[Quantity],
    earlier: EarlierStates,
) -> Iterator[Quantity]:
    """Compare with earlier states, and leave for later ones what they need of this."""
    context, pixel_um, masks = view.context, view.pixel_um, view.masks
    tomogram, folder = context.tomogram, context.run.volume(context.tomogram.attempt)
    interface = None if wide is None else wide.interface
    if interface is not None:
        yield from interface_quantities(interface)
    state = region_state(
        region,
        num_rows=view.num_rows,
        pixel_size_um=pixel_um,
        tomogram=tomogram.name,
        run_uid=tomogram.uid,
        face=None if interface is None else interface.face,
        absolute=view.absolute,
    )
    write_region(folder, state)
    if view.absolute and "outer_run" in tomogram.start:
        dark = np.zeros(region.values_per_cm.shape, np.bool_) if wide is None else wide.dark_within(region)
        uncertainty = 0.0 if scale.grey is None else scale.grey.uncertainty_per_cm(1.0)
        told = {quantity.name: quantity for quantity in readings}
        yield from state_quantities(context, PresentState(state, dark, uncertainty, told, interface), earlier)
    if wide is not None:
        compared = compare_cracks(
            context,
            wide.search,
            wide.region,
            pixel_size_um=pixel_um,
            num_rows=view.num_rows,
            face=state.face,
            earlier=earlier,
        )
        masks.mark(wide.voxels_of(compared.found), wide.region, CRACK)
        yield from compared.quantities(complete=wide.region.complete)
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
