"""From the frames of a tomogram to three slices, the analysis region and the grey reference, slab by slab of rows."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from live_analysis.corrections.axis_tilt import AxisTilt, axis_tilt
from live_analysis.corrections.counts_correction import Lean
from live_analysis.corrections.stripes import StripesFound, remove_stripes
from live_analysis.reconstruction.cylinder_model import fit_cylinder
from live_analysis.reconstruction.filtered_scan import FilteredScan, ends_in_air, filter_scan
from live_analysis.reconstruction.lattice import Lattice
from live_analysis.rotation_axis import RotationAxis, find_rotation_axis
from live_analysis.slices_picture import OrthogonalSlices
from live_analysis.tomogram_frames import TomogramFrames
from operando.model.geometry import CellGeometry, Region

SLAB_BYTES = 400_000_000  # of attenuation integrals; filtering and back projection hold several copies
AXIS_ROWS = 24
ROWS_FOR_BORE = 48
ROWS_TIMES_FRAMES_FOR_AXIS = 8640  # few projections need more rows to find the axis
REFERENCE_POINTS = 120  # about as many on a diameter of the reference's disc: 11,000 points a row
REGION_MARGIN_UM = (
    40.0  # around the region, so that what its faces cut is seen whole; the largest lenses are 60 um wide
)


@dataclass(frozen=True)
class Reference:
    """Heights above the bottom of the view and radius of the material that anchors the grey scale, in um."""

    bottom_um: float
    top_um: float
    radius_um: float


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
class TomogramVolume:
    """What was reconstructed, in 1/cm; ``region`` is None if none was asked or none of it was seen.

    ``rim_gap`` is the largest distance of neighbouring projections at the rim of the view, in pixels: 1 is ideal.
    ``num_dead`` and ``num_zingers`` of ``num_values`` pixels of the projections were made from their neighbours.
    ``tilt`` is how the axis leaned before the frames were set upright, None where nothing told it.
    """

    axis: RotationAxis
    slices: OrthogonalSlices
    region: RegionVolume | None
    reference_values: NDArray[np.float32] | None
    grey_values_absolute: bool
    coverage: float
    rim_gap: float
    num_dead: int
    num_zingers: int
    num_values: int
    tilt: AxisTilt | None
    stripes: StripesFound


def rows_of(bottom_um: float, top_um: float, num_rows: int, pixel_size_um: float) -> slice:
    """Return the detector rows between two heights above the bottom of the view, row 0 at the top."""
    first = round(num_rows - top_um / pixel_size_um)
    return slice(max(first, 0), min(first + round((top_um - bottom_um) / pixel_size_um), num_rows))


def reconstruct_tomogram(
    frames: TomogramFrames,
    pixel_size_um: float,
    *,
    cell: CellGeometry | None,
    wall_per_cm: float | None,
    region: Region | None,
    reference: Reference | None,
) -> TomogramVolume:
    """Reconstruct the slices through the middle and, where asked, region and reference.

    Raises
    ------
    RotationAxisError, CylinderFitError, MissingFramesError
        If the frames do not allow it; the message says why.
    """
    num_rows, num_columns = frames.frame_shape
    angles_deg = frames.angles_deg
    usable = frames.transparent_rows()
    box = None if region is None else _Box.around(region, num_rows, usable, pixel_size_um)
    reference_rows = (
        None if reference is None else rows_of(reference.bottom_um, reference.top_um, num_rows, pixel_size_um)
    )
    middle = (usable.start + usable.stop) // 2
    middle_row = middle if box is None else min(max(box.middle_row, usable.start), usable.stop - 1)
    tilt = _straightened(frames, angles_deg, usable)
    axis = _axis(frames, angles_deg, usable)
    bore_centre_um = None
    if cell is not None and wall_per_cm is not None:
        plain = _common(usable, usable if reference_rows is None else reference_rows)
        bore_centre_um = _bore_centre_um(frames, plain, axis.column, pixel_size_um, cell, wall_per_cm)

    square = Lattice.square(num_columns)
    lines = Lattice(1, num_columns), Lattice(num_columns, 1)
    planes = [np.full((num_rows, num_columns), np.nan, np.float32) for _ in lines]
    horizontal = np.full((num_columns, num_columns), np.nan, np.float32)
    region_parts, reference_parts = [], []
    disc = None if reference is None else _Disc.of_radius(reference.radius_um / pixel_size_um)
    num_dead = num_zingers = 0
    stripes = StripesFound()
    absolute, coverage, largest_gap_deg = True, 1.0, 180.0
    slab_rows = max(SLAB_BYTES // (4 * num_columns * len(angles_deg)), 1)
    for begin in range(usable.start, usable.stop, slab_rows):
        rows = slice(begin, min(begin + slab_rows, usable.stop))
        integrals = frames.integrals(rows)
        num_dead, num_zingers = num_dead + integrals.num_dead, num_zingers + integrals.num_zingers
        # Before stripes are taken off: columns brighter than their flat tell that the flat is not this beam's.
        absolute = absolute and (cell is not None or ends_in_air(integrals.values))
        stripes += remove_stripes(integrals.values, angles_deg, axis.column)
        scan = filter_scan(
            integrals.values,
            angles_deg,
            axis.column,
            pixel_size_um,
            cell=cell,
            wall_per_cm=wall_per_cm,
            bore_centre_um=bore_centre_um,
        )
        absolute = absolute and scan.grey_values_absolute
        coverage, largest_gap_deg = scan.weights.coverage, scan.weights.largest_gap_deg
        for plane, line in zip(planes, lines, strict=True):
            plane[rows] = scan.reconstruct(line).reshape(rows.stop - rows.start, num_columns)
        if rows.start <= middle_row < rows.stop:
            horizontal = scan.reconstruct(square, slice(middle_row - rows.start, middle_row - rows.start + 1))[0]
        if box is not None:
            region_parts += _part(scan, box.lattice, box.rows, rows)
        if disc is not None and reference_rows is not None:
            reference_parts += [part[:, disc.inside] for part in _part(scan, disc.lattice, reference_rows, rows)]
    return TomogramVolume(
        axis=axis,
        slices=OrthogonalSlices(horizontal, planes[0], planes[1], pixel_size_um),
        region=box.volume(np.concatenate(region_parts)) if box is not None and region_parts else None,
        reference_values=np.concatenate(reference_parts) if reference_parts else None,
        grey_values_absolute=absolute,
        coverage=coverage,
        rim_gap=float(np.radians(largest_gap_deg)) * num_columns / 2,
        num_dead=num_dead,
        num_zingers=num_zingers,
        num_values=len(angles_deg) * (usable.stop - usable.start) * num_columns,
        tilt=tilt,
        stripes=stripes,
    )


def _straightened(frames: TomogramFrames, angles_deg: NDArray[np.float64], usable: slice) -> AxisTilt | None:
    """Have frames set upright where the axis leans by more than noise; return the lean that was found."""
    tilt = axis_tilt(
        lambda index: frames.integrals(usable, slice(index, index + 1)).values[0], angles_deg, first_row=usable.start
    )
    if tilt is not None and tilt.worth_correcting(usable.stop - usable.start, frames.frame_shape[1]):
        frames.correct_with(replace(frames.settings, lean=Lean(tilt.tilt_deg, tilt.row, tilt.column)))
    return tilt


def _axis(frames: TomogramFrames, angles_deg: NDArray[np.float64], usable: slice) -> RotationAxis:
    middle = (usable.start + usable.stop) // 2
    wanted = max(AXIS_ROWS, ROWS_TIMES_FRAMES_FOR_AXIS // len(angles_deg))
    half = max(min(wanted, SLAB_BYTES // (4 * frames.frame_shape[1] * len(angles_deg))) // 2, 1)
    rows = slice(max(usable.start, middle - half), min(usable.stop, middle + half))
    return find_rotation_axis(frames.integrals(rows).values, angles_deg)


@dataclass(frozen=True)
class _Box:
    """Voxels of a region and its margin: ``parts`` are the parts of the voxels inside it along z, y and x."""

    lattice: Lattice
    rows: slice
    parts: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
    middle_row: int
    complete: bool

    @classmethod
    def around(cls, region: Region, num_rows: int, usable: slice, pixel_size_um: float) -> "_Box":
        """Lay voxels over a region and as much of its margin as can be seen."""
        margin = round(REGION_MARGIN_UM / pixel_size_um)
        wanted = rows_of(region.bottom_um, region.top_um, num_rows, pixel_size_um)
        rows = slice(max(wanted.start - margin, usable.start), min(wanted.stop + margin, usable.stop))
        num_x, num_y = (
            round(width_um / pixel_size_um) + 2 * margin for width_um in (region.width_x_um, region.width_y_um)
        )
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

    def volume(self, values_per_cm: NDArray[np.float32]) -> RegionVolume:
        """Join values to what is known of their voxels."""
        z, y, x = self.parts
        inside = (z[:, None, None] * y[:, None] * x).astype(np.float32)
        seen = bool(np.isfinite(values_per_cm[inside > 0]).all())
        core = (_core(z), _core(y), _core(x))
        return RegionVolume(values_per_cm, inside, core, self.rows, self.complete and seen)


def _overlap(
    low_um: NDArray[np.float64], high_um: NDArray[np.float64], bottom_um: float, top_um: float
) -> NDArray[np.float64]:
    covered = np.minimum(high_um, top_um) - np.maximum(low_um, bottom_um)
    return np.asarray(np.maximum(covered, 0.0) / (high_um - low_um))


def _parts(num: int, width_um: float, pixel_size_um: float) -> NDArray[np.float64]:
    low_um = (np.arange(num, dtype=np.float64) - num / 2) * pixel_size_um
    return _overlap(low_um, low_um + pixel_size_um, -width_um / 2, width_um / 2)


def _core(parts: NDArray[np.float64]) -> slice:
    held = np.flatnonzero(parts >= 0.5)
    return slice(int(held[0]), int(held[-1]) + 1) if held.size else slice(0, 0)


def _bore_centre_um(
    frames: TomogramFrames,
    rows: slice,
    axis_column: float,
    pixel_size_um: float,
    cell: CellGeometry,
    wall_per_cm: float,
) -> tuple[float, float]:
    """Fit the bore's centre once, in rows of the reference: single particles pull it, and slabs must not differ."""
    rows = slice(rows.start, min(rows.stop, rows.start + ROWS_FOR_BORE))
    values = frames.integrals(rows).values
    fit = fit_cylinder(values, frames.angles_deg, axis_column, pixel_size_um, cell, wall_per_cm)
    return fit.centre_x_um, fit.centre_y_um


def _common(usable: slice, wanted: slice) -> slice:
    """Return the usable ones of the rows wanted, all usable ones if there are none."""
    first, stop = max(usable.start, wanted.start), min(usable.stop, wanted.stop)
    return slice(first, stop) if first < stop else usable


@dataclass(frozen=True)
class _Disc:
    """A lattice over a disc about the rotation axis, and which of its points, shape (y, x), lie inside."""

    lattice: Lattice
    inside: NDArray[np.bool_]

    @classmethod
    def of_radius(cls, radius_columns: float) -> "_Disc":
        spacing_columns = max(2 * radius_columns / REFERENCE_POINTS, 1.0)
        num = int(2 * radius_columns / spacing_columns) + 1
        lattice = Lattice(num, num, spacing_columns)
        return cls(lattice, np.hypot(lattice.x, lattice.y) <= radius_columns)


def _part(scan: FilteredScan, lattice: Lattice, wanted: slice, rows: slice) -> list[NDArray[np.float32]]:
    begin, end = max(wanted.start, rows.start), min(wanted.stop, rows.stop)
    if begin >= end:
        return []
    return [scan.reconstruct(lattice, slice(begin - rows.start, end - rows.start))]
