"""Decides, before the first slab, everything that all slabs must have in common."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from live_analysis.corrections.axis_tilt import axis_tilt
from live_analysis.corrections.counts_correction import CorrectionSettings, Lean
from live_analysis.corrections.phase import PhaseError, PhaseFilter
from live_analysis.final_volume.beam import Beam
from live_analysis.final_volume.camera_noise import measure_counting
from live_analysis.final_volume.declared import Declared
from live_analysis.final_volume.extended_view import extend, is_half_acquisition
from live_analysis.final_volume.first_look import LOOK_ROWS, integrals_of, look, seen_rows
from live_analysis.final_volume.plan import Axis, Bore, VolumePlan, VolumeSettings
from live_analysis.final_volume.raw_scan import RawScan, VolumeError
from live_analysis.final_volume.region import checked_region
from live_analysis.final_volume.slab_height import levels_for, slab_height
from live_analysis.final_volume.slab_integrals import SlabIntegrals
from live_analysis.reconstruction.angle_weights import AngleWeights, ProjectionError, angle_weights
from live_analysis.reconstruction.cylinder_model import CylinderFitError, fit_cylinder
from live_analysis.reconstruction.filtered_scan import ends_in_air
from live_analysis.rotation_axis import LOW_CONFIDENCE, MIN_COVERAGE, RotationAxisError, find_rotation_axis
from live_analysis.scan_quality import MAX_RIM_GAP
from operando.model.geometry import CellGeometry

NOISE_ENGINE = "native"
SMALLEST_PIXEL_UM, LARGEST_PIXEL_UM = 0.001, 1000.0


def make_plan(
    scan: RawScan,
    beam: Beam,
    settings: VolumeSettings,
    declared: Declared,
    *,
    memory_bytes: int,
) -> VolumePlan:
    """Look at a few rows of the scan and decide.

    Parameters
    ----------
    memory_bytes
        What the reconstruction may use.

    Raises
    ------
    VolumeError
        If the scan cannot be reconstructed as asked.
    """
    num_rows, num_columns = scan.frame_shape
    pixel_size_um = settings.pixel_size_um or scan.pixel_size_um
    if pixel_size_um is not None and not SMALLEST_PIXEL_UM <= pixel_size_um <= LARGEST_PIXEL_UM:
        raise VolumeError(
            f"{scan.source}: a pixel of {pixel_size_um:g} um is none of a tomogram, which has {SMALLEST_PIXEL_UM:g} to "
            f"{LARGEST_PIXEL_UM:g} um. Is the unit wrong? Give the size with --pixel-size."
        )
    flags = []
    if settings.noise and settings.engine != NOISE_ENGINE:
        raise VolumeError(
            f"engine {settings.engine}: the noise of its voxels is not known, since it is told by how engine "
            f"{NOISE_ENGINE} interpolates. Take that one, or leave out --noise."
        )
    weights = _weights(scan, settings)
    seen = seen_rows(scan, beam)
    rows = settings.rows or (0, num_rows)
    if not 0 <= rows[0] < rows[1] <= num_rows:
        raise VolumeError(f"rows {rows[0]}:{rows[1]} do not lie within the {num_rows} rows of the projections.")
    corrections = _corrections(scan, beam, seen, settings, declared, pixel_size_um)
    looked_at = look(scan, beam, seen, rows, corrections)
    axis = _axis(looked_at, settings)
    extended = is_half_acquisition(scan.angles_deg, axis.column, num_columns)
    bore, contradicted = None, False
    if declared.cell is not None and declared.wall_per_cm is not None and not extended:
        if pixel_size_um is None:
            raise VolumeError("the cell is declared in mm, but nothing says the pixel size: give --pixel-size.")
        plain = integrals_of(scan, beam, _plain_rows(seen, declared), seen, corrections)
        bore, content_per_cm = _bore(plain, axis, pixel_size_um, declared.cell, declared.wall_per_cm)
        contradicted = declared.contradicted_by(content_per_cm)
    view = extend(looked_at.values, looked_at.angles_deg, axis.column)[0] if extended else looked_at.values
    in_air, square = ends_in_air(view), view.shape[2]
    region = checked_region(settings.region, square, axis.column, num_columns, extended=extended)
    num_y, num_x = region[3] - region[2], region[1] - region[0]
    num_levels = settings.num_levels or levels_for(num_y, num_x)
    slab_rows, chunk_rows = slab_height(
        memory_bytes,
        rows[1] - rows[0],
        scan.projections.shape[0],
        num_columns,
        scan.projections.dtype.itemsize,
        square,
        num_y * num_x,
        num_levels,
        whole_frames=scan.projections.whole_frames,
    )
    counting = measure_counting(scan, beam, seen) if settings.noise else None
    absolute = pixel_size_um is not None and (bore is not None or in_air) and not (beam.saturated or contradicted)
    if not absolute:
        flags.append("grey_values_not_absolute")
    if contradicted:
        flags.append("cell_contradicted")
    if axis.confidence < LOW_CONFIDENCE:
        flags.append("rotation_axis_uncertain")
    if scan.num_expected is not None and scan.num_expected != scan.projections.shape[0]:
        flags.append("partial")
    if np.radians(weights.largest_gap_deg) * num_columns / 2 > MAX_RIM_GAP:
        flags.append("undersampled")
    if weights.coverage < MIN_COVERAGE:
        flags.append("angles_missing")
    if beam.num_left_out:
        flags.append("darks_or_flats_left_out")
    if beam.saturated:
        flags.append("flats_saturated")
    return VolumePlan(
        settings=settings,
        fingerprint=scan.fingerprint(),
        rows=rows,
        seen_rows=(seen.start, seen.stop),
        slab_rows=slab_rows,
        chunk_rows=chunk_rows,
        num_levels=num_levels,
        num_columns=num_columns,
        square=square,
        region=region,
        axis=axis,
        pixel_size_um=pixel_size_um or 1.0,
        extended=extended,
        taper_columns=0 if in_air else square // 2,
        lean=corrections.lean,
        phase_length_um=declared.phase_length_um,
        bore=bore,
        grey_values_absolute=absolute,
        coverage=weights.coverage,
        num_repeated_angles=len(scan.angles_deg) - len(np.unique(scan.angles_deg)),
        flags=tuple(flags),
        counting=counting,
    )


def _weights(scan: RawScan, settings: VolumeSettings) -> AngleWeights:
    try:
        weights = angle_weights(scan.angles_deg)
    except ProjectionError as error:
        raise VolumeError(f"{scan.source}: {error}") from error
    if weights.coverage < MIN_COVERAGE and not settings.partial:
        raise VolumeError(
            f"{scan.source}: {len(scan.angles_deg)} projections from {scan.angles_deg.min():.4g} to "
            f"{scan.angles_deg.max():.4g} deg cover {weights.coverage:.0%} of the half turn. Are the angles right, "
            "and in degrees (--angle-unit)? To reconstruct a part all the same, give --partial and --axis."
        )
    return weights


def _axis(looked_at: SlabIntegrals, settings: VolumeSettings) -> Axis:
    num_columns = looked_at.values.shape[2]
    if settings.axis_column is not None:
        if not 1 < settings.axis_column < num_columns - 2:
            raise VolumeError(
                f"--axis {settings.axis_column:g} does not lie within the {num_columns} columns of the projections."
            )
        return Axis(settings.axis_column, 0.0, 1.0, "given")
    try:
        found = find_rotation_axis(looked_at.values, looked_at.angles_deg)
    except RotationAxisError as error:
        raise VolumeError(f"the rotation axis was not found: {error} Or give it with --axis COLUMN.") from error
    return Axis(found.column, found.uncertainty, found.confidence, found.method)


def _corrections(
    scan: RawScan,
    beam: Beam,
    seen: slice,
    settings: VolumeSettings,
    declared: Declared,
    pixel_size_um: float | None,
) -> CorrectionSettings:
    """Say what is done to counts, a leaning axis included if opposite projections show one."""
    if declared.phase_length_um is not None and pixel_size_um is None:
        raise VolumeError("phase is to be retrieved, but nothing says the pixel size: give --pixel-size.")
    phase = None
    if declared.phase_length_um is not None and pixel_size_um is not None:
        try:
            phase = PhaseFilter(declared.phase_length_um, pixel_size_um)
        except PhaseError as error:
            raise VolumeError(str(error)) from error
    upright = CorrectionSettings(phase=phase)
    if settings.axis_column is not None:
        return upright

    def projection(index: int) -> NDArray[np.float32]:
        found = integrals_of(scan, beam, seen, seen, upright, slice(index, index + 1)).values
        # Zeros are like no other projection: pairs with a damaged one tell nothing.
        return found[0] if len(found) else np.zeros((seen.stop - seen.start, scan.frame_shape[1]), np.float32)

    tilt = axis_tilt(projection, scan.angles_deg, first_row=seen.start)
    if tilt is None or not tilt.worth_correcting(seen.stop - seen.start, scan.frame_shape[1]):
        return upright
    return replace(upright, lean=Lean(tilt.tilt_deg, tilt.row, tilt.column))


def _plain_rows(seen: slice, declared: Declared) -> slice:
    plain = seen if declared.plain_rows is None else declared.plain_rows
    first, stop = max(plain.start, seen.start), min(plain.stop, seen.stop)
    if first >= stop:
        first, stop = seen.start, seen.stop
    middle = (first + stop) // 2
    return slice(max(first, middle - LOOK_ROWS // 2), min(stop, middle + LOOK_ROWS // 2 + 1))


def _bore(
    plain: SlabIntegrals, axis: Axis, pixel_size_um: float, cell: CellGeometry, wall_per_cm: float
) -> tuple[Bore, float]:
    """Fit the bore to rows without particles; return it and their content in 1/cm."""
    try:
        fit = fit_cylinder(plain.values, plain.angles_deg, axis.column, pixel_size_um, cell, wall_per_cm)
    except CylinderFitError as error:
        raise VolumeError(str(error)) from error
    centre_um = (fit.centre_x_um, fit.centre_y_um)
    bore = Bore(cell.bore_diameter_mm, cell.wall_outer_diameter_mm, cell.wall_material, wall_per_cm, centre_um)
    return bore, float(np.median(fit.content_per_cm))
