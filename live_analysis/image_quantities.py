"""Everything that the frames of one tomogram tell, and the files that are left of them."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from live_analysis.crack_states import compare_cracks
from live_analysis.cracks.crack_volume import CrackVolume, search_cracks
from live_analysis.cracks.matrix_blocks import voxels_of_blocks
from live_analysis.earlier_states import EarlierStates
from live_analysis.quantity import Quantity
from live_analysis.region_file import region_state, write_region
from live_analysis.region_quantities import (
    AppliedScale,
    anchored_scale,
    inclusions_of,
    region_quantities,
)
from live_analysis.region_volume import RegionVolume
from live_analysis.scan_quality import NOT_ABSOLUTE, scan_flags, scan_quantities
from live_analysis.slice_masks import CRACK, HIGH_ATTENUATION, SliceMasks
from live_analysis.slices_file import write_slices
from live_analysis.state_quantities import PresentState, state_quantities
from live_analysis.states.interface import find_interface, interface_quantities
from live_analysis.states.placed_volume import PlacedVolume, StateError
from live_analysis.tomogram_context import TomogramContext
from live_analysis.tomogram_frames import TomogramFrames
from live_analysis.tomogram_picture import draw_picture
from live_analysis.tomogram_volume import Reference, TomogramVolume, reconstruct_tomogram
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
    slices = scale.slices(volume.slices)
    slices = slices if context.pixel_size_known else slices.per_voxel(pixel_um)
    draw_picture(context, slices, absolute=volume.grey_values_absolute, coverage=volume.coverage)
    write_slices(context.run.volume(tomogram.attempt), slices, flags=flags, run_uid=tomogram.uid)
    yield from scan_quantities(context, frames, volume, flags)
    if analysis is not None and volume.region is not None:
        masks = SliceMasks(volume.slices, volume.slice_row)
        view = _View(context, pixel_um, frames.frame_shape[0], NOT_ABSOLUTE not in flags, masks)
        for quantity in _of_regions(view, analysis, volume, scale, volume.region, readings, earlier):
            yield replace(quantity, flags=(*flags, *quantity.flags))


@dataclass(frozen=True)
class _View:
    context: TomogramContext
    pixel_um: float
    num_rows: int
    absolute: bool
    masks: SliceMasks


def _of_regions(
    view: _View,
    analysis: Analysis,
    volume: TomogramVolume,
    scale: AppliedScale,
    unscaled: RegionVolume,
    readings: Sequence[Quantity],
    earlier: EarlierStates,
) -> Iterator[Quantity]:
    context, pixel_um, masks = view.context, view.pixel_um, view.masks
    tomogram, folder = context.tomogram, context.run.volume(context.tomogram.attempt)
    region = scale.region(unscaled)
    found = inclusions_of(region, analysis, pixel_size_um=pixel_um, energy_kev=context.said("energy_kev"))
    masks.mark(found.mask, region, HIGH_ATTENUATION)
    yield from region_quantities(region, found, scale.grey, analysis.high_attenuation_material)
    wide, search = None, None
    interface, cracked = None, np.zeros(region.values_per_cm.shape, np.bool_)
    if volume.crack_region is not None and view.absolute:
        wide = scale.region(volume.crack_region)
        search = search_cracks(wide.values_per_cm, pixel_um, wide.inside)
        # What is dark is followed nowhere, whether it was there before or not: this asks for no earlier state.
        cracked = _within(_cracked_voxels(search.measured(), wide), wide, region)
        with contextlib.suppress(StateError):
            interface = find_interface(PlacedVolume.of_region(wide, pixel_um, view.num_rows))
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
        uncertainty = 0.0 if scale.grey is None else scale.grey.uncertainty_per_cm(1.0)
        told = {quantity.name: quantity for quantity in readings}
        yield from state_quantities(context, PresentState(state, cracked, uncertainty, told, interface), earlier)
    if wide is not None and search is not None:
        compared = compare_cracks(
            context, search, wide, pixel_size_um=pixel_um, num_rows=view.num_rows, face=state.face, earlier=earlier
        )
        masks.mark(_cracked_voxels(compared.found, wide), wide, CRACK)
        yield from compared.quantities(complete=wide.complete)
    masks.write(folder, tomogram=tomogram.name, run_uid=tomogram.uid)


def _cracked_voxels(found: CrackVolume, wide: RegionVolume) -> NDArray[np.bool_]:
    return voxels_of_blocks(found.blocks, found.width, wide.values_per_cm.shape)


def _within(voxels: NDArray[np.bool_], wide: RegionVolume, region: RegionVolume) -> NDArray[np.bool_]:
    """Cut the voxels of a region out of a wider one about the same axis; what lies beyond it is False."""
    result = np.zeros(region.values_per_cm.shape, np.bool_)
    rows = slice(max(region.rows.start, wide.rows.start), min(region.rows.stop, wide.rows.stop))
    cut = voxels[rows.start - wide.rows.start : rows.stop - wide.rows.start]
    place = result[rows.start - region.rows.start : rows.stop - region.rows.start]
    y, x = ((have - own) // 2 for have, own in zip(cut.shape[1:], place.shape[1:], strict=True))
    if y >= 0 and x >= 0:
        place[:] = cut[:, y : y + place.shape[1], x : x + place.shape[2]]
    return result


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
