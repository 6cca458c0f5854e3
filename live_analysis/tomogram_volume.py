"""From the frames of a tomogram to three slices, the analysis region and the grey reference, slab by slab of rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from live_analysis.filtered_back_projection import Grid
from live_analysis.reconstruction import FilteredScan, filter_truncated
from live_analysis.rotation_axis import RotationAxis, find_rotation_axis
from live_analysis.slices_picture import OrthogonalSlices
from live_analysis.tomogram_frames import TomogramFrames
from operando.model.geometry import CellGeometry, Region

SLAB_BYTES = 1_000_000_000  # of attenuation integrals held at once
AXIS_ROWS = 24
REFERENCE_POINTS = 40  # per side of the square around the reference's disc


@dataclass(frozen=True)
class Reference:
    """Heights above the bottom of the view and radius of the material that anchors the grey scale, in um."""

    bottom_um: float
    top_um: float
    radius_um: float


@dataclass(frozen=True)
class TomogramVolume:
    """What was reconstructed, in 1/cm; ``region`` is ordered (z, y, x) with z downwards, None if none was asked."""

    axis: RotationAxis
    slices: OrthogonalSlices
    region: NDArray[np.float32] | None
    region_rows: slice | None
    reference_values: NDArray[np.float32] | None
    grey_values_absolute: bool
    coverage: float
    num_dead: int
    num_zingers: int


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
    region_rows = None if region is None else rows_of(region.bottom_um, region.top_um, num_rows, pixel_size_um)
    reference_rows = (
        None if reference is None else rows_of(reference.bottom_um, reference.top_um, num_rows, pixel_size_um)
    )
    middle = (usable.start + usable.stop) // 2
    middle_row = middle if region_rows is None else (region_rows.start + region_rows.stop) // 2
    axis = _axis(frames, angles_deg, usable)

    square = Grid.square(num_columns)
    lines = Grid.along_x(num_columns), Grid.along_y(num_columns)
    planes = [np.full((num_rows, num_columns), np.nan, np.float32) for _ in lines]
    horizontal = np.full((num_columns, num_columns), np.nan, np.float32)
    region_grid = None if region is None else _region_grid(region, pixel_size_um)
    region_parts, reference_parts = [], []
    reference_grid = None if reference is None else _disc_grid(reference.radius_um / pixel_size_um)
    num_dead = num_zingers = 0
    absolute, coverage = True, 1.0
    slab_rows = max(SLAB_BYTES // (4 * num_columns * len(angles_deg)), 1)
    for begin in range(usable.start, usable.stop, slab_rows):
        rows = slice(begin, min(begin + slab_rows, usable.stop))
        integrals = frames.integrals(rows)
        num_dead, num_zingers = num_dead + integrals.num_dead, num_zingers + integrals.num_zingers
        scan = filter_truncated(
            integrals.values, angles_deg, axis.column, pixel_size_um, cell=cell, wall_per_cm=wall_per_cm
        )
        absolute, coverage = scan.grey_values_absolute, scan.weights.coverage
        for plane, line in zip(planes, lines, strict=True):
            plane[rows] = scan.reconstruct(line).reshape(rows.stop - rows.start, num_columns)
        if rows.start <= middle_row < rows.stop:
            horizontal = scan.reconstruct(square, slice(middle_row - rows.start, middle_row - rows.start + 1))[0]
        region_parts += _part(scan, region_grid, region_rows, rows)
        reference_parts += _part(scan, reference_grid, reference_rows, rows)
    return TomogramVolume(
        axis=axis,
        slices=OrthogonalSlices(horizontal, planes[0], planes[1], pixel_size_um),
        region=np.concatenate(region_parts) if region_parts else None,
        region_rows=region_rows,
        reference_values=np.concatenate(reference_parts) if reference_parts else None,
        grey_values_absolute=absolute,
        coverage=coverage,
        num_dead=num_dead,
        num_zingers=num_zingers,
    )


def _axis(frames: TomogramFrames, angles_deg: NDArray[np.float64], usable: slice) -> RotationAxis:
    middle = (usable.start + usable.stop) // 2
    rows = slice(max(usable.start, middle - AXIS_ROWS // 2), min(usable.stop, middle + AXIS_ROWS // 2))
    return find_rotation_axis(frames.integrals(rows).values, angles_deg)


def _region_grid(region: Region, pixel_size_um: float) -> Grid:
    return Grid.square(round(region.width_x_um / pixel_size_um), round(region.width_y_um / pixel_size_um))


def _disc_grid(radius: float) -> Grid:
    side = np.linspace(-radius, radius, REFERENCE_POINTS)
    x, y = np.meshgrid(side, side)
    inside = x**2 + y**2 <= radius**2
    return Grid(x[inside], y[inside])


def _part(scan: FilteredScan, grid: Grid | None, wanted: slice | None, rows: slice) -> list[NDArray[np.float32]]:
    if grid is None or wanted is None:
        return []
    begin, end = max(wanted.start, rows.start), min(wanted.stop, rows.stop)
    if begin >= end:
        return []
    return [scan.reconstruct(grid, slice(begin - rows.start, end - rows.start))]
