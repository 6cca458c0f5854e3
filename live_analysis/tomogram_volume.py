"""From the frames of a tomogram to three slices, the analysis region and the grey reference, slab by slab of rows."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from live_analysis.corrections.axis_tilt import AxisTilt, axis_tilt
from live_analysis.corrections.counts_correction import Lean
from live_analysis.corrections.stripes import StripesFound, remove_stripes
from live_analysis.integral_slabs import IntegralSlabs
from live_analysis.reconstruction.cylinder_model import fit_cylinder
from live_analysis.reconstruction.filtered_scan import FilteredScan, ends_in_air, filter_scan
from live_analysis.reconstruction.lattice import Lattice
from live_analysis.region_volume import RegionBox, RegionVolume, rows_of
from live_analysis.rotation_axis import RotationAxis, find_rotation_axis
from live_analysis.slices_picture import OrthogonalSlices
from live_analysis.telling_rows import telling_rows
from live_analysis.tomogram_frames import TomogramFrames
from operando.model.geometry import CellGeometry, Region

AXIS_ROWS, FRAMES_FOR_ROWS = 24, 16
ROWS_FOR_BORE, FRAMES_FOR_BORE = 48, 180
ROWS_TIMES_FRAMES_FOR_AXIS = 8640  # few projections need more rows to find the axis
REFERENCE_POINTS = 240  # at most on a diameter of the reference's disc: 45,000 points a row


@dataclass(frozen=True)
class Reference:
    """Heights above the bottom of the view and radius of the material that anchors the grey scale, in um."""

    bottom_um: float
    top_um: float
    radius_um: float


@dataclass(frozen=True)
class TomogramVolume:
    """What was reconstructed, in 1/cm; a region is None if none was asked or none of it was seen.

    ``slice_row`` is the row of the horizontal slice.
    ``rim_gap`` is the largest distance of neighbouring projections at the rim of the view, in pixels: 1 is ideal.
    ``num_dead`` and ``num_zingers`` of ``num_values`` pixels of the projections were made from their neighbours.
    ``tilt`` is how the axis leaned before the frames were set upright, None where nothing told it.
    """

    axis: RotationAxis
    slices: OrthogonalSlices
    slice_row: int
    region: RegionVolume | None
    crack_region: RegionVolume | None
    reference_values: NDArray[np.float32] | None
    grey_values_absolute: bool
    coverage: float
    rim_gap: float
    num_dead: int
    num_zingers: int
    num_values: int
    tilt: AxisTilt | None
    stripes: StripesFound


def reconstruct_tomogram(
    frames: TomogramFrames,
    pixel_size_um: float,
    *,
    cell: CellGeometry | None,
    wall_per_cm: float | None,
    region: Region | None,
    reference: Reference | None,
    crack_region: Region | None = None,
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
    crack_box = None if crack_region is None else RegionBox.around(crack_region, num_rows, usable, pixel_size_um)
    within = None if crack_box is None else crack_box.lattice
    box = None if region is None else RegionBox.around(region, num_rows, usable, pixel_size_um, within=within)
    in_cracks = box is not None and crack_box is not None and box.lies_in(crack_box)
    reference_rows = (
        None if reference is None else rows_of(reference.bottom_um, reference.top_um, num_rows, pixel_size_um)
    )
    middle = (usable.start + usable.stop) // 2
    middle_row = middle if box is None else min(max(box.middle_row, usable.start), usable.stop - 1)
    tilt = _straightened(frames, angles_deg, usable)
    slabs = IntegralSlabs(frames, usable)
    axis = _axis(slabs, angles_deg)
    bore_centre_um = None
    if cell is not None and wall_per_cm is not None:
        plain = _common(usable, usable if reference_rows is None else reference_rows)
        plain = slice(plain.start, min(plain.stop, plain.start + ROWS_FOR_BORE))
        some = slice(None, None, max(len(angles_deg) // FRAMES_FOR_BORE, 1))
        fit = fit_cylinder(slabs.values(plain, some), angles_deg[some], axis.column, pixel_size_um, cell, wall_per_cm)
        # Once, in rows of the reference: single particles pull the centre, and slabs must not differ.
        bore_centre_um = fit.centre_x_um, fit.centre_y_um

    lines = Lattice(1, num_columns), Lattice(num_columns, 1)
    planes = [np.full((num_rows, num_columns), np.nan, np.float32) for _ in lines]
    horizontal = np.full((num_columns, num_columns), np.nan, np.float32)
    region_parts, crack_parts, reference_parts = [], [], []
    disc = None if reference is None else _Disc.of_radius(reference.radius_um / pixel_size_um)
    num_dead = num_zingers = 0
    stripes = StripesFound()
    absolute, coverage, largest_gap_deg = True, 1.0, 180.0
    scan: FilteredScan | None = None
    for rows, integrals in slabs:
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
            in_place_of=scan,
        )
        absolute = absolute and scan.grey_values_absolute
        coverage, largest_gap_deg = scan.weights.coverage, scan.weights.largest_gap_deg
        for plane, line in zip(planes, lines, strict=True):
            plane[rows] = scan.reconstruct(line).reshape(rows.stop - rows.start, num_columns)
        if rows.start <= middle_row < rows.stop:
            horizontal = scan.slice_of_row(middle_row - rows.start)
        if box is not None and not in_cracks:
            region_parts += _part(scan, box.lattice, box.rows, rows)
        if crack_box is not None:
            crack_parts += _part(scan, crack_box.lattice, crack_box.rows, rows)
        if disc is not None and reference_rows is not None:
            reference_parts += [part[:, disc.inside] for part in _part(scan, disc.lattice, reference_rows, rows)]
    cracks = crack_box.volume(np.concatenate(crack_parts)) if crack_box is not None and crack_parts else None
    found = box.volume(np.concatenate(region_parts)) if box is not None and region_parts else None
    if box is not None and cracks is not None and in_cracks:
        found = box.cut(cracks.values_per_cm, cracks.rows.start)
    return TomogramVolume(
        axis=axis,
        slices=OrthogonalSlices(horizontal, planes[0], planes[1], pixel_size_um),
        slice_row=middle_row,
        region=found,
        crack_region=cracks,
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


def _axis(slabs: IntegralSlabs, angles_deg: NDArray[np.float64]) -> RotationAxis:
    num = len(angles_deg)
    wanted = max(AXIS_ROWS, ROWS_TIMES_FRAMES_FOR_AXIS // num)
    some = np.unique(np.linspace(0, num - 1, min(num, FRAMES_FOR_ROWS)).round().astype(int))
    rows = telling_rows(np.stack([slabs.frame(int(index)) for index in some]), min(wanted, slabs.num_rows))
    first = slabs.usable.start
    return find_rotation_axis(slabs.values(slice(first + rows.start, first + rows.stop)), angles_deg)


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
