"""Where the voxels of the analysis region lie, and which part of each belongs to it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.reconstruction.lattice import Lattice
from operando.model.geometry import REGION_MARGIN_UM, Region


def rows_of(bottom_um: float, top_um: float, num_rows: int, pixel_size_um: float) -> slice:
    """Return the detector rows between two heights above the bottom of the view, row 0 at the top."""
    first = round(num_rows - top_um / pixel_size_um)
    return slice(max(first, 0), min(first + round((top_um - bottom_um) / pixel_size_um), num_rows))


@dataclass(frozen=True)
class RegionVolume:
    """The analysis region with a margin around it, ordered (z, y, x) with z downwards.

    ``values_per_cm`` is NaN outside the view. ``inside`` is the part of each voxel that lies in the region, 0 to 1.
    ``core`` selects the voxels of the region, to the nearest whole one. ``rows`` are the detector rows of the values.
    ``complete`` is False where the view or a steel piston cuts the region.
    """

    values_per_cm: NDArray[np.float32]
    inside: NDArray[np.float32]
    core: tuple[slice, slice, slice]
    rows: slice
    complete: bool


@dataclass(frozen=True)
class RegionBox:
    """Voxels of a region and its margin: ``parts`` are the parts of the voxels inside it along z, y and x."""

    lattice: Lattice
    rows: slice
    parts: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
    middle_row: int
    complete: bool

    @classmethod
    def around(
        cls, region: Region, num_rows: int, usable: slice, pixel_size_um: float, *, within: Lattice | None = None
    ) -> "RegionBox":
        """Lay voxels over a region and as much of its margin as can be seen, on those of ``within`` if it is given."""
        margin = round(REGION_MARGIN_UM / pixel_size_um)
        wanted = rows_of(region.bottom_um, region.top_um, num_rows, pixel_size_um)
        rows = slice(max(wanted.start - margin, usable.start), min(wanted.stop + margin, usable.stop))
        num_x, num_y = (
            round(width_um / pixel_size_um) + 2 * margin for width_um in (region.width_x_um, region.width_y_um)
        )
        if within is not None:  # both have the axis in their middle: their voxels agree if both numbers are odd or even
            num_x, num_y = num_x + (within.num_x - num_x) % 2, num_y + (within.num_y - num_y) % 2
        edges_um = (num_rows - np.arange(rows.start, max(rows.stop, rows.start) + 1)) * pixel_size_um
        z_parts = _overlap(edges_um[1:], edges_um[:-1], region.bottom_um, region.top_um)
        seen_um = float(z_parts.sum()) * pixel_size_um
        return cls(
            Lattice(num_y, num_x),
            rows,
            (z_parts, _parts(num_y, region.width_y_um, pixel_size_um), _parts(num_x, region.width_x_um, pixel_size_um)),
            (wanted.start + wanted.stop) // 2,
            seen_um > region.top_um - region.bottom_um - pixel_size_um / 2,
        )

    def lies_in(self, other: "RegionBox") -> bool:
        """Whether all voxels are among those of another box."""
        own, its = self.lattice, other.lattice
        return (
            other.rows.start <= self.rows.start
            and self.rows.stop <= other.rows.stop
            and all(a <= b and (b - a) % 2 == 0 for a, b in zip(own.shape, its.shape, strict=True))
        )

    def cut(self, values_per_cm: NDArray[np.float32], first_row: int) -> RegionVolume:
        """Take the voxels out of a larger volume about the rotation axis, whose first row is ``first_row``."""
        y, x = ((have - own) // 2 for have, own in zip(values_per_cm.shape[1:], self.lattice.shape, strict=True))
        rows = slice(self.rows.start - first_row, self.rows.stop - first_row)
        return self.volume(values_per_cm[rows, y : y + self.lattice.num_y, x : x + self.lattice.num_x])

    def volume(self, values_per_cm: NDArray[np.float32]) -> RegionVolume:
        """Join values to what is known of their voxels."""
        z, y, x = (part.astype(np.float32) for part in self.parts)
        z_core, y_core, x_core = (_span(part >= 0.5) for part in (z, y, x))
        reached = tuple(_span(part > 0) for part in (z, y, x))
        seen = bool(np.isfinite(values_per_cm[reached]).all())
        core = z_core, y_core, x_core
        return RegionVolume(values_per_cm, z[:, None, None] * y[:, None] * x, core, self.rows, self.complete and seen)


def _overlap(
    low_um: NDArray[np.float64], high_um: NDArray[np.float64], bottom_um: float, top_um: float
) -> NDArray[np.float64]:
    covered = np.minimum(high_um, top_um) - np.maximum(low_um, bottom_um)
    return np.asarray(np.maximum(covered, 0.0) / (high_um - low_um))


def _parts(num: int, width_um: float, pixel_size_um: float) -> NDArray[np.float64]:
    low_um = (np.arange(num, dtype=np.float64) - num / 2) * pixel_size_um
    return _overlap(low_um, low_um + pixel_size_um, -width_um / 2, width_um / 2)


def _span(chosen: NDArray[np.bool_]) -> slice:
    held = np.flatnonzero(chosen)
    return slice(int(held[0]), int(held[-1]) + 1) if held.size else slice(0, 0)
