"""The wide region of a tomogram, and what is looked for in it by itself: cracks, and where the cathode ends."""

import contextlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.cracks.crack_volume import CrackSearch, CrackVolume, search_cracks
from live_analysis.cracks.matrix_blocks import voxels_of_blocks
from live_analysis.region_quantities import AppliedScale
from live_analysis.region_volume import RegionVolume
from live_analysis.states.interface import Interface, find_interface
from live_analysis.states.placed_volume import PlacedVolume, StateError


@dataclass(frozen=True)
class WideRegion:
    """The region in 1/cm, where it is dark, and the interface, None where it was not found."""

    region: RegionVolume
    search: CrackSearch
    interface: Interface | None
    _dark: NDArray[np.bool_]

    def dark_within(self, other: RegionVolume) -> NDArray[np.bool_]:
        """Return which voxels of a region about the same axis are dark as in a crack; what lies beyond is not.

        Whether they were dark before or not: this asks for no earlier state.
        """
        result = np.zeros(other.values_per_cm.shape, np.bool_)
        own = self.region.rows
        rows = slice(max(other.rows.start, own.start), min(other.rows.stop, own.stop))
        cut = self._dark[rows.start - own.start : rows.stop - own.start]
        place = result[rows.start - other.rows.start : rows.stop - other.rows.start]
        y, x = ((have - wanted) // 2 for have, wanted in zip(cut.shape[1:], place.shape[1:], strict=True))
        if y >= 0 and x >= 0:
            place[:] = cut[:, y : y + place.shape[1], x : x + place.shape[2]]
        return result

    def voxels_of(self, found: CrackVolume) -> NDArray[np.bool_]:
        """Return which voxels belong to what was found in this region."""
        return _voxels(found, self.region)


def look_through(unscaled: RegionVolume, scale: AppliedScale, pixel_size_um: float, num_rows: int) -> WideRegion:
    """Look for cracks and for the interface.

    Parameters
    ----------
    unscaled, scale
        The region as it was reconstructed, and its grey scale.
    pixel_size_um, num_rows
        Of the detector.

    Raises
    ------
    CrackVolumeError
        If nothing of the region is seen.
    """
    region = scale.region(unscaled)
    search = search_cracks(region.values_per_cm, pixel_size_um, region.inside)
    interface = None
    with contextlib.suppress(StateError):
        interface = find_interface(PlacedVolume.of_region(region, pixel_size_um, num_rows))
    return WideRegion(region, search, interface, _voxels(search.measured(), region))


def _voxels(found: CrackVolume, region: RegionVolume) -> NDArray[np.bool_]:
    return voxels_of_blocks(found.blocks, found.width, region.values_per_cm.shape)
